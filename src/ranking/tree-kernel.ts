import { createTreeChoices } from './tree-choices.js';
import type { TreeKernel, TreeNode } from './tree-node.js';
import { createTreeWalk } from './tree-walk.js';

/** Branches that are computed in the time that a walk takes for a level: of 64 random leaves choices are faster, of 128 a walk. */
const BRANCHES_PER_LEVEL = 7;

/**
 * Trees in WebAssembly. ONNX Runtime asks at every node which way to go, and the processor guesses wrong half of the time; here nothing is
 * asked. Both kernels give the same bits: trees with few branches for their depth, as most trainers grow them, are computed whole, others are walked.
 * @param trees one or more
 */
export function createTreeKernel(trees: readonly TreeNode[], options: { columns: number }): TreeKernel {
  const branches = trees.reduce((sum, tree) => sum + countBranches(tree), 0);
  const levels = trees.reduce((sum, tree) => sum + countLevels(tree), 0);
  return branches > BRANCHES_PER_LEVEL * levels
    ? createTreeWalk(trees, options)
    : createTreeChoices(trees, options);
}

function countBranches(node: TreeNode): number {
  return 'leaf' in node ? 0 : 1 + countBranches(node.children[0]) + countBranches(node.children[1]);
}

function countLevels(node: TreeNode): number {
  return 'leaf' in node ? 0 : 1 + Math.max(...node.children.map(countLevels));
}

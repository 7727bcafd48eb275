import { cutOutNode, decodeOnnxGraph, type OnnxAttribute, type ReadOnnxNode } from '../bundle/onnx-model.js';
import type { TreeNode } from './tree-node.js';

/** A model that begins with trees over its features: the trees, and what is made of their sums. */
export interface TreeModel {
  readonly trees: readonly TreeNode[];
  /** Is added to the sum of the leaves. */
  readonly base: number;
  /** What the model does with the sums, [N, 1] by the name of `input`; undefined when they are the scores. */
  readonly rest: { readonly model: Uint8Array; readonly input: string } | undefined;
}

type Attributes = ReadOnnxNode['attributes'];

/** What a file may say beside its nodes and leaves, without meaning anything else than is computed here. */
const HARMLESS: Readonly<Record<string, (value: OnnxAttribute | undefined) => boolean>> = {
  n_targets: (value) => value === 1,
  aggregate_function: (value) => value === 'SUM',
  post_transform: (value) => value === 'NONE',
  target_ids: (value) => value instanceof Int32Array && value.every((id) => id === 0),
  nodes_hitrates: () => true,
};

/** Every row goes down as far as the deepest leaf lies: trees that are mostly one branch are better off elsewhere. */
const DEEPEST = 64;

/**
 * Takes the trees out of a model whose only input goes into one TreeEnsembleRegressor and nowhere else, as our exporter and those
 * of LightGBM, XGBoost and CatBoost write it: one target, sums, float32, comparisons by order.
 * (onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html)
 * @param model bytes that ONNX Runtime has taken for a model
 * @param options.columns of its input
 * @throws Error for any other model
 */
export function splitTreeModel(model: Uint8Array, { columns }: { columns: number }): TreeModel {
  const { nodes, inputs, outputs } = decodeOnnxGraph(model);
  const readers = nodes.filter((node) => inputs.some((input) => node.inputs.includes(input)));
  const [regressor] = readers;
  const [sums] = regressor?.outputs ?? [];
  insist(inputs.length === 1 && readers.length === 1 && regressor?.operator === 'TreeEnsembleRegressor');
  const { attributes } = regressor!;
  const trees = readTrees(attributes, columns);
  const bases = floatsOf(attributes, 'base_values');
  insist(bases.length <= 1);
  const base = bases[0] ?? 0;
  const isWhole = nodes.length === 1;
  // Sums that are one output beside others would be missing.
  insist(isWhole || !outputs.includes(sums!));
  if (isWhole) return { trees, base, rest: undefined };
  const input = { name: sums!, type: 'float32', shape: ['rows', 1] } as const;
  return { trees, base, rest: { model: cutOutNode(model, nodes.indexOf(regressor!), input), input: sums! } };
}

function insist(isSo: boolean): void {
  if (!isSo) throw new Error('These are no trees of the plain kind.');
}

/** A node of a tree by the numbers that a file gives both. */
const keyOf = (tree: number, node: number): string => `${tree}/${node}`;

/** The attributes of the nodes, a row for each, and of the leaves. */
interface NodeTable {
  readonly treeIds: Int32Array;
  readonly nodeIds: Int32Array;
  readonly modes: readonly string[];
  readonly features: Int32Array;
  readonly thresholds: Float32Array;
  readonly whenTrue: Int32Array;
  readonly whenFalse: Int32Array;
  /** Where not a number goes the way of true; all zero when the file says nothing. */
  readonly missingIsTrue: Int32Array;
  readonly rowOf: ReadonlyMap<string, number>;
  readonly leafOf: ReadonlyMap<string, number>;
}

const NODE_ATTRIBUTES = {
  treeIds: 'nodes_treeids',
  nodeIds: 'nodes_nodeids',
  modes: 'nodes_modes',
  features: 'nodes_featureids',
  thresholds: 'nodes_values',
  whenTrue: 'nodes_truenodeids',
  whenFalse: 'nodes_falsenodeids',
  missingIsTrue: 'nodes_missing_value_tracks_true',
} as const;

const LEAF_ATTRIBUTES = ['target_treeids', 'target_nodeids', 'target_weights'];

const READ = new Set<string>([...Object.values(NODE_ATTRIBUTES), ...LEAF_ATTRIBUTES, 'base_values']);

function readTrees(attributes: Attributes, columns: number): TreeNode[] {
  for (const [name, value] of Object.entries(attributes)) {
    insist(READ.has(name) || HARMLESS[name]?.(value) === true);
  }
  const table = readTable(attributes);
  insist(table.features.every((feature) => feature >= 0 && feature < columns));
  const used = new Set<number>();
  const trees = findRoots(table).map((root) => buildTree(root, 0, { table, used }));
  insist(trees.length > 0 && used.size === table.treeIds.length);
  return trees;
}

function readTable(attributes: Attributes): NodeTable {
  const treeIds = numbersOf(attributes, NODE_ATTRIBUTES.treeIds);
  const missingIsTrue = numbersOf(attributes, NODE_ATTRIBUTES.missingIsTrue);
  const columns = {
    treeIds,
    nodeIds: numbersOf(attributes, NODE_ATTRIBUTES.nodeIds),
    modes: textsOf(attributes, NODE_ATTRIBUTES.modes),
    features: numbersOf(attributes, NODE_ATTRIBUTES.features),
    thresholds: floatsOf(attributes, NODE_ATTRIBUTES.thresholds),
    whenTrue: numbersOf(attributes, NODE_ATTRIBUTES.whenTrue),
    whenFalse: numbersOf(attributes, NODE_ATTRIBUTES.whenFalse),
    missingIsTrue: missingIsTrue.length === 0 ? new Int32Array(treeIds.length) : missingIsTrue,
  };
  insist(Object.values(columns).every(({ length }) => length === treeIds.length));
  const rowOf = new Map(Array.from(treeIds, (tree, row) => [keyOf(tree, columns.nodeIds[row]!), row]));
  return { ...columns, rowOf, leafOf: readLeaves(attributes) };
}

function readLeaves(attributes: Attributes): ReadonlyMap<string, number> {
  const [trees, nodes] = [numbersOf(attributes, 'target_treeids'), numbersOf(attributes, 'target_nodeids')];
  const weights = floatsOf(attributes, 'target_weights');
  insist(trees.length === weights.length && nodes.length === weights.length);
  const leafOf = new Map(Array.from(weights, (weight, at) => [keyOf(trees[at]!, nodes[at]!), weight]));
  insist(leafOf.size === weights.length);
  return leafOf;
}

/** The rows of nodes that are no child, in the order of the file, in which sums are made: one for each tree. */
function findRoots({ treeIds, nodeIds, modes, whenTrue, whenFalse }: NodeTable): number[] {
  const children = new Set<string>();
  treeIds.forEach((tree, row) => {
    if (modes[row] === 'LEAF') return;
    children.add(keyOf(tree, whenTrue[row]!)).add(keyOf(tree, whenFalse[row]!));
  });
  const roots = [...treeIds.keys()].filter((row) => !children.has(keyOf(treeIds[row]!, nodeIds[row]!)));
  insist(roots.length === new Set(treeIds).size);
  return roots;
}

function buildTree(
  row: number,
  depth: number,
  { table, used }: { table: NodeTable; used: Set<number> },
): TreeNode {
  insist(depth <= DEEPEST && !used.has(row));
  used.add(row);
  const tree = table.treeIds[row]!;
  if (table.modes[row] === 'LEAF') return { leaf: table.leafOf.get(keyOf(tree, table.nodeIds[row]!)) ?? 0 };
  const childAt = (node: number): TreeNode => {
    const child = table.rowOf.get(keyOf(tree, node));
    insist(child !== undefined);
    return buildTree(child!, depth + 1, { table, used });
  };
  const [whenTrue, whenFalse] = [childAt(table.whenTrue[row]!), childAt(table.whenFalse[row]!)];
  const { isBelow, threshold } = readComparison(table.modes[row]!, table.thresholds[row]!);
  return {
    feature: table.features[row]!,
    threshold,
    // What is not a number is compared to nothing: it goes the way of false, where the file does not say otherwise.
    missingIsBelow: (table.missingIsTrue[row] !== 0) === isBelow,
    children: isBelow ? [whenTrue, whenFalse] : [whenFalse, whenTrue],
  };
}

/** As `≤ threshold`, and whether that is what was asked, or the opposite. */
function readComparison(mode: string, threshold: number): { isBelow: boolean; threshold: number } {
  const isOpen = mode === 'BRANCH_LT' || mode === 'BRANCH_GTE';
  const isBelow = mode === 'BRANCH_LEQ' || mode === 'BRANCH_LT';
  insist((isOpen || isBelow || mode === 'BRANCH_GT') && threshold > Number.NEGATIVE_INFINITY);
  return { isBelow, threshold: isOpen ? findFloatBelow(threshold) : threshold };
}

/** Of float32, what is less than a number is at most the one before it. */
function findFloatBelow(value: number): number {
  if (value === 0) return -(2 ** -149);
  const float = Float32Array.of(value);
  new Int32Array(float.buffer)[0]! += value > 0 ? -1 : 1;
  return float[0]!;
}

function numbersOf(attributes: Attributes, name: string): Int32Array {
  const value = attributes[name];
  return value instanceof Int32Array ? value : new Int32Array(0);
}

function floatsOf(attributes: Attributes, name: string): Float32Array {
  const value = attributes[name];
  return value instanceof Float32Array ? value : new Float32Array(0);
}

function textsOf(attributes: Attributes, name: string): readonly string[] {
  const value = attributes[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

import { cutOutNode, decodeOnnxGraph, type OnnxAttribute, type ReadOnnxNode } from '../bundle/onnx-model.js';
import type { TreeNode } from './tree-kernel.js';

/** A model that begins with trees over its features: the trees, and what is made of their sums. */
export interface TreeModel {
  readonly trees: readonly TreeNode[];
  /** Is added to the sum of the leaves. */
  readonly base: number;
  /** What the model does with the sums, [N, 1] by the name of `input`; undefined when they are the scores. */
  readonly rest: { readonly model: Uint8Array; readonly input: string } | undefined;
}

type Attributes = ReadOnnxNode['attributes'];

/** What is taken for granted, and what a file may say of it. */
const TAKEN_FOR_GRANTED: Readonly<Record<string, (value: OnnxAttribute | undefined) => boolean>> = {
  n_targets: (value) => value === 1,
  aggregate_function: (value) => value === 'SUM',
  post_transform: (value) => value === 'NONE',
  target_ids: isAllZero,
  nodes_missing_value_tracks_true: isAllZero,
  nodes_hitrates: () => true,
};

const READ = new Set([
  'base_values',
  'nodes_treeids',
  'nodes_nodeids',
  'nodes_modes',
  'nodes_featureids',
  'nodes_values',
  'nodes_truenodeids',
  'nodes_falsenodeids',
  'target_treeids',
  'target_nodeids',
  'target_weights',
]);

/**
 * Takes the trees out of a model whose only input goes into one TreeEnsembleRegressor of the plain kind, as our exporter and those
 * of LightGBM and XGBoost write it: one target, sums, float32, comparisons by ≤ or <. Undefined for any other model.
 * (onnx.ai/onnx/operators/onnx_aionnxml_TreeEnsembleRegressor.html)
 * @param model bytes that ONNX Runtime has taken for a model
 * @param options.columns of its input
 */
export function splitTreeModel(model: Uint8Array, { columns }: { columns: number }): TreeModel | undefined {
  const { nodes, inputs, outputs } = decodeOnnxGraph(model);
  const [input] = inputs;
  const readers = nodes.filter((node) => node.inputs.includes(input!));
  const [regressor] = readers;
  if (inputs.length !== 1 || readers.length !== 1 || regressor?.operator !== 'TreeEnsembleRegressor')
    return undefined;
  const trees = readTrees(regressor.attributes, columns);
  if (trees === undefined) return undefined;
  const [sums] = regressor.outputs;
  const base = floatsOf(regressor.attributes, 'base_values')[0] ?? 0;
  if (nodes.length === 1) return outputs[0] === sums ? { trees, base, rest: undefined } : undefined;
  // Sums that are an output too would be missing from it.
  if (outputs.includes(sums!)) return undefined;
  const cut = cutOutNode(model, nodes.indexOf(regressor), {
    name: sums!,
    type: 'float32',
    shape: ['rows', 1],
  });
  return { trees, base, rest: { model: cut, input: sums! } };
}

/** Undefined for what is not of the plain kind, and for what does not hang together. */
function readTrees(attributes: Attributes, columns: number): TreeNode[] | undefined {
  const isPlain = Object.entries(attributes).every(
    ([name, value]) => READ.has(name) || TAKEN_FOR_GRANTED[name]?.(value) === true,
  );
  if (!isPlain || floatsOf(attributes, 'base_values').length > 1) return undefined;
  const leaves = readLeaves(attributes);
  const table = readTable(attributes);
  if (leaves === undefined || table === undefined) return undefined;
  if (table.features.some((feature) => feature < 0 || feature >= columns)) return undefined;
  try {
    return table.roots.map((root) => buildTree(root, 0, { ...table, leaves, used: new Set() }));
  } catch (error) {
    if (error instanceof Unfit) return undefined;
    throw error;
  }
}

/** Thrown within a tree, told to nobody. */
class Unfit extends Error {}

/** A node by its tree and number. */
type Key = string;

const keyOf = (tree: number, node: number): Key => `${tree}/${node}`;

interface NodeTable {
  readonly rows: ReadonlyMap<Key, number>;
  /** In the order of the file, in which sums are made. */
  readonly roots: readonly number[];
  readonly treeIds: Int32Array;
  readonly modes: readonly string[];
  readonly features: Int32Array;
  readonly thresholds: Float32Array;
  readonly whenTrue: Int32Array;
  readonly whenFalse: Int32Array;
  readonly nodeIds: Int32Array;
}

function readTable(attributes: Attributes): NodeTable | undefined {
  const treeIds = numbersOf(attributes, 'nodes_treeids');
  const table = {
    treeIds,
    nodeIds: numbersOf(attributes, 'nodes_nodeids'),
    modes: textsOf(attributes, 'nodes_modes'),
    features: numbersOf(attributes, 'nodes_featureids'),
    thresholds: floatsOf(attributes, 'nodes_values'),
    whenTrue: numbersOf(attributes, 'nodes_truenodeids'),
    whenFalse: numbersOf(attributes, 'nodes_falsenodeids'),
  };
  if (Object.values(table).some(({ length }) => length !== treeIds.length)) return undefined;
  const rows = new Map(Array.from(treeIds, (tree, row) => [keyOf(tree, table.nodeIds[row]!), row]));
  const isChild = new Set<Key>();
  treeIds.forEach((tree, row) => {
    if (table.modes[row] === 'LEAF') return;
    isChild.add(keyOf(tree, table.whenTrue[row]!)).add(keyOf(tree, table.whenFalse[row]!));
  });
  const roots = [...rows].flatMap(([key, row]) => (isChild.has(key) ? [] : [row]));
  // A node twice, a tree with two roots or none.
  if (rows.size !== treeIds.length || roots.length !== new Set(treeIds).size) return undefined;
  return { ...table, rows, roots };
}

function readLeaves(attributes: Attributes): ReadonlyMap<Key, number> | undefined {
  const trees = numbersOf(attributes, 'target_treeids');
  const nodes = numbersOf(attributes, 'target_nodeids');
  const weights = floatsOf(attributes, 'target_weights');
  const leaves = new Map(Array.from(trees, (tree, at) => [keyOf(tree, nodes[at] ?? -1), weights[at] ?? 0]));
  return leaves.size === weights.length && nodes.length === weights.length ? leaves : undefined;
}

interface Building extends NodeTable {
  readonly leaves: ReadonlyMap<Key, number>;
  /** Rows that were used: no node has two parents. */
  readonly used: Set<number>;
}

/** Every row goes down as far as the deepest leaf lies: trees that are mostly one branch are better off elsewhere. */
const DEEPEST = 64;

function buildTree(row: number | undefined, depth: number, building: Building): TreeNode {
  if (row === undefined || building.used.has(row) || depth > DEEPEST) throw new Unfit();
  building.used.add(row);
  const { treeIds, nodeIds, modes, features, thresholds, whenTrue, whenFalse, rows, leaves } = building;
  const tree = treeIds[row]!;
  if (modes[row] === 'LEAF') return { leaf: leaves.get(keyOf(tree, nodeIds[row]!)) ?? 0 };
  const childOf = (node: number): TreeNode => buildTree(rows.get(keyOf(tree, node)), depth + 1, building);
  return {
    feature: features[row]!,
    threshold: readThreshold(modes[row]!, thresholds[row]!),
    children: [childOf(whenTrue[row]!), childOf(whenFalse[row]!)],
  };
}

/** For ≤: of float32, less than a number is at most the one before it. */
function readThreshold(mode: string, threshold: number): number {
  if (mode === 'BRANCH_LEQ') return threshold;
  if (mode === 'BRANCH_LT') return findFloatBelow(threshold);
  throw new Unfit();
}

function findFloatBelow(value: number): number {
  if (value === 0) return -(2 ** -149);
  if (Number.isNaN(value) || value === Number.NEGATIVE_INFINITY) return Number.NaN;
  const float = Float32Array.of(value);
  new Int32Array(float.buffer)[0]! += value > 0 ? -1 : 1;
  return float[0]!;
}

function isAllZero(value: OnnxAttribute | undefined): boolean {
  return value instanceof Int32Array && value.every((one) => one === 0);
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

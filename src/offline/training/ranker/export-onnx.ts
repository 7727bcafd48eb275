import { hashFeatureOrder } from '../../../bundle/manifest.js';
import { ShortlistError } from '../../../domain/errors.js';
import type { FeatureMatrix } from '../../../features/feature-matrix.js';
import { openOnnxRanker } from '../../../ranking/onnx-ranker.js';
import { encodeOnnxModel, type OnnxAttribute, type OnnxNode } from '../../../bundle/onnx-model.js';
import { predictEnsemble, type TreeEnsemble } from './tree-ensemble.js';

/** Largest difference between trainer and ONNX Runtime that is rounding. */
const MAX_DIFFERENCE = 1e-5;

/**
 * scores = 1 / (1 + exp(−margins)), in plain operators. ONNX Runtime 1.30 ignores the post-transform LOGISTIC of a regressor
 * with one target, and its Sigmoid falls by up to 2e-7 where it should rise (15 % of 4 million steps from −20 to 20).
 */
const LOGISTIC_NODES: readonly OnnxNode[] = [
  { operator: 'Constant', inputs: [], outputs: ['one'], attributes: { value_floats: Float32Array.of(1) } },
  { operator: 'Neg', inputs: ['margins'], outputs: ['negated'] },
  { operator: 'Exp', inputs: ['negated'], outputs: ['odds_against'] },
  { operator: 'Add', inputs: ['odds_against', 'one'], outputs: ['inverse'] },
  { operator: 'Reciprocal', inputs: ['inverse'], outputs: ['scores'] },
];

/**
 * An ensemble as ONNX: an ai.onnx.ml TreeEnsembleRegressor from `features` float32 [N, columns] to `scores` float32 [N, 1].
 * Scores of `logistic` are probabilities, of `lambdarank` raw margins; both rise with the trainer's margin (margins
 * above 10 run together as float32 does just below 1). The metadata names the objective and the hash of the feature order.
 * @throws ShortlistError TRAINING_FAILED when there is not one feature name per column
 */
export function exportEnsembleToOnnx(
  ensemble: TreeEnsemble,
  options: { featureNames: readonly string[]; modelName?: string },
): Uint8Array {
  const { featureNames, modelName = 'ranker' } = options;
  if (featureNames.length !== ensemble.columns) {
    throw new ShortlistError(
      'TRAINING_FAILED',
      `${featureNames.length} feature names for a ranker of ${ensemble.columns} columns: give one per column, in order.`,
    );
  }
  return encodeOnnxModel({
    name: modelName,
    nodes: [
      {
        operator: 'TreeEnsembleRegressor',
        domain: 'ai.onnx.ml',
        inputs: ['features'],
        outputs: [ensemble.objective === 'logistic' ? 'margins' : 'scores'],
        attributes: listTreeAttributes(ensemble),
      },
      ...(ensemble.objective === 'logistic' ? LOGISTIC_NODES : []),
    ],
    inputs: [{ name: 'features', type: 'float32', shape: ['rows', ensemble.columns] }],
    outputs: [{ name: 'scores', type: 'float32', shape: ['rows', 1] }],
    metadata: {
      'shortlist.objective': ensemble.objective,
      'shortlist.feature_order_sha256': hashFeatureOrder(featureNames),
    },
  });
}

/**
 * Runs an export as serving would and compares its scores with the trainer's, relative to the score where that is above 1
 * (ONNX Runtime adds leaves up in float32).
 * @throws ShortlistError TRAINING_FAILED above 1e-5, and what `openOnnxRanker` throws
 */
export async function verifyOnnxExport(
  onnx: Uint8Array,
  ensemble: TreeEnsemble,
  matrix: FeatureMatrix,
): Promise<{ maxDifference: number }> {
  const ranker = await openOnnxRanker(onnx, { columns: ensemble.columns });
  try {
    const served = await ranker.rank(matrix);
    const maxDifference = findLargestDifference(served, predictScores(ensemble, matrix));
    if (maxDifference <= MAX_DIFFERENCE) return { maxDifference };
    throw new ShortlistError(
      'TRAINING_FAILED',
      `The exported ranker differs from the trained one by ${maxDifference}; ${MAX_DIFFERENCE} is rounding. Do not publish it.`,
    );
  } finally {
    await ranker.close();
  }
}

/** What the export should answer. */
function predictScores(ensemble: TreeEnsemble, matrix: FeatureMatrix): Float32Array {
  const margins = predictEnsemble(ensemble, matrix);
  return ensemble.objective === 'logistic' ? margins.map((margin) => 1 / (1 + Math.exp(-margin))) : margins;
}

function findLargestDifference(served: Float32Array, expected: Float32Array): number {
  return served.reduce((largest, score, row) => {
    const difference = Math.abs(score - expected[row]!) / Math.max(1, Math.abs(expected[row]!));
    return Math.max(largest, difference);
  }, 0);
}

function listTreeAttributes({ trees, baseScore }: TreeEnsemble): Record<string, OnnxAttribute> {
  const nodes = trees.flatMap((tree, treeId) =>
    Array.from(tree.column, (column, node) => ({ tree, treeId, node, isLeaf: column < 0 })),
  );
  const leaves = nodes.filter(({ isLeaf }) => isLeaf);
  return {
    nodes_treeids: Int32Array.from(nodes, ({ treeId }) => treeId),
    nodes_nodeids: Int32Array.from(nodes, ({ node }) => node),
    nodes_modes: nodes.map(({ isLeaf }) => (isLeaf ? 'LEAF' : 'BRANCH_LEQ')),
    nodes_featureids: Int32Array.from(nodes, ({ tree, node }) => Math.max(0, tree.column[node]!)),
    nodes_values: Float32Array.from(nodes, ({ tree, node }) => tree.threshold[node]!),
    nodes_truenodeids: Int32Array.from(nodes, ({ tree, node }) => Math.max(0, tree.left[node]!)),
    nodes_falsenodeids: Int32Array.from(nodes, ({ tree, node }) => Math.max(0, tree.right[node]!)),
    target_treeids: Int32Array.from(leaves, ({ treeId }) => treeId),
    target_nodeids: Int32Array.from(leaves, ({ node }) => node),
    target_ids: new Int32Array(leaves.length),
    target_weights: Float32Array.from(leaves, ({ tree, node }) => tree.value[node]!),
    base_values: Float32Array.of(baseScore),
    n_targets: 1,
    aggregate_function: 'SUM',
  };
}

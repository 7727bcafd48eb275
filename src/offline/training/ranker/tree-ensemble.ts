import type { FeatureMatrix } from '../../../features/feature-matrix.js';
import type { RankingObjective } from './boosting-options.js';

/** One binary tree as columns, one entry per node; node 0 is the root. */
export interface RegressionTree {
  /** Matrix column that a node tests; -1 in a leaf. */
  readonly column: Int32Array;
  /** A row goes left when its value <= threshold (both float32), else right. */
  readonly threshold: Float32Array;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** What a leaf adds to the margin, learning rate included; 0 in an inner node. */
  readonly value: Float32Array;
  /** By how much a node's split lowered the loss; 0 in a leaf. */
  readonly gain: Float64Array;
}

/** A trained ranker: its margin is the base score plus what each tree adds. */
export interface TreeEnsemble {
  readonly objective: RankingObjective;
  readonly columns: number;
  /** A float32 value. */
  readonly baseScore: number;
  /** The trees up to the best iteration. */
  readonly trees: readonly RegressionTree[];
  /** How many trees gave the best validation nDCG; all that were grown when there was no validation. */
  readonly bestIteration: number;
  /** nDCG@k of the validation rows after each tree that was grown; empty without validation. */
  readonly validationCurve: Float64Array;
}

/** Raw margin per row (for `logistic` the log-odds): base score plus leaves, summed in float64, rounded once. */
export function predictEnsemble(ensemble: TreeEnsemble, matrix: FeatureMatrix): Float32Array {
  const scores = new Float64Array(matrix.rows).fill(ensemble.baseScore);
  for (const tree of ensemble.trees) addTreeScores(tree, matrix, scores);
  return Float32Array.from(scores);
}

/** Total gain of the splits on each column (length columns): the usual measure of what a feature was worth. */
export function gainImportance(ensemble: TreeEnsemble): Float64Array {
  const importance = new Float64Array(ensemble.columns);
  for (const { column, gain } of ensemble.trees) {
    for (let node = 0; node < column.length; node++) {
      if (column[node]! >= 0) importance[column[node]!]! += gain[node]!;
    }
  }
  return importance;
}

/** Adds what one tree gives each row, or each of these rows, to `scores`. */
export function addTreeScores(
  tree: RegressionTree,
  matrix: FeatureMatrix,
  scores: Float64Array,
  rowIndexes?: Uint32Array,
): void {
  const { column, threshold, left, right, value } = tree;
  const { data, columns } = matrix;
  const count = rowIndexes?.length ?? matrix.rows;
  for (let index = 0; index < count; index++) {
    const row = rowIndexes?.[index] ?? index;
    const start = row * columns;
    let node = 0;
    while (column[node]! >= 0) {
      node = data[start + column[node]!]! <= threshold[node]! ? left[node]! : right[node]!;
    }
    scores[row]! += value[node]!;
  }
}

import { ShortlistError } from '../../../domain/errors.js';
import { createSeededRandom, type SeededRandom } from '../../../domain/seeded-random.js';
import type { FeatureMatrix } from '../../../features/feature-matrix.js';
import type { ProgressStep } from '../../progress/progress.js';
import type { BoostingObjective } from './boosting-objective.js';
import { type BoostingOptions, completeBoostingOptions } from './boosting-options.js';
import { binMatrix } from './feature-bins.js';
import { TreeGrower } from './grow-tree.js';
import { createGroupedNdcg } from './grouped-ndcg.js';
import { createLambdarankObjective } from './lambdarank-objective.js';
import { createLogisticObjective } from './logistic-objective.js';
import { checkRankingRows, type RankingRows } from './ranking-rows.js';
import { findPeak } from './smooth-curve.js';
import { addTreeScores, type RegressionTree, type TreeEnsemble } from './tree-ensemble.js';

/** Optional inputs of a training run. */
export interface TrainingAids {
  /** Rows of other queries: training stops when their smoothed nDCG@k no longer rises, and keeps the trees up to its peak. */
  readonly validation?: RankingRows;
  /** Advanced by one per tree, at most `maxTrees` times; the caller ends the step. */
  readonly progress?: ProgressStep;
}

/**
 * Trains a histogram-based, leaf-wise gradient-boosted tree ranker (Friedman 2001; Ke et al. 2017). Deterministic: the same
 * rows, options and seed give the same ensemble, bit for bit. Options left out have `DEFAULT_BOOSTING_OPTIONS`.
 * @throws ShortlistError TRAINING_FAILED for options or rows it cannot learn from, naming every problem
 */
export function trainGradientBoostedTrees(
  train: RankingRows,
  options: Partial<BoostingOptions> & TrainingAids,
): TreeEnsemble {
  const { validation, progress, ...given } = options;
  const boosting = completeBoostingOptions(given);
  checkRankingRows(train, validation);
  const objective = createObjective(train, boosting);
  const baseScore = Math.fround(objective.baseScore);
  const judge = validation && createJudge(validation, { baseScore, boosting });
  const scores = new Float64Array(train.matrix.rows).fill(baseScore);
  const trees: RegressionTree[] = [];
  for (const tree of growTrees(train.matrix, scores, { objective, boosting })) {
    trees.push(tree);
    progress?.advance();
    if (judge?.isDoneAfter(tree)) break;
  }
  const bestIteration = judge?.bestIteration() ?? trees.length;
  return {
    objective: boosting.objective,
    columns: train.matrix.columns,
    baseScore,
    trees: trees.slice(0, bestIteration),
    bestIteration,
    validationCurve: Float64Array.from(judge?.curve ?? []),
  };
}

function createObjective(train: RankingRows, boosting: BoostingOptions): BoostingObjective {
  return boosting.objective === 'logistic'
    ? createLogisticObjective(train)
    : createLambdarankObjective(train, boosting);
}

/** Grows one tree after another on the derivatives at `scores`, and adds what each gives; ends when none gains. */
function* growTrees(
  matrix: FeatureMatrix,
  scores: Float64Array,
  { objective, boosting }: { objective: BoostingObjective; boosting: BoostingOptions },
): Generator<RegressionTree> {
  const binned = binMatrix(matrix, boosting.maxBins);
  const grower = new TreeGrower(binned);
  const random = createSeededRandom(boosting.seed);
  const derivatives = {
    gradients: new Float64Array(matrix.rows),
    hessians: new Float64Array(matrix.rows),
  };
  const allRows = Uint32Array.from({ length: matrix.rows }, (_, row) => row);
  const allColumns = Uint32Array.from(binned.bounds.keys()).filter(
    (column) => binned.bounds[column]!.length > 0,
  );
  for (let iteration = 0; iteration < boosting.maxTrees; iteration++) {
    objective.computeDerivatives(scores, derivatives);
    const { drawn, others } = drawRows(allRows, boosting.rowFraction, random);
    const columns = drawColumns(allColumns, boosting.featureFraction, random);
    const { tree, leaves } = grower.grow(derivatives, { ...boosting, rowIndexes: drawn, columns });
    for (const { node, rows } of leaves) addTo(scores, rows, tree.value[node]!);
    addTreeScores(tree, matrix, scores, others);
    const isSingleLeaf = tree.column.length === 1;
    if (!isSingleLeaf || iteration === 0) yield tree;
    if (isSingleLeaf) return;
  }
}

function addTo(scores: Float64Array, rows: Uint32Array, value: number): void {
  for (let index = 0; index < rows.length; index++) scores[rows[index]!]! += value;
}

/** Rows that a tree is grown on, and the others. */
function drawRows(
  rows: Uint32Array,
  fraction: number,
  random: SeededRandom,
): { drawn: Uint32Array; others: Uint32Array } {
  if (fraction === 1) return { drawn: rows, others: new Uint32Array(0) };
  const isDrawn = Uint8Array.from(rows, () => (random.uniform() < fraction ? 1 : 0));
  return {
    drawn: rows.filter((row) => isDrawn[row] === 1),
    others: rows.filter((row) => isDrawn[row] === 0),
  };
}

function drawColumns(columns: Uint32Array, fraction: number, random: SeededRandom): Uint32Array {
  if (fraction === 1) return columns;
  return random
    .shuffle(columns.slice())
    .subarray(0, Math.ceil(columns.length * fraction))
    .sort();
}

/** Follows the validation nDCG tree by tree. */
interface ValidationJudge {
  readonly curve: readonly number[];
  /** True when the last `earlyStoppingRounds` trees brought nothing. */
  isDoneAfter(tree: RegressionTree): boolean;
  /** Trees up to the peak of the smoothed nDCG. */
  bestIteration(): number;
}

function createJudge(
  validation: RankingRows,
  { baseScore, boosting }: { baseScore: number; boosting: BoostingOptions },
): ValidationJudge {
  const ndcg = createGroupedNdcg(validation, boosting.ndcgCutoff);
  if (ndcg.queries === 0) {
    throw new ShortlistError(
      'TRAINING_FAILED',
      `None of ${validation.groupOffsets.length - 1} validation queries has a relevant row: there is nothing to stop by.`,
    );
  }
  const scores = new Float64Array(validation.matrix.rows).fill(baseScore);
  const curve: number[] = [];
  return {
    curve,
    isDoneAfter: (tree) => {
      addTreeScores(tree, validation.matrix, scores);
      curve.push(ndcg.compute(scores));
      const { earlyStoppingRounds } = boosting;
      return earlyStoppingRounds > 0 && curve.length - 1 - findPeak(curve) >= earlyStoppingRounds;
    },
    bestIteration: () => findPeak(curve) + 1,
  };
}

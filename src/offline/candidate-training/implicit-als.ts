import { DEFAULT_MAX_HISTORY, toConfidences, type AlsModel } from '../../candidates/als.js';
import { computeGram, createFactorSolver } from '../../candidates/als-solver.js';
import { ShortlistError } from '../../domain/errors.js';
import type { Histories } from '../../domain/history.js';
import { createSeededRandom } from '../../domain/seeded-random.js';
import { SILENT_PROGRESS, type ProgressReporter } from '../progress.js';
import { countFilledRows, rowOf, toUserRows, transpose, valuesOf, type SparseRows } from './sparse-rows.js';

export interface ImplicitAlsOptions {
  readonly itemCount: number;
  readonly seed: number | string;
  /** Default 64. */
  readonly dimensions?: number;
  /** Passes over users, then items; default 16. */
  readonly epochs?: number;
  /** α0: what a pair that was not observed weighs, where an observed one weighs 1; default 0.1. */
  readonly unobservedWeight?: number;
  /** λ, above 0; default 0.03. */
  readonly regularisation?: number;
  /** ν: how much more often-seen users and items are regularised, 0 to 1; default 1. */
  readonly regularisationExponent?: number;
  /** Only the latest so many items of a history count; default 1,000. */
  readonly maxHistory?: number;
  /** The values of the histories are weights: an entry of the mean weight counts 1; otherwise all count 1. */
  readonly weighted?: boolean;
  readonly progress?: ProgressReporter;
}

/**
 * Trains implicit ALS on binary or weighted interactions: iALS as in "Revisiting the Performance of iALS on Item Recommendation
 * Benchmarks" (Rendle, Krichene, Zhang and Koren, 2021), weights as the confidences of "Collaborative Filtering for
 * Implicit Feedback Datasets" (Hu, Koren and Volinsky, 2008), scaled to a mean of 1. Items that no history holds get the zero vector. The regularisation
 * of an item counts the users that have a history, that of a user all items of the catalogue. The same input gives the
 * same model.
 *
 * @throws ShortlistError TRAINING_FAILED when the options make the problem unsolvable
 */
export function trainImplicitAls(histories: Histories, options: ImplicitAlsOptions): AlsModel {
  const { itemCount, epochs = 16, progress = SILENT_PROGRESS } = options;
  const settings = {
    dimensions: options.dimensions ?? 64,
    unobservedWeight: options.unobservedWeight ?? 0.1,
    regularisation: options.regularisation ?? 0.03,
    regularisationExponent: options.regularisationExponent ?? 1,
    maxHistory: options.maxHistory ?? DEFAULT_MAX_HISTORY,
  };
  const { rows: itemsOfUsers, scale } = toConfidenceRows(histories, {
    ...settings,
    withValues: options.weighted === true,
  });
  const usersOfItems = transpose(itemsOfUsers, itemCount);
  const userCount = itemsOfUsers.offsets.length - 1;
  const activeUsers = countFilledRows(itemsOfUsers);
  const users = new Float32Array(userCount * settings.dimensions);
  const items = drawFactors(itemCount, settings.dimensions, options.seed);

  const step = progress.start('implicit ALS', epochs);
  for (let epoch = 0; epoch < epochs; epoch++) {
    solveRows(itemsOfUsers, users, { ...settings, factors: items, partnerCount: itemCount });
    solveRows(usersOfItems, items, { ...settings, factors: users, partnerCount: activeUsers });
    step.advance();
  }
  step.finish(`${itemCount} items × ${settings.dimensions} dimensions`);

  if (!items.every(Number.isFinite)) {
    throw new ShortlistError(
      'TRAINING_FAILED',
      `implicit ALS gave factors that are not numbers; regularisation is ${settings.regularisation}, set it above 0`,
    );
  }
  return { ...settings, ...scale, factors: items, gram: computeGram(items, settings.dimensions) };
}

/** The users × items matrix with confidences as its values, or binary, and the scale of the confidences. */
function toConfidenceRows(
  histories: Histories,
  options: { maxHistory: number; withValues: boolean },
): { rows: SparseRows; scale: Pick<AlsModel, 'meanWeight'> } {
  const rows = toUserRows(histories, options);
  if (rows.values === undefined) return { rows, scale: {} };
  const total = rows.values.reduce((sum, weight) => sum + Math.max(0, weight), 0);
  // Where nothing has a weight, nothing is to be scaled.
  const scale = { meanWeight: total > 0 ? total / rows.values.length : 1 };
  return { rows: { ...rows, values: toConfidences(rows.values, scale) }, scale };
}

/** Random vectors whose squared length is 0.01 on average, as in the paper's code. */
function drawFactors(rows: number, dimensions: number, seed: number | string): Float32Array {
  const random = createSeededRandom(seed);
  const deviation = 0.1 / Math.sqrt(dimensions);
  return Float32Array.from({ length: rows * dimensions }, () => random.normal() * deviation);
}

/** Half an epoch: solves the vector of every row against the vectors of its columns. */
function solveRows(
  rows: SparseRows,
  target: Float32Array,
  problem: Omit<Parameters<typeof createFactorSolver>[0], 'gram'>,
): void {
  const { dimensions, factors } = problem;
  const solver = createFactorSolver({ ...problem, gram: computeGram(factors, dimensions) });
  for (let row = 0; row + 1 < rows.offsets.length; row++) {
    const into = target.subarray(row * dimensions, (row + 1) * dimensions);
    solver.solve(rowOf(rows, row), into, valuesOf(rows, row));
  }
}

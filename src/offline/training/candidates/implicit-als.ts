import { toConfidences, type AlsModel } from '../../../candidates/als.js';
import { computeGram } from '../../../candidates/als-solver.js';
import { ShortlistError } from '../../../domain/errors.js';
import { DEFAULT_MAX_HISTORY, type Histories } from '../../../domain/history.js';
import { createSeededRandom } from '../../../domain/seeded-random.js';
import { SILENT_PROGRESS, type ProgressReporter } from '../../progress/progress.js';
import { openRowThreads } from './row-threads.js';
import type { FactorProblem } from './solve-rows.js';
import {
  countFilledRows,
  dropEmptyColumns,
  shareRows,
  toUserRows,
  transpose,
  type SparseRows,
} from './sparse-rows.js';

/** Options of `trainImplicitAls`. */
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
  /** Threads that solve side by side; default 1, which is the caller's own. */
  readonly threads?: number;
  readonly progress?: ProgressReporter;
}

/**
 * Trains implicit ALS on binary or weighted interactions: iALS as in "Revisiting the Performance of iALS on Item Recommendation
 * Benchmarks" (Rendle, Krichene, Zhang and Koren, 2021) by the steps of iALS++ (the same, 2021), weights as the confidences of
 * "Collaborative Filtering for Implicit Feedback Datasets" (Hu, Koren and Volinsky, 2008), scaled to a mean of 1. Items that no
 * history holds get the zero vector and count nowhere: however many of them are in the catalogue, the vectors of the others are the same,
 * bit for bit. The regularisation of an item counts the users that have a history, that of a user the items that are in any. The same input gives the same model, bit for bit with any number of threads. The work of an epoch
 * grows with interactions × dimensions + (users + items) × dimensions².
 *
 * @throws ShortlistError TRAINING_FAILED when the options make the problem unsolvable, or a thread fails
 */
export async function trainImplicitAls(histories: Histories, options: ImplicitAlsOptions): Promise<AlsModel> {
  const { itemCount, epochs = 16, progress = SILENT_PROGRESS } = options;
  const settings = {
    dimensions: options.dimensions ?? 64,
    unobservedWeight: options.unobservedWeight ?? 0.1,
    regularisation: options.regularisation ?? 0.03,
    regularisationExponent: options.regularisationExponent ?? 1,
    maxHistory: options.maxHistory ?? DEFAULT_MAX_HISTORY,
  };
  const { rows, scale } = toConfidenceRows(histories, { ...settings, withValues: options.weighted === true });
  const taken = dropEmptyColumns(rows, itemCount);
  const problem = poseProblem(taken.rows, { itemCount: taken.kept.length, seed: options.seed, settings });
  const step = progress.start('implicit ALS', epochs);
  await runEpochs(problem, {
    epochs,
    threads: options.threads ?? 1,
    onEpoch: () => step.advance(),
  });
  step.finish(`${taken.kept.length} items × ${settings.dimensions} dimensions`);

  const factors = problem.items.factors;
  if (!factors.every(Number.isFinite)) {
    throw new ShortlistError(
      'TRAINING_FAILED',
      `implicit ALS gave factors that are not numbers; regularisation is ${settings.regularisation}, set it above 0`,
    );
  }
  return {
    ...settings,
    ...scale,
    partnerCount: taken.kept.length,
    factors: scatterRows(factors, { into: taken.kept, rowCount: itemCount, width: settings.dimensions }),
    gram: computeGram(factors, settings.dimensions),
  };
}

/** The rows at their places in a larger matrix, all else 0: not in shared memory, which ONNX Runtime and others do not take. */
function scatterRows(
  rows: Float32Array,
  { into, rowCount, width }: { into: Int32Array; rowCount: number; width: number },
): Float32Array {
  const all = new Float32Array(rowCount * width);
  into.forEach((to, row) => all.set(rows.subarray(row * width, (row + 1) * width), to * width));
  return all;
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

/** Both sides, in shared memory: random vectors of the items, none yet of the users. */
function poseProblem(
  itemsOfUsers: SparseRows,
  options: { itemCount: number; seed: number | string; settings: FactorProblem['settings'] },
): FactorProblem {
  const { itemCount, seed, settings } = options;
  const { dimensions } = settings;
  const userCount = itemsOfUsers.offsets.length - 1;
  return {
    users: {
      rows: shareRows(itemsOfUsers),
      factors: allocateFactors(userCount, dimensions),
      partnerCount: itemCount,
    },
    items: {
      rows: shareRows(transpose(itemsOfUsers, itemCount)),
      factors: drawFactors(allocateFactors(itemCount, dimensions), { dimensions, seed }),
      partnerCount: countFilledRows(itemsOfUsers),
    },
    settings,
  };
}

function allocateFactors(rows: number, dimensions: number): Float32Array {
  return new Float32Array(new SharedArrayBuffer(4 * rows * dimensions));
}

/** Random vectors whose squared length is 0.01 on average, as in the paper's code. */
function drawFactors(
  into: Float32Array,
  { dimensions, seed }: { dimensions: number; seed: number | string },
): Float32Array {
  const random = createSeededRandom(seed);
  const deviation = 0.1 / Math.sqrt(dimensions);
  for (let entry = 0; entry < into.length; entry++) into[entry] = random.normal() * deviation;
  return into;
}

async function runEpochs(
  problem: FactorProblem,
  options: { epochs: number; threads: number; onEpoch: () => void },
): Promise<void> {
  const { users, items, settings } = problem;
  const threads = openRowThreads(problem, options);
  try {
    for (let epoch = 0; epoch < options.epochs; epoch++) {
      await threads.solve({ side: 'users', gram: computeGram(items.factors, settings.dimensions) });
      await threads.solve({ side: 'items', gram: computeGram(users.factors, settings.dimensions) });
      options.onEpoch();
    }
  } finally {
    await threads.close();
  }
}

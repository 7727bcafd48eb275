import type { TrainingConfig } from '../../../config/training-config.js';
import { ShortlistError } from '../../../domain/errors.js';
import type { BoostingOptions } from './boosting-options.js';

/** The parameters of boosting for one set of training rows: the config's, with what it leaves to the data. */
export interface SettledBoosting extends Pick<
  BoostingOptions,
  | 'maxTrees'
  | 'learningRate'
  | 'maxLeaves'
  | 'minRowsPerLeaf'
  | 'l2'
  | 'featureFraction'
  | 'earlyStoppingRounds'
> {
  /** Milliseconds that a tree adds to a request, as reckoned. */
  readonly msPerTree: number;
}

/**
 * Nanoseconds that a leaf costs a candidate: the compiled trees compute every leaf (docs/adr/0016-trees-in-webassembly.md). 177 trees of 15 leaves take
 * 0.14 ms for 300 candidates, 100 trees of 64 leaves 0.15 to 0.33 ms for 200 (docs/performance.md).
 */
const NANOSECONDS_PER_LEAF = 0.18;

/** The learning rate of `auto` up to so many training queries; it grows with the root of their number. */
const LEAST_RATE = 0.05;
const MOST_RATE = 0.2;
const QUERIES_OF_LEAST_RATE = 10_000;

/**
 * Settles what the config leaves to the data. The learning rate `auto` is 0.05 up to 10,000 training queries and grows with the root of their number to
 * 0.2: more queries bear larger steps, and a larger step needs fewer trees to learn as much. A budget keeps as many trees as fit in it.
 * @param options.queries that are trained on
 * @param options.candidates that a request ranks at most
 * @throws ShortlistError INVALID_CONFIG when not one tree fits in the budget
 */
export function settleBoosting(
  ranker: TrainingConfig['ranker'],
  { queries, candidates }: { queries: number; candidates: number },
): SettledBoosting {
  const { maxTrees, learningRate, budgetMs, maxLeaves, minRowsPerLeaf, l2, featureFraction } = ranker;
  const { earlyStoppingRounds } = ranker;
  const msPerTree = (NANOSECONDS_PER_LEAF * maxLeaves * candidates) / 1e6;
  const affordable = budgetMs === undefined ? maxTrees : Math.floor(budgetMs / msPerTree);
  if (affordable < 1) {
    throw new ShortlistError(
      'INVALID_CONFIG',
      `ranker.budgetMs is ${budgetMs}, and one tree of ${maxLeaves} leaves takes ${msPerTree.toPrecision(2)} ms for ${candidates} candidates: ` +
        'raise it in configs/training.yaml, or lower ranker.maxLeaves there or maxCandidates of the scenario.',
    );
  }
  return {
    maxTrees: Math.min(maxTrees, affordable),
    learningRate: learningRate === 'auto' ? rateFor(queries) : learningRate,
    maxLeaves,
    minRowsPerLeaf,
    l2,
    featureFraction,
    earlyStoppingRounds,
    msPerTree,
  };
}

function rateFor(queries: number): number {
  const rate = LEAST_RATE * Math.sqrt(Math.max(1, queries / QUERIES_OF_LEAST_RATE));
  return Number(Math.min(MOST_RATE, rate).toPrecision(2));
}

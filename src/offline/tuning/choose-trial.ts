import type { Trial } from './trial-log.js';

/** How much more one set of figures is worth than another on the same queries. */
export interface PairedGain {
  readonly difference: number;
  /** Of the difference, over users: what one of them asks in several weeks is not independent. */
  readonly standardError: number;
}

/**
 * The mean difference of paired figures and its standard error, queries clustered by user (Liang and Zeger, 1986).
 * @param options.users who asked, per query; at least two different ones
 */
export function estimateGain(
  figures: ArrayLike<number>,
  base: ArrayLike<number>,
  options: { users: readonly number[] },
): PairedGain {
  const differences = Array.from(figures, (figure, query) => figure - base[query]!);
  const difference = differences.reduce((sum, each) => sum + each, 0) / differences.length;
  const deviations = new Map<number, number>();
  options.users.forEach((user, query) => {
    deviations.set(user, (deviations.get(user) ?? 0) + differences[query]! - difference);
  });
  const squares = [...deviations.values()].reduce((sum, deviation) => sum + deviation ** 2, 0);
  const users = deviations.size;
  return {
    difference,
    standardError: Math.sqrt((squares * users) / (users - 1)) / differences.length,
  };
}

/**
 * How many standard errors a trial must be above the config to count: √(2 ln n), which the best of n trials that are worth the same as
 * the config is not expected to reach by chance; 1 at least.
 *
 * @param trials all that were made, that of the config among them
 */
export function countErrorsNeeded(trials: number): number {
  return Math.max(1, Math.sqrt(2 * Math.log(Math.max(1, trials - 1))));
}

/** The best of the trials that are above the config, trial 0, by more than chance would make of so many; else trial 0. */
export function chooseTrial(trials: readonly Trial[]): Trial {
  const needed = countErrorsNeeded(trials.length);
  return findBest(
    trials.filter(
      ({ trial, difference, standardError }) => trial === 0 || difference > needed * standardError,
    ),
  );
}

/** The trial with the highest nDCG, the first of equals. */
export function findBest(trials: readonly Trial[]): Trial {
  return trials.reduce((best, trial) => (trial.ndcg > best.ndcg ? trial : best));
}

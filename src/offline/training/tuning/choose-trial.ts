import type { Trial } from './trial-log.js';

/** The lead of one set of figures over another on the same queries. */
export interface PairedGain {
  readonly difference: number;
  /** Of the difference: that over users or that over rankers, whichever is larger. */
  readonly standardError: number;
}

/**
 * The mean difference of paired figures and its standard error, queries clustered (Liang and Zeger, 1986) by who asked, as what one user
 * asks in several weeks is not independent, and by the ranker that answered: one that stopped too early, by chance, is
 * worse for everybody it answers, which users alone do not show.
 *
 * @param options.users who asked, per query; at least two different ones
 * @param options.rankers which of several rankers answered, per query; at least two different ones
 */
export function estimateGain(
  figures: ArrayLike<number>,
  base: ArrayLike<number>,
  options: { users: readonly number[]; rankers: readonly number[] },
): PairedGain {
  const differences = Array.from(figures, (figure, query) => figure - base[query]!);
  const difference = differences.reduce((sum, each) => sum + each, 0) / differences.length;
  const deviations = differences.map((each) => each - difference);
  const errors = [options.users, options.rankers].map((clusters) => clusteredError(deviations, clusters));
  return { difference, standardError: Math.max(...errors) };
}

function clusteredError(deviations: readonly number[], clusters: readonly number[]): number {
  const sums = new Map<number, number>();
  clusters.forEach((cluster, query) => {
    sums.set(cluster, (sums.get(cluster) ?? 0) + deviations[query]!);
  });
  const squares = [...sums.values()].reduce((sum, each) => sum + each ** 2, 0);
  return Math.sqrt((squares * sums.size) / (sums.size - 1)) / deviations.length;
}

/**
 * Number of standard errors that a trial must be above the config to count: √(2 ln n), which the best of n
 * trials that are worth the same as the config is not expected to reach by chance; 1 at least.
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

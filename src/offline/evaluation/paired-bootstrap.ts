import { createSeededRandom } from '../../domain/seeded-random.js';

/** A difference of means with its interval. */
export interface PairedDifference {
  readonly difference: number;
  readonly low: number;
  readonly high: number;
  /** Share of the intervals made this way that hold the true difference. */
  readonly confidence: number;
  readonly samples: number;
}

/**
 * How much better `a` is than `b` on the same queries: the mean difference and its percentile interval over queries
 * drawn again with replacement (Efron and Tibshirani, 1993, chapter 13).
 *
 * @param a one figure per query
 * @param b the figures of the same queries, in the same order
 * @throws RangeError when there are no queries, or the two differ in number.
 */
export function pairedBootstrap(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: { samples?: number | undefined; seed: number; confidence?: number | undefined },
): PairedDifference {
  const { samples = 1000, seed, confidence = 0.95 } = options;
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(`cannot pair ${a.length} queries with ${b.length}`);
  }
  const differences = Float64Array.from(a, (value, query) => value - b[query]!);
  const means = resampleMeans(differences, { samples, seed }).sort();
  return {
    difference: differences.reduce((sum, value) => sum + value, 0) / differences.length,
    low: quantile(means, (1 - confidence) / 2),
    high: quantile(means, (1 + confidence) / 2),
    confidence,
    samples,
  };
}

function resampleMeans(values: Float64Array, options: { samples: number; seed: number }): Float64Array {
  const random = createSeededRandom(options.seed);
  const means = new Float64Array(options.samples);
  for (let sample = 0; sample < means.length; sample++) {
    let sum = 0;
    for (let draw = 0; draw < values.length; draw++) sum += values[random.integer(values.length)]!;
    means[sample] = sum / values.length;
  }
  return means;
}

/** Linear between the two nearest of sorted values. */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (position - Math.floor(position)) * (above - below);
}

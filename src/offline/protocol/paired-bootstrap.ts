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
 * The lead of `a` over `b` on the same queries: the mean difference and its percentile interval over users
 * drawn again with replacement, each with all of its queries (Efron and Tibshirani, 1993, chapter 13): what
 * one user asks in several weeks is not independent.
 * @param a one figure per query
 * @param b the figures of the same queries, in the same order
 * @param options.users who asked, per query; by default each query is somebody else's
 * @throws RangeError when there are no queries, or the two differ in number.
 */
export function pairedBootstrap(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: {
    samples?: number | undefined;
    seed: number;
    confidence?: number | undefined;
    users?: ArrayLike<number> | undefined;
  },
): PairedDifference {
  const { samples = 1000, seed, confidence = 0.95, users } = options;
  const differences = pairDifferences(a, b);
  const means = resampleMeans(sumByUser(differences, users), { samples, seed }).sort();
  return {
    difference: meanOf(differences),
    low: quantile(means, (1 - confidence) / 2),
    high: quantile(means, (1 + confidence) / 2),
    confidence,
    samples,
  };
}

/**
 * The probability that chance alone tells `a` and `b` apart as far as they are, if they were worth the same:
 * the two-sided randomisation test of Fisher, which swaps the two for each user by the toss of a coin
 * (Smucker, Allan and Carterette, 2007). The p-value is never 0, as the case at hand counts among the tosses.
 * @param options as of pairedBootstrap; 10,000 tosses by default
 * @throws RangeError as pairedBootstrap
 */
export function randomisationTest(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  options: { samples?: number | undefined; seed: number; users?: ArrayLike<number> | undefined },
): number {
  const { samples = 10_000, seed, users } = options;
  const { sums } = sumByUser(pairDifferences(a, b), users);
  const random = createSeededRandom(seed);
  // A hair below, because sums in another order round otherwise.
  const found = Math.abs(sums.reduce((total, sum) => total + sum, 0)) * (1 - 1e-12);
  let asFar = 0;
  for (let sample = 0; sample < samples; sample++) {
    let total = 0;
    for (const sum of sums) total += random.uniform() < 0.5 ? sum : -sum;
    if (Math.abs(total) >= found) asFar++;
  }
  return (asFar + 1) / (samples + 1);
}

/** Differences added up by user, users in the order of their first query. */
interface UserSums {
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

function pairDifferences(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  if (a.length !== b.length || a.length === 0) {
    throw new RangeError(`cannot pair ${a.length} queries with ${b.length}`);
  }
  return Float64Array.from(a, (value, query) => value - b[query]!);
}

function sumByUser(differences: Float64Array, users: ArrayLike<number> | undefined): UserSums {
  const places = new Map<number, number>();
  const placeOf = (query: number): number => {
    const user = users?.[query] ?? query;
    if (!places.has(user)) places.set(user, places.size);
    return places.get(user)!;
  };
  const placed = differences.map((_, query) => placeOf(query));
  const sums = new Float64Array(places.size);
  const counts = new Float64Array(places.size);
  differences.forEach((difference, query) => {
    sums[placed[query]!]! += difference;
    counts[placed[query]!]!++;
  });
  return { sums, counts };
}

function resampleMeans({ sums, counts }: UserSums, options: { samples: number; seed: number }): Float64Array {
  const random = createSeededRandom(options.seed);
  const means = new Float64Array(options.samples);
  for (let sample = 0; sample < means.length; sample++) {
    let sum = 0;
    let queries = 0;
    for (let draw = 0; draw < sums.length; draw++) {
      const user = random.integer(sums.length);
      sum += sums[user]!;
      queries += counts[user]!;
    }
    means[sample] = sum / queries;
  }
  return means;
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Linear between the two nearest of sorted values. */
function quantile(sorted: Float64Array, share: number): number {
  const position = share * (sorted.length - 1);
  const below = sorted[Math.floor(position)]!;
  const above = sorted[Math.ceil(position)]!;
  return below + (position - Math.floor(position)) * (above - below);
}

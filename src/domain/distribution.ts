/** A distribution of numbers as shares of bins; a bin reaches from above its lower bound to its upper one. */
export interface Distribution {
  /** Where bins meet, ascending, one fewer than bins. */
  readonly bounds: readonly number[];
  /** Of each bin; they add up to 1. */
  readonly shares: readonly number[];
}

/** Bins that hold about as many values each, fewer than asked for where values repeat, and the shares of the values in them. */
export function fitDistribution(values: Float32Array, bins: number): Distribution {
  const sorted = values.toSorted();
  const quantiles = Array.from(
    { length: bins - 1 },
    (_, index) => sorted[Math.floor(((index + 1) * sorted.length) / bins)]!,
  );
  // What lies at the largest value has nothing above it.
  const bounds = [...new Set(quantiles)].filter((bound) => bound < sorted.at(-1)!);
  const counts = new Float64Array(bounds.length + 1);
  for (const value of values) counts[binOf(value, bounds)]!++;
  return { bounds, shares: Array.from(counts, (count) => count / values.length) };
}

/** The bin of a value. */
export function binOf(value: number, bounds: readonly number[]): number {
  let bin = 0;
  while (bin < bounds.length && value > bounds[bin]!) bin++;
  return bin;
}

/**
 * The Population Stability Index, Σ (q − p) · ln(q / p), of counts against expected shares: 0 for the same distribution, by custom
 * above 0.1 worth a look and above 0.25 another population. Empty bins count as half an observation, so it is finite.
 */
export function stabilityIndex(expected: readonly number[], counts: ArrayLike<number>): number {
  const bins = expected.length;
  const total = Array.from(counts).reduce((sum, count) => sum + count, 0);
  const smooth = (count: number): number => (count + 0.5) / (total + 0.5 * bins);
  return expected.reduce((index, share, bin) => {
    const p = smooth(share * total);
    const q = smooth(counts[bin]!);
    return index + (q - p) * Math.log(q / p);
  }, 0);
}

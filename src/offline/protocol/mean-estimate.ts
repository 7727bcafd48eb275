/** A mean over queries and its standard error (0 for a single query). */
export interface Estimate {
  readonly mean: number;
  readonly standardError: number;
}

/** The mean of values and its standard error: sample deviation over √n, 0 for a single value. */
export function estimateMean(values: ArrayLike<number>): Estimate {
  const count = values.length;
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / count;
  const squares = list.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, standardError: count === 1 ? 0 : Math.sqrt(squares / (count - 1) / count) };
}

/** Bounds of the delays between attempts. */
export interface RetryPace {
  readonly firstMs: number;
  /** Where the doubling ends. */
  readonly longestMs: number;
}

/**
 * Half to all of a delay that doubles with each attempt, so that what failed together does not try again together.
 * @param attempt 1 for the first one that failed
 * @param random from 0 to below 1
 */
export function retryDelay(attempt: number, { firstMs, longestMs }: RetryPace, random = Math.random): number {
  return Math.min(longestMs, firstMs * 2 ** Math.min(attempt - 1, 30)) * (0.5 + random() / 2);
}

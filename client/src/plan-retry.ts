import { ShortlistProblem } from './shortlist-problem.js';
import { ShortlistUnreachable } from './shortlist-unreachable.js';

const FIRST_SPREAD_MS = 100;
const LONGEST_SPREAD_MS = 2000;

/**
 * Milliseconds to wait before a failed request is tried again; undefined for a failure that trying again does not cure. Only a 503 that
 * says when to come back and a failed connection are tried again: never before that time, and spread over as much as 100 ms, 200 ms,
 * 400 ms and so on to 2 s ("full jitter", Brooker 2015), so that clients which failed together do not come back together.
 *
 * @param retry how many retries there were before, from 0
 * @param random uniform in [0, 1)
 */
export function planRetry(failure: unknown, retry: number, random: () => number): number | undefined {
  const earliestMs = findEarliestMs(failure);
  if (earliestMs === undefined) return undefined;
  return earliestMs + random() * Math.min(LONGEST_SPREAD_MS, FIRST_SPREAD_MS * 2 ** retry);
}

function findEarliestMs(failure: unknown): number | undefined {
  if (failure instanceof ShortlistUnreachable) return failure.reason === 'connection' ? 0 : undefined;
  if (!(failure instanceof ShortlistProblem) || failure.status !== 503) return undefined;
  return failure.retryAfterSeconds === undefined ? undefined : failure.retryAfterSeconds * 1000;
}

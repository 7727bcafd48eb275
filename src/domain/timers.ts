/** The longest that Node can wait: a timer for more fires at once, and again at once when it is set anew. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds that a timer can be set for: from 1 to 24.8 days. */
export function timerMs(milliseconds: number): number {
  return Math.min(LONGEST_TIMER_MS, Math.max(1, milliseconds));
}

/**
 * Milliseconds of a clock that nobody sets and that all threads of the process share. (`performance.now()` starts anew in each
 * thread, and the wall clock may be set.)
 */
export function monotonicNow(): number {
  return START_MS + performance.now();
}

const START_MS = Number(process.hrtime.bigint()) / 1e6 - performance.now();

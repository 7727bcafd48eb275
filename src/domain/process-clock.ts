/**
 * Milliseconds on a clock that nobody sets, the same in every thread of this process. (`performance.now` counts from the start of its own
 * thread; the wall clock jumps when it is set.)
 */
export function processClock(): number {
  return START_MS + performance.now();
}

/** When this thread started, on the clock that all threads share. */
const START_MS = readStart();

function readStart(): number {
  // Node makes `performance` when it is first read, which takes over a millisecond: it must not fall between the two readings.
  performance.now();
  return Number(process.hrtime.bigint()) / 1e6 - performance.now();
}

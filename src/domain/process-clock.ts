/**
 * Milliseconds on a clock that nobody sets, the same in every thread of this process. (`performance.now` counts from the start of its own
 * thread; the wall clock jumps when it is set.)
 */
export function processClock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

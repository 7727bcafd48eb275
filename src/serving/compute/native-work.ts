import type { Ranker } from '../../ranking/ranker.js';

/**
 * What is under way in the threads of this process that may be inside of ONNX Runtime, one counter per thread. Node cannot end
 * a thread in there: `process.exit` waits for it, and then the process aborts.
 */
const counters = new Set<Int32Array>();

/** Counts the work of a thread, which is opening; `end` says that there is no such thread any more. */
export function trackNativeWork(): { counter: Int32Array; end: () => void } {
  const counter = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  beginWork(counter);
  counters.add(counter);
  return { counter, end: () => counters.delete(counter) };
}

/** Counts before the thread is told what to do, so that no moment is missed. */
export function beginWork(counter: Int32Array): void {
  Atomics.add(counter, 0, 1);
}

/** Counts that a work of the thread ended. */
export function endWork(counter: Int32Array): void {
  Atomics.sub(counter, 0, 1);
  Atomics.notify(counter, 0);
}

/** The same ranker with each run counted: one may outlast the batch that set it going. */
export function countRuns(ranker: Ranker, counter: Int32Array): Ranker {
  return {
    ...ranker,
    rank: async (matrix) => {
      beginWork(counter);
      try {
        return await ranker.rank(matrix);
      } finally {
        endWork(counter);
      }
    },
  };
}

/** Waits, blocking this thread, until all work is done; false when the time is over before. */
export function waitForNativeWork(timeoutMs: number): boolean {
  const deadline = performance.now() + timeoutMs;
  return [...counters].every((counter) => waitForNone(counter, deadline));
}

function waitForNone(counter: Int32Array, deadline: number): boolean {
  for (;;) {
    const count = Atomics.load(counter, 0);
    const remainingMs = deadline - performance.now();
    if (count === 0) return true;
    if (remainingMs <= 0) return false;
    Atomics.wait(counter, 0, count, remainingMs);
  }
}

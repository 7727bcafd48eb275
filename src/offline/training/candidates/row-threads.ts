import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ShortlistError } from '../../../domain/errors.js';
import { solveRows, type FactorProblem, type HalfEpoch } from './solve-rows.js';

/** The task of a thread: all of it in shared memory. */
export interface RowSolvingTask {
  readonly problem: FactorProblem;
  readonly cursor: Int32Array;
}

/** Those who solve the rows of an iALS problem, in place. */
export interface RowThreads {
  /** @throws ShortlistError TRAINING_FAILED when a thread fails */
  solve(half: HalfEpoch): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts threads that solve the rows of one problem, side by side; with `threads` 1 the caller solves them. The vectors are the same
 * bit for bit with any number of threads. With more than one, everything in `problem` must lie in shared memory.
 */
export function openRowThreads(problem: FactorProblem, options: { threads: number }): RowThreads {
  const cursor = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const task: RowSolvingTask = { problem, cursor };
  const count = options.threads === 1 ? 0 : options.threads;
  const workers = Array.from({ length: count }, () => startWorker(task));
  return {
    solve: async (half) => {
      cursor[0] = 0;
      if (workers.length === 0) solveRows(problem, half, cursor);
      await Promise.all(workers.map((worker) => askToSolve(worker, half)));
    },
    close: async () => {
      await Promise.all(workers.map((worker) => worker.terminate()));
    },
  };
}

function startWorker(workerData: RowSolvingTask): Worker {
  return new Worker(new URL('./row-solving-worker.js', import.meta.url), { workerData });
}

async function askToSolve(worker: Worker, half: HalfEpoch): Promise<void> {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  worker.postMessage(half);
  try {
    await once(worker, 'message');
  } catch (error) {
    throw new ShortlistError(
      'TRAINING_FAILED',
      `A thread of implicit ALS failed: ${(error as Error).message}`,
      {
        cause: error,
      },
    );
  }
}

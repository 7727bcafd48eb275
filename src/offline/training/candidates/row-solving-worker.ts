import { parentPort, workerData } from 'node:worker_threads';
import type { RowSolvingTask } from './row-threads.js';
import { solveRows, type HalfEpoch } from './solve-rows.js';

// The program of the threads that `openRowThreads` starts: for each half epoch it helps to solve the rows, and says so.
const { problem, cursor } = workerData as RowSolvingTask;
parentPort!.on('message', (half: HalfEpoch) => {
  solveRows(problem, half, cursor);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  parentPort!.postMessage('done');
});

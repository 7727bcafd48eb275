import { parentPort, workerData } from 'node:worker_threads';
import { packError } from '../domain/packed-error.js';
import { type LoadReply, type LoadRequest, readVerifiedTable } from './load-feature-table.js';

// The program of the thread that `loadFeatureTable` starts: it reads one table, answers, and ends.
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
parentPort!.postMessage(await read());

async function read(): Promise<LoadReply> {
  try {
    const { entities, parts } = await readVerifiedTable(workerData as LoadRequest);
    return { ids: entities.table, parts };
  } catch (error) {
    return { error: packError(error) };
  }
}

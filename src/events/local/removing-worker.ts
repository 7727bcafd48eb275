import { parentPort, workerData } from 'node:worker_threads';
import { type PackedError, packError } from '../../domain/packed-error.js';
import { openEventsFile } from './open-events-file.js';
import { type EventsToRemove, removeUserEvents } from './remove-user-events.js';
import { meetStorageFault, type StorageFault } from './storage-fault.js';

/** What a removing thread is started with. */
export interface RemovingThreadData {
  readonly folder: string;
  readonly events: EventsToRemove;
}

/** What it says, once. */
export type RemovingReply =
  { readonly removed: number } | { readonly fault: StorageFault } | { readonly failed: PackedError };

/** Processes that write take turns of milliseconds; nobody waits for this. */
const PATIENCE_MS = 30_000;

// The program of a thread that removes the events of a user, and ends.
const { folder, events } = workerData as RemovingThreadData;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
parentPort!.postMessage(remove());

function remove(): RemovingReply {
  try {
    return meetStorageFault(
      () => {
        const file = openEventsFile(folder, { create: false, busyMs: PATIENCE_MS });
        try {
          return { removed: removeUserEvents(file.database, events) };
        } finally {
          file.close();
        }
      },
      (fault) => ({ fault }),
    );
  } catch (error) {
    return { failed: packError(error) };
  }
}

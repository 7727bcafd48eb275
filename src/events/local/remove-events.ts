import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { unpackError } from '../../domain/packed-error.js';
import { EVENTS_FILE } from './events-folder.js';
import type { EventsToRemove } from './remove-user-events.js';
import type { RemovingReply, RemovingThreadData } from './removing-worker.js';
import { StorageError } from './storage-fault.js';

/**
 * Removes events of a user from the file of a folder, in a thread of its own, whether or not a server takes events now. A folder without a file has none.
 * @returns how many
 * @throws StorageError when the file cannot be used
 */
export async function removeEvents(folder: string, events: EventsToRemove): Promise<number> {
  if (!existsSync(join(folder, EVENTS_FILE))) return 0;
  const workerData: RemovingThreadData = { folder, events };
  const reply = await new Promise<RemovingReply>((resolve, reject) => {
    const worker = new Worker(new URL('./removing-worker.js', import.meta.url), { workerData });
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.once('exit', () => reject(new Error('The thread that removes events ended by itself.')));
  });
  if ('failed' in reply) throw unpackError(reply.failed);
  if ('fault' in reply) throw new StorageError(reply.fault.kind, reply.fault.reason);
  return reply.removed;
}

import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type PackedError, unpackError } from '../domain/packed-error.js';
import type { FeatureLoad, FeatureObserver } from '../features/feature-observer.js';
import { type BundleContents, type PackedContents, unpackContents } from '../pipeline/read-bundle.js';
import { type ContentsRequest, readContents } from '../pipeline/read-contents.js';

/** What a reading thread is started with. */
export interface ContentsTask {
  readonly request: ContentsRequest;
  /** Whether requests are answered meanwhile, which go first. */
  readonly beside: boolean;
}

/** What it answers: memory that threads share, or why there is none. */
export type ContentsReply =
  | { readonly contents: PackedContents; readonly loads: readonly FeatureLoad[] }
  | { readonly refused: PackedError };

/** A bundle of this size is read in 20 to 50 ms, in pieces; a thread takes about 80 ms to start. */
const INLINE_BYTES = 4 * 1024 * 1024;

/**
 * Reads a bundle as `readContents` does: one of more than 4 MiB in a thread of its own, which lets others go first where it
 * reads beside requests.
 */
export async function readContentsInThread(
  task: ContentsTask,
  observer?: FeatureObserver,
): Promise<BundleContents> {
  if ((await measureFolder(task.request.folder)) <= INLINE_BYTES) return readContents(task.request, observer);
  const worker = new Worker(new URL('./contents-worker.js', import.meta.url), { workerData: task });
  const [reply] = (await once(worker, 'message')) as [ContentsReply];
  if ('refused' in reply) throw unpackError(reply.refused);
  for (const load of reply.loads) observer?.loaded(load);
  return unpackContents(reply.contents);
}

async function measureFolder(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(entries.map(async (entry) => (await stat(join(folder, entry))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type ListedFile, openVerifiedFile } from '../bundle/verified-file.js';
import { IdIndex } from '../domain/id-index.js';
import type { IdTable } from '../domain/id-table.js';
import { type PackedError, unpackError } from '../domain/packed-error.js';
import { FeatureTable, type TableParts } from './feature-table.js';
import type { FeatureView } from './feature-view.js';
import { readFeatureTable } from './read-feature-table.js';

/** The task of a loading thread. */
export interface LoadRequest {
  readonly file: ListedFile;
  readonly view: FeatureView;
  /** Unix seconds of every row of a view without an event time. */
  readonly knownUntil: number;
}

/** The answer of a loading thread: the table as memory that both threads share, or the error. */
export type LoadReply =
  { readonly ids: IdTable; readonly parts: TableParts } | { readonly error: PackedError };

/** A file of this size takes about 20 ms to read, in pieces; a thread takes about 80 ms to start. */
const INLINE_BYTES = 4 * 1024 * 1024;

/**
 * Reads a feature view from the file of a bundle as `readFeatureTable` does and verifies the file meanwhile. A file of
 * more than 4 MiB is read in a thread of its own, so that other work of the process goes on. No more of the file is in
 * memory at a time than a row group.
 * @throws ShortlistError INVALID_BUNDLE as readFeatureTable does, or when it is not the file that the manifest lists
 */
export async function loadFeatureTable(request: LoadRequest): Promise<FeatureTable> {
  if (request.file.sizeBytes <= INLINE_BYTES) return readVerifiedTable(request);
  const reply = await readInThread(request);
  if ('error' in reply) throw unpackError(reply.error);
  return new FeatureTable(request.view, new IdIndex(reply.ids), reply.parts);
}

/** The same in this thread. */
export async function readVerifiedTable({ file, view, knownUntil }: LoadRequest): Promise<FeatureTable> {
  const source = await openVerifiedFile(file);
  try {
    return await readFeatureTable(source, view, { file: file.name, knownUntil });
  } finally {
    // Bytes that are not what the manifest lists read as anything: that they have changed is all there is to say.
    await source.verify();
  }
}

/** The thread ends by itself once it has answered; what it throws, it throws here. */
async function readInThread(workerData: LoadRequest): Promise<LoadReply> {
  const worker = new Worker(new URL('./feature-table-worker.js', import.meta.url), {
    workerData,
    // Nearly all it makes is garbage at once: a million rows × 32 fields peak a fifteenth lower than with Node's 48 MB.
    resourceLimits: { maxYoungGenerationSizeMb: 8 },
  });
  const [reply] = (await once(worker, 'message')) as [LoadReply];
  return reply;
}

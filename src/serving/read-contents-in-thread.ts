import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type {
  SourceAccess,
  SourceExcess,
  SourceObserver,
  SourcePolicy,
  SourceRead,
  SourceRetry,
} from '../domain/source-access.js';
import { type PackedError, unpackError } from '../domain/packed-error.js';
import type { FeatureLoad, FeatureObserver } from '../features/feature-observer.js';
import { type BundleContents, type PackedContents, unpackContents } from '../pipeline/read-bundle.js';
import { type ContentsRequest, readContents } from '../pipeline/read-contents.js';

/** What a reading thread is started with. */
export interface ContentsTask {
  readonly request: ContentsRequest;
  /** Whether requests are answered meanwhile, which go first. */
  readonly beside: boolean;
  /** How files are read; as by default when not said. */
  readonly policy?: SourcePolicy | undefined;
}

/** What it answers: memory that threads share, or why there is none. */
export type ContentsReply = (
  | { readonly contents: PackedContents; readonly loads: readonly FeatureLoad[] }
  | { readonly refused: PackedError }
) & { readonly told: ToldOfSources };

/** What became of the files. */
export interface ToldOfSources {
  readonly retries: (Omit<SourceRetry, 'error'> & { readonly error: PackedError })[];
  readonly reads: SourceRead[];
  readonly excesses: SourceExcess[];
}

/** A bundle of this size is read in 20 to 50 ms, in pieces; a thread takes about 80 ms to start. */
const INLINE_BYTES = 4 * 1024 * 1024;

/**
 * Reads a bundle as `readContents` does: one of more than 4 MiB in a thread of its own, which lets others go first where it
 * reads beside requests.
 */
export async function readContentsInThread(
  task: ContentsTask,
  observer?: FeatureObserver,
  access?: SourceAccess,
): Promise<BundleContents> {
  if ((await measureFolder(task.request.folder)) <= INLINE_BYTES)
    return readContents(task.request, observer, access);
  const worker = new Worker(new URL('./contents-worker.js', import.meta.url), {
    workerData: { ...task, policy: access?.policy },
  });
  const [reply] = (await once(worker, 'message')) as [ContentsReply];
  tellAgain(reply.told, access?.observer);
  if ('refused' in reply) throw unpackError(reply.refused);
  for (const load of reply.loads) observer?.loaded(load);
  return unpackContents(reply.contents);
}

function tellAgain({ retries, reads, excesses }: ToldOfSources, observer: SourceObserver | undefined): void {
  for (const retry of retries) observer?.retried({ ...retry, error: unpackError(retry.error) });
  for (const read of reads) observer?.read(read);
  for (const excess of excesses) observer?.exceeded(excess);
}

async function measureFolder(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(entries.map(async (entry) => (await stat(join(folder, entry))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

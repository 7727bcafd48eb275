import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ShortlistError } from '../../domain/errors.js';
import type {
  DependencyAccess,
  DependencyExcess,
  DependencyObserver,
  DependencyPolicy,
  DependencyRead,
  DependencyRetry,
} from '../../domain/dependency-access.js';
import { type PackedError, unpackError } from '../../domain/packed-error.js';
import type { FeatureLoad, FeatureObserver } from '../../features/feature-observer.js';
import { type BundleContents, type PackedContents, unpackContents } from '../../engine/read-bundle.js';
import { type ContentsRequest, readContents } from '../../engine/read-contents.js';
import type { TrialOptions } from './rehearse-bundle.js';

/** What is to be read. */
export interface ReadingTask {
  readonly request: ContentsRequest;
  /** Whether requests are answered meanwhile, which go first. */
  readonly beside: boolean;
}

/** What a reading thread is started with. It gives up its trial when it is sent anything. */
export interface ContentsTask extends ReadingTask {
  /** The bundle is tried before it is read, by a process that may be silent for so long; it is not when absent. */
  readonly trialSilenceMs?: number | undefined;
  /** How files are read; as by default when not said. */
  readonly policy?: DependencyPolicy | undefined;
}

/** What it answers: memory that threads share, or why there is none. */
export type ContentsReply = (
  | { readonly contents: PackedContents; readonly loads: readonly FeatureLoad[] }
  | { readonly refused: PackedError }
) & { readonly told: ToldOfSources };

/** What became of the files. */
export interface ToldOfSources {
  readonly retries: (Omit<DependencyRetry, 'error'> & { readonly error: PackedError })[];
  readonly reads: DependencyRead[];
  readonly excesses: DependencyExcess[];
}

/** A bundle of this size is read in 20 to 50 ms, in pieces; a thread takes about 80 ms to start. */
const INLINE_BYTES = 4 * 1024 * 1024;

/**
 * Reads a bundle as `readContents` does: one of more than 4 MiB in a thread of its own, which lets others go first where it
 * reads beside requests. Where it is to be tried before, that thread has it tried: to start a process copies the page tables of this
 * one, which takes 40 ms for a gigabyte, and whoever starts it waits.
 * @throws ShortlistError as `readContents` and `tryBundle` do; AbortError
 */
export async function readContentsInThread(
  { trial, ...task }: ReadingTask & { trial?: TrialOptions | undefined },
  observer?: FeatureObserver,
  access?: DependencyAccess,
): Promise<BundleContents> {
  trial?.signal.throwIfAborted();
  if (trial === undefined && (await measureFolder(task.request.folder)) <= INLINE_BYTES)
    return readContents(task.request, observer, access);
  const workerData: ContentsTask = { ...task, trialSilenceMs: trial?.silenceMs, policy: access?.policy };
  const worker = new Worker(new URL('./contents-worker.js', import.meta.url), { workerData });
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  const giveUp = (): void => worker.postMessage('give up');
  trial?.signal.addEventListener('abort', giveUp, { once: true });
  const reply = await hear(worker).finally(() => trial?.signal.removeEventListener('abort', giveUp));
  tellAgain(reply.told, access?.observer);
  if ('refused' in reply) throw unpackError(reply.refused);
  for (const load of reply.loads) observer?.loaded(load);
  return unpackContents(reply.contents);
}

/** @throws Error when the thread fails, or ends without a word: a wait for its answer would never end */
async function hear(worker: Worker): Promise<ContentsReply> {
  const over = new AbortController();
  const ended = once(worker, 'exit', { signal: over.signal }).then(() => {
    throw new ShortlistError('COMPUTE_FAILED', 'The thread that read the bundle ended without an answer.');
  });
  try {
    const [reply] = (await Promise.race([once(worker, 'message', { signal: over.signal }), ended])) as [
      ContentsReply,
    ];
    return reply;
  } finally {
    over.abort();
    ended.catch(() => undefined);
  }
}

function tellAgain(
  { retries, reads, excesses }: ToldOfSources,
  observer: DependencyObserver | undefined,
): void {
  for (const retry of retries) observer?.retried({ ...retry, error: unpackError(retry.error) });
  for (const read of reads) observer?.read(read);
  for (const excess of excesses) observer?.exceeded(excess);
}

async function measureFolder(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(entries.map(async (entry) => (await stat(join(folder, entry))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

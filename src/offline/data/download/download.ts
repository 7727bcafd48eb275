import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createFolderStore } from '../../../bundle/folder-store.js';
import { withLock } from '../../../bundle/with-lock.js';
import { ShortlistError } from '../../../domain/errors.js';
import { atPath } from '../../../domain/system-failure.js';
import { PASSING_STATUSES, type DependencyAccess, DependencyTimeout } from '../../../domain/dependency-access.js';
import { extractArchive } from './extract-archive.js';
import type { ProgressReporter, ProgressStep } from '../../progress/progress.js';
import { replaceFolder } from '../replace-folder.js';

/** An archive that a dataset config names. */
export interface ArchiveSource {
  readonly url: string;
  /** Of the archive, in hex. */
  readonly sha256: string;
  readonly sizeBytes?: number | undefined;
}

/** Options of `downloadArchive`. */
export interface DownloadOptions {
  /** Folder for the files of the archive; must not exist or be empty. */
  readonly toDir: string;
  readonly progress: ProgressReporter;
  readonly signal?: AbortSignal;
  readonly access: DependencyAccess;
  /** Ends an attempt that receives nothing for so long. Default 30 s. */
  readonly stallMs?: number;
}

/**
 * Downloads a zip archive, checks its sha256 and unpacks it into a folder, all at once. What arrived stays in
 * `<toDir>.part` when the download breaks off, and the next attempt, in this run or a later one, asks for the rest only.
 *
 * @throws {ShortlistError} DOWNLOAD_FAILED when the server refuses, stays silent or breaks off for good, when the
 * content is not that of the sha256 (the part file is then removed), and when the archive is not sound; LOCKED when another process
 * downloads to the same folder
 */
export async function downloadArchive(source: ArchiveSource, options: DownloadOptions): Promise<void> {
  const { toDir } = options;
  await refuseFull(toDir);
  const folder = dirname(toDir);
  await mkdir(folder, { recursive: true });
  // Two that write to one part file would spoil it.
  const store = createFolderStore(folder, () => new Date());
  const lock = { purpose: `shortlist download of ${toDir}`, name: basename(toDir) };
  await withLock(store, lock, () => downloadAlone(source, options));
}

async function downloadAlone(source: ArchiveSource, options: DownloadOptions): Promise<void> {
  const { toDir } = options;
  await refuseFull(toDir);
  const partFile = `${toDir}.part`;
  await fetchWithRetries(source, partFile, options);
  const step = options.progress.start(`unpack into ${toDir}`);
  const files = await replaceFolder(toDir, async (dir) => extractArchive(partFile, { toDir: dir }));
  await rm(partFile);
  step.finish(`${files} files`);
}

async function refuseFull(toDir: string): Promise<void> {
  if (!(await hasEntries(toDir))) return;
  throw failed(`${toDir} exists already and is not empty; remove it to download again`);
}

async function fetchWithRetries(
  source: ArchiveSource,
  partFile: string,
  options: DownloadOptions,
): Promise<void> {
  const { access, signal } = options;
  const step = options.progress.start(`download ${source.url}`, source.sizeBytes);
  try {
    const reach = createByteCounter(step);
    await access.retry(
      'download',
      async (either) => attempt(source, partFile, { ...options, signal: either, reach }),
      { isPassing: (error) => !(error instanceof FinalError), signal },
    );
    step.finish(`sha256 ${source.sha256.slice(0, 12)}… is right`);
  } catch (error) {
    step.finish('failed');
    const cause = error instanceof FinalError ? error.cause : error;
    if (cause instanceof ShortlistError) throw cause;
    throw failed(`cannot download ${source.url}: ${describe(cause)}; run it again to resume`, { cause });
  }
}

/** One that another attempt cannot cure; its cause is what happened. */
class FinalError extends Error {}

/** One request for what is missing. Errors that another attempt cannot cure are FinalErrors. */
async function attempt(
  source: ArchiveSource,
  partFile: string,
  options: DownloadOptions & { signal: AbortSignal; reach: (bytes: number) => void },
): Promise<void> {
  const have = await sizeOf(partFile);
  if (have === 0 || have !== source.sizeBytes) await fetchRest(source, partFile, { ...options, have });
  const found = await hashFile(partFile);
  if (found === source.sha256) return;
  await rm(partFile);
  const mismatch = failed(
    `${source.url} is not the file that was expected: its sha256 is ${found}, expected ${source.sha256}`,
  );
  // What an earlier attempt left may be of another version of the file: one attempt from the start decides.
  throw have > 0 ? mismatch : new FinalError(mismatch.message, { cause: mismatch });
}

async function fetchRest(
  source: ArchiveSource,
  partFile: string,
  options: DownloadOptions & { have: number; signal: AbortSignal; reach: (bytes: number) => void },
): Promise<void> {
  const { have, stallMs = 30_000, reach, access } = options;
  const stalled = new AbortController();
  const timer = setTimeout(
    () => stalled.abort(new Error(`nothing arrived for ${stallMs / 1000} s`)),
    stallMs,
  );
  try {
    const signal = AbortSignal.any([options.signal, stalled.signal]);
    const range = have > 0 ? { range: `bytes=${have}-` } : undefined;
    const response = await fetch(source.url, {
      signal,
      headers: { 'accept-encoding': 'identity', ...range },
    });
    // The part file is complete, or longer than the file is: its sha256 tells.
    if (response.status === 416 && have > 0) return;
    checkStatus(response);
    const isRest =
      response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${have}-`) === true;
    let received = isRest ? have : 0;
    const started = performance.now();
    // Written chunk by chunk, not piped: a pipe that breaks off would lose what it had not yet written.
    const file = await open(partFile, isRest ? 'a' : 'w');
    try {
      for await (const chunk of response.body!) {
        timer.refresh();
        await atPath(partFile, () => file.write(chunk));
        received += chunk.byteLength;
        reach(received);
      }
    } finally {
      await file.close();
      access.measure({
        source: 'download',
        name: source.url,
        bytes: received - (isRest ? have : 0),
        seconds: (performance.now() - started) / 1000,
      });
    }
    // fetch notices a short body only where the server announced its length.
    const { sizeBytes = 0 } = source;
    if (received < sizeBytes) throw new Error(`it ended after ${received} of ${sizeBytes} bytes`);
  } finally {
    clearTimeout(timer);
  }
}

function checkStatus(response: Response): void {
  if (response.ok) return;
  const error = new Error(`the server answers ${response.status} ${response.statusText}`.trim());
  throw PASSING_STATUSES.has(response.status) ? error : new FinalError(error.message, { cause: error });
}

async function hasEntries(dir: string): Promise<boolean> {
  const entries = await readdir(dir).catch(() => []);
  return entries.length > 0;
}

async function sizeOf(file: string): Promise<number> {
  const found = await stat(file).catch(() => undefined);
  return found?.size ?? 0;
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** Advances a step to positions in the file; what an attempt fetches again is not counted again. */
function createByteCounter(step: ProgressStep): (position: number) => void {
  let reached = 0;
  return (position) => {
    if (position <= reached) return;
    step.advance(position - reached);
    reached = position;
  };
}

/** Node's fetch says "fetch failed" or "terminated", and why in the cause. */
function describe(error: unknown): string {
  const { message, cause } = error as Error;
  if (error instanceof DependencyTimeout) return message;
  return cause instanceof Error ? `${message} (${cause.message})` : message;
}

function failed(message: string, options: { cause?: unknown } = {}): ShortlistError {
  return new ShortlistError('DOWNLOAD_FAILED', message, options);
}

import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import parquet from 'parquetjs-lite';
import { isTemporary, putInPlace, temporarySibling } from '../../../bundle/durable-files.js';
import { createFolderStore } from '../../../bundle/folder-store.js';
import { CLOSED_SEGMENT, OPEN_SEGMENT, parseOpenSegment } from '../../../bundle/segment-name.js';
import { type Lock, withLock } from '../../../bundle/with-lock.js';
import { ShortlistError } from '../../../domain/errors.js';
import type { ForgottenList } from '../../../domain/forgetting.js';
import { beginLeavingOut, type LeavingOut } from '../../../domain/left-out.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { readSegment } from '../read-segment.js';
import { findImpression, IMPRESSION_COLUMNS, toRows } from './impression-rows.js';

/** Counts, files and warnings of turning the closed segments of a log into parquet. */
export interface Compaction {
  readonly segments: number;
  readonly impressions: number;
  /** Those of users who asked to be forgotten, which are in no file. */
  readonly leftOut: number;
  readonly rows: number;
  /** The parquet files that were written. */
  readonly files: readonly string[];
  /** One sentence for each thing that was left out. */
  readonly warnings: readonly string[];
}

/** Options of `compactImpressions`. */
export interface CompactionOptions {
  /** Folder of the parquet files. */
  readonly outDir: string;
  /** Milliseconds since 1970: a segment that was still written to then is left to its process, an older one has none any more. */
  readonly abandonedBefore: number;
  /** Users who asked to be forgotten: they are left out. */
  readonly forgotten: ForgottenList;
  readonly progress: ProgressReporter;
}

/** Key of the footer under which a parquet file says what is in it. */
const SEGMENTS_KEY = 'shortlist.segments';

/**
 * Turns the closed segments of an impression log into parquet, one file for each day (UTC) that they were begun on, and removes
 * them. Each file names the segments that it holds and is put in place whole, so a run that was killed is simply run
 * again: what is in a file already is only removed, what is in none is still there. One run at a time: others wait.
 * @throws ShortlistError INVALID_DATASET when there is no such folder, or a file of an earlier run cannot be read; LOCKED, CONFLICT
 */
export async function compactImpressions(folder: string, options: CompactionOptions): Promise<Compaction> {
  await listFolder(folder);
  const purpose = 'shortlist impressions compact';
  const lockOf = (root: string) => createFolderStore(root, () => new Date());
  return withLock(lockOf(folder), { purpose }, (log) =>
    // Another log may be compacted into the same folder.
    withLock(lockOf(options.outDir), { purpose, name: 'parquet' }, (out) =>
      compact(folder, {
        ...options,
        confirm: async () => {
          await log.confirm();
          await out.confirm();
        },
      }),
    ),
  );
}

type Compacting = CompactionOptions & Lock;

async function compact(folder: string, options: Compacting): Promise<Compaction> {
  const { outDir, progress } = options;
  await mkdir(outDir, { recursive: true });
  await removeTemporaries(outDir);
  const compacted = await listCompacted(outDir);
  const closed = await closeAbandoned(folder, options);
  for (const segment of closed.filter((name) => compacted.has(name))) {
    await dispose(join(folder, segment), await isDamaged(join(folder, segment)));
  }
  const segments = closed.filter((segment) => !compacted.has(segment));
  const step = progress.start('compact impressions', segments.length);
  const total = { segments: segments.length, impressions: 0, leftOut: 0, rows: 0 };
  const files: string[] = [];
  const warnings: string[] = [];
  for (const [day, names] of groupByDay(segments)) {
    const written = await writeDay(day, names, { ...options, folder });
    total.impressions += written.impressions;
    total.leftOut += written.leftOut;
    total.rows += written.rows;
    if (written.file !== undefined) files.push(written.file);
    warnings.push(...written.warnings);
    step.advance(names.length);
  }
  step.finish(`${total.impressions} impressions of ${total.segments} segments`);
  return { ...total, files, warnings };
}

async function removeTemporaries(dir: string): Promise<void> {
  for (const name of await readdir(dir)) if (isTemporary(name)) await rm(join(dir, name));
}

async function listCompacted(outDir: string): Promise<ReadonlySet<string>> {
  const compacted = new Set<string>();
  for (const name of (await readdir(outDir)).filter((file) => /^impressions-.*\.parquet$/.test(file))) {
    for (const segment of await readSegmentNames(join(outDir, name))) compacted.add(segment);
  }
  return compacted;
}

async function readSegmentNames(file: string): Promise<readonly string[]> {
  try {
    const { key_value_metadata: pairs = [] } = await parquetMetadataAsync(await asyncBufferFromFile(file));
    return JSON.parse(pairs.find(({ key }) => key === SEGMENTS_KEY)!.value!) as string[];
  } catch (cause) {
    const what = `${file} cannot be read, so nobody knows which segments it holds: move it away.`;
    throw new ShortlistError('INVALID_DATASET', what, { cause });
  }
}

/** Names of the closed segments, oldest first, with those that no process writes to any more. */
async function closeAbandoned(
  folder: string,
  { abandonedBefore }: Pick<CompactionOptions, 'abandonedBefore'>,
): Promise<string[]> {
  const names = await listFolder(folder);
  const closed = names.filter((name) => name.endsWith(CLOSED_SEGMENT));
  for (const name of names.filter((other) => other.endsWith(OPEN_SEGMENT))) {
    const segment = parseOpenSegment(name);
    if (segment.isWritten === true) continue;
    if (segment.isWritten === undefined && !(await isOlder(join(folder, name), abandonedBefore))) continue;
    if (await moveIfThere(join(folder, name), join(folder, segment.closed))) closed.push(segment.closed);
  }
  return closed.sort();
}

async function isOlder(path: string, time: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && found.mtimeMs < time;
}

/** False where its process closed it meanwhile. */
async function moveIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (cause) {
    throw new ShortlistError(
      'INVALID_DATASET',
      `There is no impression log in ${folder}: is impressions.enabled set where it was served?`,
      { cause },
    );
  }
}

function groupByDay(segments: readonly string[]): Map<string, string[]> {
  const days = new Map<string, string[]>();
  for (const segment of segments) {
    const day = segment.slice(0, 8);
    days.set(day, [...(days.get(day) ?? []), segment]);
  }
  return days;
}

interface WrittenDay {
  readonly file: string | undefined;
  readonly impressions: number;
  readonly leftOut: number;
  readonly rows: number;
  readonly warnings: readonly string[];
}

async function writeDay(
  day: string,
  segments: readonly string[],
  options: Compacting & { folder: string },
): Promise<WrittenDay> {
  const { folder, outDir, confirm, forgotten } = options;
  const digest = createHash('sha256').update(segments.join('\n')).digest('hex').slice(0, 12);
  const file = join(outDir, `impressions-${day}-${digest}.parquet`);
  for (;;) {
    const temporary = temporarySibling(file);
    const leaving = beginLeavingOut(forgotten);
    const written = await writeSegments(temporary, segments, { folder, leavesOut: leaving.leavesOut });
    await confirm();
    if (leaving.isOvertaken()) {
      await rm(temporary);
      continue;
    }
    const { rows, damaged } = written;
    if (rows > 0) await putInPlace(temporary, file);
    else await rm(temporary);
    for (const segment of segments) await dispose(join(folder, segment), damaged.has(segment));
    return { ...written, leftOut: leaving.count(), file: rows > 0 ? file : undefined };
  }
}

async function writeSegments(
  path: string,
  segments: readonly string[],
  { folder, leavesOut }: { folder: string } & Pick<LeavingOut, 'leavesOut'>,
): Promise<Omit<WrittenDay, 'file' | 'leftOut'> & { readonly damaged: ReadonlySet<string> }> {
  const writer = await parquet.ParquetWriter.openFile(new parquet.ParquetSchema(IMPRESSION_COLUMNS), path);
  writer.setMetadata(SEGMENTS_KEY, JSON.stringify(segments));
  const warnings: string[] = [];
  const damaged = new Set<string>();
  let impressions = 0;
  let rows = 0;
  for (const segment of segments) {
    const lines = readSegment(join(folder, segment), findImpression, (faults) => {
      if (faults.isTorn) warnings.push(`${segment}: its last line was cut off and is left out`);
      if (faults.lines.length === 0) return;
      damaged.add(segment);
      warnings.push(
        `${segment}: lines ${faults.lines.join(', ')} are no impressions and are left out; it is kept as ${segment}.rejected`,
      );
    });
    for await (const impression of lines) {
      if (leavesOut(impression.user, Date.parse(impression.time) / 1000)) continue;
      impressions++;
      for (const row of toRows(impression)) {
        rows++;
        await writer.appendRow(row);
      }
    }
  }
  await writer.close();
  return { impressions, rows, warnings, damaged };
}

/** Of a segment that is in a parquet file: a run that was killed may not have come to keep it. */
async function isDamaged(path: string): Promise<boolean> {
  let damaged = false;
  const lines = readSegment(path, findImpression, (faults) => (damaged = faults.lines.length > 0));
  for await (const _ of lines) continue;
  return damaged;
}

async function dispose(path: string, isDamaged: boolean): Promise<void> {
  if (isDamaged) await rename(path, `${path}.rejected`);
  else await rm(path);
}

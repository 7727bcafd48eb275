import { createHash } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import parquet, { type ParquetWriter } from 'parquetjs-lite';
import { isTemporary, putInPlace, temporarySibling } from '../../../bundle/durable-files.js';
import { createFolderStore } from '../../../bundle/folder-store.js';
import { type Lock, type LockStore, withLock } from '../../../bundle/with-lock.js';
import type { KeptEvent } from '../../../domain/event.js';
import { MOST_SECONDS_AHEAD } from '../../../domain/event.js';
import type { ForgottenList } from '../../../domain/forgetting.js';
import { beginLeavingOut, type LeavingOut } from '../../../domain/left-out.js';
import { SECONDS_PER_DAY } from '../../../domain/time.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { EVENT_COLUMNS, toEventRow } from './event-columns.js';

/** A store of events that are copied, and then removed when they are old. */
export interface EventsToCompact<Range extends EventRange = EventRange> {
  /** Who compacts it: one at a time. */
  readonly locks: LockStore;
  /** The events to copy now, or those that an earlier compaction began to; undefined where there are none. */
  begin(): Range | undefined | Promise<Range | undefined>;
  read(range: Range): Iterable<KeptEvent> | AsyncIterable<KeptEvent>;
  /** They are never given again. */
  finish(range: Range): void | Promise<void>;
  prune(before: PruneLimits): RemovedEvents | Promise<RemovedEvents>;
  /** Removes what a user did up to a time, Unix seconds by the sender. */
  removeUser(events: { readonly userId: string; readonly until: number }): number | Promise<number>;
  close(): void;
}

/** What was removed from a store. */
export interface RemovedEvents {
  readonly events: number;
  readonly ids: number;
}

/** Some events of a store. */
export interface EventRange {
  /** The same for the same events, and for no others. */
  readonly name: string;
  /** How many they are, about. */
  readonly size: number;
  /** Whether an earlier compaction began it. */
  readonly isResumed: boolean;
}

/** What is old. */
export interface PruneLimits {
  /** Unix seconds by the sender, of events. */
  readonly time: number;
  /** Unix seconds by the server, of what is known of ids. */
  readonly keptAt: number;
}

/** Options of `compactEvents`. */
export interface EventCompactionOptions {
  /** Opens the store; there may be none. */
  readonly open: () => EventsToCompact | Promise<EventsToCompact>;
  /** Folder of the parquet files. */
  readonly outDir: string;
  readonly before: PruneLimits;
  /** Users who asked to be forgotten: they are left out, and removed from the store where they are there still. */
  readonly forgotten: ForgottenList;
  readonly progress: ProgressReporter;
}

/** Counts and files of a compaction. */
export interface EventCompaction {
  /** Those that are in the files. */
  readonly events: number;
  /** Those of users who asked to be forgotten, which are in no file. */
  readonly leftOut: number;
  /** The parquet files that were written. */
  readonly files: readonly string[];
  /** Old events that were removed from the store, and ids that it does not know any more. */
  readonly removed: RemovedEvents;
}

/**
 * Copies the events of a store that are in no file yet to parquet, one file for each day (UTC) that they were kept on, then says so to the
 * store, then removes what is old from it. The store says first what is copied, and the name of a file follows from that: a run that was
 * killed is simply run again, and writes the same files. One run at a time: others wait.
 * @throws ShortlistError LOCKED, CONFLICT, and what the store throws
 */
export async function compactEvents({ open, ...options }: EventCompactionOptions): Promise<EventCompaction> {
  const purpose = 'shortlist events compact';
  const store = await open();
  try {
    return await withLock(store.locks, { purpose }, (log) =>
      // Another store may be compacted into the same folder.
      withLock(
        createFolderStore(options.outDir, () => new Date()),
        { purpose, name: 'parquet' },
        (out) =>
          compact(store, {
            ...options,
            confirm: async () => {
              await log.confirm();
              await out.confirm();
            },
          }),
      ),
    );
  } finally {
    store.close();
  }
}

type Compacting = Omit<EventCompactionOptions, 'open'> & Lock;

async function compact(store: EventsToCompact, options: Compacting): Promise<EventCompaction> {
  const { outDir, before, confirm } = options;
  await mkdir(outDir, { recursive: true });
  await removeTemporaries(outDir);
  const files: string[] = [];
  let events = 0;
  let leftOut = 0;
  let range = await store.begin();
  while (range !== undefined) {
    const written = await writeRange(store, range, options);
    await confirm();
    await store.finish(range);
    events += written.events;
    leftOut += written.leftOut;
    files.push(...written.files);
    // What came since an earlier run began is for this one; what comes meanwhile is not, or it would never end.
    range = range.isResumed ? await store.begin() : undefined;
  }
  await confirm();
  return { events, leftOut, files, removed: await store.prune(before) };
}

async function removeTemporaries(dir: string): Promise<void> {
  for (const name of await readdir(dir))
    if (isTemporary(name) && name.startsWith('.events-')) await rm(join(dir, name));
}

/** A file that is written, under another name until it is whole. */
interface DayFile {
  readonly path: string;
  readonly temporary: string;
  readonly writer: ParquetWriter;
}

async function writeRange(
  store: EventsToCompact,
  range: EventRange,
  options: Compacting,
): Promise<{ events: number; leftOut: number; files: readonly string[] }> {
  const { forgotten, confirm } = options;
  for (;;) {
    const leaving = beginLeavingOut(forgotten);
    const { files, events } = await writeDays(store, range, { ...options, leavesOut: leaving.leavesOut });
    await confirm();
    if (leaving.isOvertaken()) {
      for (const { temporary } of files) await rm(temporary);
      continue;
    }
    for (const { temporary, path } of files) await putInPlace(temporary, path);
    for (const userId of leaving.users())
      await store.removeUser({ userId, until: forgotten.find(userId)! + MOST_SECONDS_AHEAD });
    return { events, leftOut: leaving.count(), files: files.map(({ path }) => path) };
  }
}

async function writeDays(
  store: EventsToCompact,
  range: EventRange,
  { outDir, progress, leavesOut }: Compacting & Pick<LeavingOut, 'leavesOut'>,
): Promise<{ events: number; files: readonly DayFile[] }> {
  const days = new Map<string, DayFile>();
  const step = progress.start('compact events', range.size);
  let events = 0;
  for await (const event of store.read(range)) {
    step.advance();
    if (leavesOut(event.userId, event.time)) continue;
    const day = dayOf(event.keptAt);
    const file = days.get(day) ?? (await openDay(join(outDir, nameOf(day, range))));
    days.set(day, file);
    await file.writer.appendRow(toEventRow(event));
    events++;
  }
  const files = [...days.values()];
  for (const { writer } of files) await writer.close();
  step.finish(`${events} events`);
  return { events, files };
}

/** The same for the same events of the same store. */
function nameOf(day: string, { name }: EventRange): string {
  const digest = createHash('sha256').update(`${name} ${day}`).digest('hex').slice(0, 12);
  return `events-${day}-${digest}.parquet`;
}

async function openDay(path: string): Promise<DayFile> {
  const temporary = temporarySibling(path);
  const writer = await parquet.ParquetWriter.openFile(new parquet.ParquetSchema(EVENT_COLUMNS), temporary);
  return { path, temporary, writer };
}

/** `20260102`. */
function dayOf(unixSeconds: number): string {
  const start = Math.floor(unixSeconds / SECONDS_PER_DAY) * SECONDS_PER_DAY;
  return new Date(start * 1000).toISOString().slice(0, 10).replaceAll('-', '');
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { createFolderStore } from '../../bundle/folder-store.js';
import type { LockStore } from '../../bundle/with-lock.js';
import { ShortlistError } from '../../domain/errors.js';
import type { KeptEvent } from '../../domain/event.js';
import { EVENTS_FILE } from './events-folder.js';
import { openEventsFile } from './open-events-file.js';
import { recountRemovedAhead } from './removed-ahead.js';
import { type EventsToRemove, removeUserEvents } from './remove-user-events.js';
import { meetStorageFault } from './storage-fault.js';
import { transact, transactPiece } from './transact.js';

/** The events of a folder, for one who copies them elsewhere and then says so. Its calls throw ShortlistError EVENTS_UNAVAILABLE. */
export interface CompactionLog {
  /** Who copies; one at a time. */
  readonly locks: LockStore;
  /**
   * Says which events are to be copied now: all that are not, or those of a compaction that was not finished. Undefined where all are.
   */
  begin(): CompactionRange | undefined;
  /** The events of a range in order, read in pieces: writers go on meanwhile. */
  read(range: CompactionRange): Iterable<KeptEvent>;
  /** Says that a range was copied: it is never given again. */
  finish(range: CompactionRange): void;
  /**
   * Removes events that were copied, and what is known of ids, in pieces.
   * @param before.time Unix seconds by the sender: events of before are removed
   * @param before.keptAt Unix seconds: the ids of what was kept before are removed
   */
  prune(before: { readonly time: number; readonly keptAt: number }): {
    readonly events: number;
    readonly ids: number;
  };
  /** Removes what a user did up to a time, Unix seconds by the sender, in pieces. */
  removeUser(events: EventsToRemove): number;
  close(): void;
}

/** Events by their sequences, both ends included. */
export interface CompactionRange {
  /** The same for the same events: the id of the store and the sequences, which another store has too. */
  readonly name: string;
  /** Of the events, at most. */
  readonly size: number;
  readonly from: number;
  readonly to: number;
  /** Whether an earlier compaction began it. */
  readonly isResumed: boolean;
}

/** Servers that commit one time after the other leave short gaps only; nobody waits for this. */
const PATIENCE_MS = 30_000;

/** Read or removed at once: a writer waits for some milliseconds at most. */
const PIECE = 5000;

/**
 * Opens the events of a folder to be copied.
 * @throws ShortlistError INVALID_DATASET when there are none, EVENTS_UNAVAILABLE when they cannot be used
 */
export function openCompactionLog(folder: string): CompactionLog {
  const path = join(folder, EVENTS_FILE);
  if (!existsSync(path)) {
    throw new ShortlistError(
      'INVALID_DATASET',
      `There are no events in ${folder}: is events.enabled set where it was served?`,
    );
  }
  const told = createTeller(path);
  const file = told(() => openEventsFile(folder, { create: false, busyMs: PATIENCE_MS }));
  const { database } = file;
  return {
    locks: createFolderStore(folder, () => new Date()),
    begin: () => told(() => begin(database)),
    read: (range) => readRange(database, range, told),
    finish: ({ to }) => told(() => setState(database, { compacted_to: to, compacting_to: 0 })),
    prune: (before) =>
      told(() => ({ events: pruneEvents(database, before.time), ids: pruneKeys(database, before.keptAt) })),
    removeUser: (events) => told(() => removeUserEvents(database, events)),
    close: () => file.close(),
  };
}

type Teller = <T>(run: () => T) => T;

/** What lies in the disk or the file is told with its path and what to do. */
function createTeller(path: string): Teller {
  return (run) =>
    meetStorageFault(run, ({ reason, advice }, cause) => {
      throw new ShortlistError('EVENTS_UNAVAILABLE', `${path}: ${reason}. ${advice}`, { cause });
    });
}

/** What `state` has. */
interface State {
  readonly store: string;
  readonly compacted_to: number;
  readonly compacting_to: number;
}

function readState(database: DatabaseSync): State {
  const rows = database.prepare('SELECT name, value FROM state').all();
  return Object.fromEntries(rows.map(({ name, value }) => [name, value])) as unknown as State;
}

function setState(database: DatabaseSync, values: Readonly<Record<string, number>>): void {
  const set = database.prepare('UPDATE state SET value = ? WHERE name = ?');
  transact(database, () => {
    for (const [name, value] of Object.entries(values)) set.run(value, name);
    if (values['compacted_to'] !== undefined) recountRemovedAhead(database);
  });
}

function begin(database: DatabaseSync): CompactionRange | undefined {
  const { store, compacted_to: done, compacting_to: begun } = readState(database);
  const from = done + 1;
  if (begun > 0) return nameRange(store, { from, to: begun, isResumed: true });
  const { last } = database.prepare('SELECT max(sequence) AS last FROM events').get() as {
    last: number | null;
  };
  if (last === null || last < from) {
    passRemoved(database);
    return undefined;
  }
  // What comes while it is copied is for the next one: who goes on after a kill copies the same.
  setState(database, { compacting_to: last });
  return nameRange(store, { from, to: last, isResumed: false });
}

function nameRange(
  store: string,
  range: Pick<CompactionRange, 'from' | 'to' | 'isResumed'>,
): CompactionRange {
  return { ...range, name: `${store} ${range.from} ${range.to}`, size: range.to - range.from + 1 };
}

/** Events that were removed before they were copied wait for nothing. */
function passRemoved(database: DatabaseSync): void {
  transact(database, () => {
    database.exec(
      `UPDATE state SET value = max(value, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'events'), 0))
       WHERE name = 'compacted_to' AND NOT EXISTS (SELECT 1 FROM events WHERE sequence > state.value)`,
    );
    recountRemovedAhead(database);
  });
}

function* readRange(
  database: DatabaseSync,
  { from, to }: CompactionRange,
  told: Teller,
): Generator<KeptEvent> {
  const piece = told(() =>
    database.prepare('SELECT * FROM events WHERE sequence BETWEEN ? AND ? ORDER BY sequence LIMIT ?'),
  );
  let next = from;
  for (;;) {
    const rows = told(() => piece.all(next, to, PIECE)) as unknown as EventRow[];
    for (const row of rows) yield toEvent(row);
    if (rows.length < PIECE) return;
    next = rows.at(-1)!.sequence + 1;
  }
}

/** A row of the table `events`. */
interface EventRow {
  readonly sequence: number;
  readonly user_id: string | null;
  readonly session_id: string | null;
  readonly item_id: string;
  readonly type: string;
  readonly value: number | null;
  readonly time: number;
  readonly event_id: string | null;
  readonly slate_id: string | null;
  readonly context: string | null;
  readonly kept_at: number;
}

function toEvent(row: EventRow): KeptEvent {
  return {
    sequence: row.sequence,
    userId: row.user_id ?? undefined,
    sessionId: row.session_id ?? undefined,
    itemId: row.item_id,
    type: row.type,
    value: row.value ?? undefined,
    time: row.time,
    eventId: row.event_id ?? undefined,
    slateId: row.slate_id ?? undefined,
    context: row.context === null ? undefined : (JSON.parse(row.context) as KeptEvent['context']),
    keptAt: row.kept_at,
  };
}

/** Times are in nearly the order of sequences, so that pieces by sequence hold all of what is old, or nothing. */
function pruneEvents(database: DatabaseSync, before: number): number {
  const { compacted_to: last } = readState(database);
  const find = database.prepare(
    'SELECT EXISTS (SELECT 1 FROM events WHERE sequence BETWEEN ? AND ? AND time < ?) AS found',
  );
  const remove = database.prepare('DELETE FROM events WHERE sequence BETWEEN ? AND ? AND time < ?');
  const count = database.prepare(`UPDATE state SET value = value + ? WHERE name = 'removed'`);
  const next = database.prepare('SELECT min(sequence) AS first FROM events WHERE sequence >= ?');
  let removed = 0;
  let from = 0;
  for (;;) {
    const { first } = next.get(from) as { first: number | null };
    if (first === null || first > last) return removed;
    const range = [first, Math.min(first + PIECE - 1, last), before] as const;
    if (find.get(...range)!['found'] === 1) {
      transactPiece(database, () => {
        const changes = Number(remove.run(...range).changes);
        count.run(changes);
        removed += changes;
      });
    }
    from = range[1] + 1;
  }
}

function pruneKeys(database: DatabaseSync, before: number): number {
  const find = database.prepare('SELECT key, kept_at FROM event_keys WHERE key > ? ORDER BY key LIMIT ?');
  const remove = database.prepare('DELETE FROM event_keys WHERE key = ?');
  let removed = 0;
  let last: Uint8Array = new Uint8Array();
  for (;;) {
    const rows = find.all(last, PIECE) as unknown as { key: Uint8Array; kept_at: number }[];
    const old = rows.filter((row) => row.kept_at < before);
    if (old.length > 0) {
      transactPiece(database, () => {
        for (const { key } of old) remove.run(key);
      });
    }
    removed += old.length;
    if (rows.length < PIECE) return removed;
    last = rows.at(-1)!.key;
  }
}

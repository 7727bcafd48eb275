import { randomUUID } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { rollBack } from './roll-back.js';
import { StorageError } from './storage-fault.js';

/** Says that a SQLite file is ours: `Shlt`. */
const APPLICATION_ID = 0x53686c74;

/** Rises with every change of the tables that an older release could not follow. */
const SCHEMA_VERSION = 1;

/**
 * - `events`: sequences are given once and never again, whatever is removed, and in the order of commits. `time` is Unix seconds by the
 *   sender, `kept_at` by the server. Its indexes have all that a history is made of, so that the latest events of somebody lie side by side: by
 *   their rows, a history of 200 would touch as many pages.
 * - `event_keys`: each event id that was taken (see `keyOfEvent`). It stays when its event is removed.
 * - `state`: `store` is the id of this file, `compacted_to` the last sequence that is in parquet, `compacting_to` the last one of a compaction
 *   under way, `removed` how many events were removed, `removed_ahead` how many of them have a sequence after `compacted_to` (files of earlier
 *   releases have it from their next compaction on).
 */
const TABLES = `
  CREATE TABLE events (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id TEXT,
    session_id TEXT,
    item_id TEXT NOT NULL,
    type TEXT NOT NULL,
    value REAL,
    time REAL NOT NULL,
    event_id TEXT,
    slate_id TEXT,
    context TEXT,
    kept_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX events_of_user ON events (user_id, time, sequence, item_id, type, value) WHERE user_id IS NOT NULL;
  CREATE INDEX events_of_session ON events (session_id, time, sequence, item_id, type, value) WHERE session_id IS NOT NULL;
  CREATE TABLE event_keys (key BLOB PRIMARY KEY, kept_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE state (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
`;

/** Creates the tables in an empty file; true where it did. @throws StorageError when the file is not ours, or of a later release */
export function prepareSchema(database: DatabaseSync): boolean {
  if (hasSchema(database)) return false;
  database.exec('BEGIN IMMEDIATE');
  try {
    // Another process may have begun it meanwhile.
    const isNew = !hasSchema(database);
    if (isNew) createTables(database);
    database.exec('COMMIT');
    return isNew;
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

function createTables(database: DatabaseSync): void {
  database.exec(TABLES);
  database
    .prepare(
      `INSERT INTO state VALUES ('store', ?), ('compacted_to', 0), ('compacting_to', 0), ('removed', 0), ('removed_ahead', 0)`,
    )
    .run(randomUUID());
  database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
}

/** False for an empty file. @throws StorageError as `prepareSchema` does */
export function hasSchema(database: DatabaseSync): boolean {
  const application = readPragma(database, 'application_id');
  const version = readPragma(database, 'user_version');
  const { tables } = database.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as {
    tables: number;
  };
  if (application === 0 && version === 0 && tables === 0) return false;
  if (application !== APPLICATION_ID) throw new StorageError('foreign', 'the file is of another program');
  if (version > SCHEMA_VERSION)
    throw new StorageError(
      'newer',
      `the file has version ${version}, this release reads up to ${SCHEMA_VERSION}`,
    );
  return true;
}

function readPragma(database: DatabaseSync, name: string): number {
  return Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0] as number;
}

import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { ShortlistError } from '../../domain/errors.js';
import type { EventsCheck, EventsContents } from '../events-check.js';
import { hasSchema } from './events-schema.js';
import { findNetworkFileSystem } from './find-network-file-system.js';
import { loadSqlite } from './load-sqlite.js';
import { EVENTS_FILE, findCondemnation } from './events-folder.js';
import { readFigures } from './read-figures.js';
import { meetStorageFault } from './storage-fault.js';

/** Problems of one file that are listed. */
const MAX_PROBLEMS = 20;

/**
 * Reads all of a file of events and says what is in it; it changes nothing, and servers go on.
 * @throws ShortlistError INVALID_DATASET when there is none
 */
export function checkEventsFile(folder: string): EventsCheck {
  const path = join(folder, EVENTS_FILE);
  if (!existsSync(path))
    throw new ShortlistError('INVALID_DATASET', `There are no events in ${folder}: is events.enabled set?`);
  const sizeOf = (file: string): number => statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  const sizes = { bytes: sizeOf(path), logBytes: sizeOf(`${path}-wal`) };
  const problems: string[] = [];
  const attempt = createAttempts(problems);
  const network = attempt(() => findNetworkFileSystem(folder));
  if (network !== undefined) problems.push(`it is on a network file system (${network})`);
  const condemnation = findCondemnation(folder);
  if (condemnation !== undefined) problems.push(`a server met damage in it: ${condemnation}`);
  const { DatabaseSync } = loadSqlite();
  const database = attempt(() => new DatabaseSync(path, { readOnly: true, timeout: 2000 }));
  if (database === undefined) return { path, ...sizes, problems };
  try {
    const isOurs = attempt(() => hasSchema(database));
    if (isOurs === false) problems.push('it is empty');
    attempt(() => listDamage(database))?.forEach((damage) => problems.push(damage));
    const contents = isOurs === true ? attempt(() => readContents(database, sizes.bytes)) : undefined;
    return { path, ...sizes, contents, problems };
  } finally {
    database.close();
  }
}

/** Runs what may fail over the file: the failure is one more problem. */
function createAttempts(problems: string[]): <T>(run: () => T) => T | undefined {
  return (run) =>
    meetStorageFault(run, ({ reason }) => {
      if (!problems.includes(reason)) problems.push(reason);
      return undefined;
    });
}

function listDamage(database: DatabaseSync): string[] {
  const rows = database.prepare(`PRAGMA integrity_check(${MAX_PROBLEMS})`).all();
  const found = rows.map((row) => String(row['integrity_check']));
  return found.join() === 'ok' ? [] : found;
}

function readContents(database: DatabaseSync, bytes: number): EventsContents {
  const { rows, uncompactedRows } = readFigures(database, { bytes, now: 0 });
  const { ids } = database.prepare('SELECT count(*) AS ids FROM event_keys').get() as { ids: number };
  const times = database.prepare('SELECT min(time) AS first, max(time) AS last FROM events').get() as {
    first: number | null;
    last: number | null;
  };
  const counts = database
    .prepare(
      `SELECT date(kept_at, 'unixepoch') AS day, type, count(*) AS rows FROM events GROUP BY day, type ORDER BY day, type`,
    )
    .all() as unknown as EventsContents['counts'];
  return { rows, uncompactedRows, ids, first: toIso(times.first), last: toIso(times.last), counts };
}

function toIso(unixSeconds: number | null): string | undefined {
  return unixSeconds === null ? undefined : new Date(unixSeconds * 1000).toISOString();
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import {
  CONDEMNED_FILE,
  EVENTS_FILE,
  identify,
  identifyAll,
  pathOfEvents,
  refuseCut,
} from './events-folder.js';
import { hasSchema } from './events-schema.js';
import { loadSqlite } from './load-sqlite.js';
import { StorageError, toStorageError } from './storage-fault.js';

/** The file of a folder of events, open for one who only reads: beside writers, and without waiting for them. */
export interface EventsReader {
  readonly database: DatabaseSync;
  /** False once another file, or none, has the name, or somebody met damage in it. */
  isInPlace(): boolean;
  close(): void;
}

/** Pages that it keeps until the next commit of anybody. */
const CACHE_KIBIBYTES = 4000;

/**
 * Opens the events of a folder for reading.
 * @param options.busyMs how long the opening waits for a process that recovers the file; reads wait for nobody
 * @returns undefined where no file was begun yet
 * @throws StorageError when it cannot, or must not, be used
 */
export function openEventsReader(folder: string, { busyMs }: { busyMs: number }): EventsReader | undefined {
  try {
    if (identify(join(folder, EVENTS_FILE)) === undefined) return undefined;
    const path = pathOfEvents(folder);
    refuseCut(path);
    return open(path, { folder, busyMs });
  } catch (error) {
    throw toStorageError(error);
  }
}

function open(
  path: string,
  { folder, busyMs }: { folder: string; busyMs: number },
): EventsReader | undefined {
  const before = identify(path);
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(path, { readOnly: true, timeout: busyMs });
  try {
    if (!hasSchema(database)) {
      database.close();
      return undefined;
    }
    database.exec(`PRAGMA busy_timeout = 0; PRAGMA cache_size = -${CACHE_KIBIBYTES}`);
    const identity = identifyAll(path);
    // Opened by its name: it was moved in the meantime, and another one came.
    if (identity === undefined || before !== identify(path))
      throw new StorageError('missing', 'the file was moved while it was opened');
    return {
      database,
      isInPlace: () => identifyAll(path) === identity && !existsSync(join(folder, CONDEMNED_FILE)),
      close: () => database.close(),
    };
  } catch (error) {
    if (database.isOpen) database.close();
    throw error;
  }
}

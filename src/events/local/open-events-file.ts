import { accessSync, constants, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import {
  CONDEMNED_FILE,
  identify,
  identifyAll,
  pathOfEvents,
  refuseCut,
  sizeOfEvents,
} from './events-folder.js';
import { hasSchema, prepareSchema } from './events-schema.js';
import { loadSqlite } from './load-sqlite.js';
import { StorageError, toStorageError } from './storage-fault.js';

/** The file of a folder of events, open. */
export interface EventsFile {
  readonly database: DatabaseSync;
  /** True where this call began it. */
  readonly isNew: boolean;
  /** False once another file, or none, has the name, since what is written from then on would be lost; or somebody met damage in it. */
  isInPlace(): boolean;
  /** With what is not in the file itself yet. */
  sizeBytes(): number;
  /** Lets nobody use the file any more before somebody has looked at it, and closes it. */
  condemn(reason: string): void;
  close(): void;
}

/** Options of `openEventsFile`. */
export interface OpeningOptions {
  /** Whether a file is begun where there is none; otherwise that is a StorageError. */
  readonly create: boolean;
  /** How long anything waits for another process that writes; 2 s by default. */
  readonly busyMs?: number;
}

const BUSY_MS = 2000;

/**
 * Opens the events of a folder for reading and writing. A file that a killed process left is as it was after its last commit.
 * @throws StorageError when it cannot, or must not, be used
 */
export function openEventsFile(folder: string, options: OpeningOptions): EventsFile {
  try {
    const path = pathOfEvents(folder);
    if (options.create) ensureFile(folder, path);
    refuseCut(path);
    return open(path, { ...options, folder });
  } catch (error) {
    throw toStorageError(error);
  }
}

/** Makes an empty file where there is none, and meets what forbids to write one: SQLite's own words for it say less. */
function ensureFile(folder: string, path: string): void {
  if (existsSync(path)) return accessSync(path, constants.W_OK);
  accessSync(folder, constants.W_OK);
  const { DatabaseSync } = loadSqlite();
  // Not by a descriptor of our own: events-folder.ts says why.
  new DatabaseSync(path).close();
}

function open(
  path: string,
  { folder, create, busyMs = BUSY_MS }: OpeningOptions & { folder: string },
): EventsFile {
  const before = identify(path);
  const { DatabaseSync } = loadSqlite();
  const database = new DatabaseSync(path, { timeout: busyMs });
  try {
    const isNew = configure(database, create);
    const identity = identifyAll(path);
    // Opened by its name: it was moved in the meantime, and another one came.
    if (identity === undefined || before !== identify(path))
      throw new StorageError('missing', 'the file was moved while it was opened');
    return {
      database,
      isNew,
      isInPlace: () => identifyAll(path) === identity && !existsSync(join(folder, CONDEMNED_FILE)),
      sizeBytes: () => sizeOfEvents(path),
      condemn: (reason) => {
        database.close();
        condemn(folder, reason);
      },
      close: () => database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function configure(database: DatabaseSync, create: boolean): boolean {
  // Before anything is written to it: what is not ours stays as it is.
  if (!hasSchema(database) && !create) throw new StorageError('missing', 'the file is empty');
  enterWal(database);
  // `fullfsync`: a sync of macOS ends in the memory of the disk otherwise. `secure_delete`: what is removed is written over where its page is
  // written anyway, so that of somebody who is forgotten little stays in unused parts of pages.
  database.exec(
    'PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16000; PRAGMA secure_delete = FAST',
  );
  const isNew = prepareSchema(database);
  // The log is opened by the first read.
  database.prepare('SELECT value FROM state').all();
  return isNew;
}

/** Of two processes that begin a file at once, SQLite lets the second one not wait but fail. */
function enterWal(database: DatabaseSync): void {
  const startedAt = performance.now();
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      const fault = toStorageError(error);
      const isBusy = fault instanceof StorageError && fault.fault.kind === 'busy';
      if (!isBusy || performance.now() - startedAt > BUSY_MS) throw fault;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
    }
  }
}

function condemn(folder: string, reason: string): void {
  try {
    writeFileSync(join(folder, CONDEMNED_FILE), `${reason}\n`, { flag: 'wx' });
  } catch {
    // There already, or the disk takes nothing: whoever meets the damage next tries again.
  }
}

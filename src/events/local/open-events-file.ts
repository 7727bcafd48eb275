import { closeSync, existsSync, lstatSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { hasSchema, prepareSchema } from './events-schema.js';
import { findNetworkFileSystem } from './find-network-file-system.js';
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

/** The file of the events in its folder. */
export const EVENTS_FILE = 'events.sqlite';

/** Beside a file in which damage was met: why, so that no process writes to the parts that are whole. */
const CONDEMNED = `${EVENTS_FILE}.damaged`;

const BUSY_MS = 2000;

/** A shorter file has no whole page: SQLite would take it for an empty one. */
const SMALLEST_PAGE = 512;

/**
 * Opens the events of a folder for reading and writing. A file that a killed process left is as it was after its last commit.
 * @throws StorageError when it cannot, or must not, be used
 */
export function openEventsFile(folder: string, options: OpeningOptions): EventsFile {
  try {
    const path = join(folder, EVENTS_FILE);
    refuse(folder, path);
    if (options.create) closeSync(openSync(path, 'a'));
    refuseCut(path);
    return open(path, { ...options, folder });
  } catch (error) {
    throw toStorageError(error);
  }
}

function refuse(folder: string, path: string): void {
  const network = findNetworkFileSystem(folder);
  if (network !== undefined)
    throw new StorageError('network', `${folder} is on a network file system (${network})`);
  const condemnation = findCondemnation(folder);
  if (condemnation !== undefined) throw new StorageError('damaged', condemnation);
  // A link would put the log of SQLite beside the file that it leads to, where nobody looks for it.
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false)
    throw new StorageError('foreign', `${EVENTS_FILE} is no file of its own`);
}

/** The damage that a process met in the file of a folder, in the words of `condemn`; undefined where none did. */
export function findCondemnation(folder: string): string | undefined {
  const path = join(folder, CONDEMNED);
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}

/** SQLite would begin anew in what is left of such a file, and remove the log that belongs to it. */
function refuseCut(path: string): void {
  const { size } = statSync(path);
  if (size >= SMALLEST_PAGE || (size === 0 && sizeOf(logOf(path)) === 0)) return;
  throw new StorageError('damaged', `the file is damaged: it was cut to ${size} bytes`);
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
      isInPlace: () => identifyAll(path) === identity && !existsSync(join(folder, CONDEMNED)),
      sizeBytes: () => sizeOf(path) + sizeOf(logOf(path)),
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
  // `fullfsync`: a sync of macOS ends in the memory of the disk otherwise.
  database.exec(
    'PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA journal_size_limit = 67108864; PRAGMA cache_size = -16000',
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
    writeFileSync(join(folder, CONDEMNED), `${reason}\n`, { flag: 'wx' });
  } catch {
    // There already, or the disk takes nothing: whoever meets the damage next tries again.
  }
}

function logOf(path: string): string {
  return `${path}-wal`;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** Which file has the name; undefined where none has. */
function identify(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found && `${found.dev}:${found.ino}`;
}

/** The same of the file and its log. */
function identifyAll(path: string): string | undefined {
  const [file, log] = [identify(path), identify(logOf(path))];
  return file === undefined || log === undefined ? undefined : `${file} ${log}`;
}

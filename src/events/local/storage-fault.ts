import { findSystemFault } from '../../domain/system-failure.js';

/** The reason why events cannot be kept, or read: it lies in the disk or in the file, not in the program. */
export interface StorageFault {
  readonly kind: FaultKind;
  /** Goes on after a colon: `the disk is full`. */
  readonly reason: string;
  /** A sentence for whoever runs the server: what to do. */
  readonly advice: string;
}

/** What is wrong; each has one remedy. */
export type FaultKind =
  'busy' | 'full' | 'read-only' | 'missing' | 'io' | 'damaged' | 'newer' | 'foreign' | 'network';

const ADVICE: Readonly<Record<FaultKind, string>> = {
  busy: 'Look which process holds it, as with `fuser`.',
  full: 'Make room: it goes on by itself.',
  'read-only': 'Let the user of the server write to the folder: it goes on by itself.',
  missing: 'Bring the folder back: it goes on by itself. An empty folder begins anew.',
  io: 'Look at the disk.',
  damaged:
    'Nothing of it was removed. Stop the servers, move events.sqlite and all files that begin with its name away together, and start again; `shortlist events check` says what can be read of it.',
  newer:
    'A later release wrote it: run that one again, or move the file and those that begin with its name away.',
  foreign: 'Move it away, or set another events.folder.',
  network: 'Set events.folder to a folder on a disk of this machine.',
};

/** An operation that failed over the disk or the file. */
export class StorageError extends Error {
  readonly fault: StorageFault;

  constructor(kind: FaultKind, reason: string, options?: { cause?: unknown }) {
    super(reason, options);
    this.name = 'StorageError';
    this.fault = { kind, reason, advice: ADVICE[kind] };
  }
}

/** What `node:sqlite` throws for an error of SQLite's. */
interface SqliteError extends Error {
  readonly code: 'ERR_SQLITE_ERROR';
  /** https://sqlite.org/rescode.html, the kind in the low byte. */
  readonly errcode: number;
  readonly errstr: string;
}

/** Errors of SQLite's that lie in the disk or the file; what is missing here (a wrong statement, a value of a wrong type) is a mistake of ours. */
const KINDS: ReadonlyMap<number, readonly [kind: FaultKind, reason: string]> = new Map([
  [3, ['read-only', 'the file may not be written to']],
  [5, ['busy', 'another process holds the file']],
  [6, ['busy', 'another process holds the file']],
  [7, ['io', 'there is no memory left']],
  [8, ['read-only', 'the file may not be written to']],
  [10, ['io', 'the disk failed']],
  [11, ['damaged', 'the file is damaged']],
  [13, ['full', 'the disk is full']],
  [14, ['missing', 'the file cannot be opened']],
  [15, ['busy', 'another process holds the file']],
  [22, ['full', 'the file is larger than the disk allows']],
  [23, ['read-only', 'the file may not be written to']],
  [26, ['damaged', 'the file is no database']],
]);

const SYSTEM_KINDS: Readonly<Record<string, readonly [kind: FaultKind, reason: string]>> = {
  ENOSPC: ['full', 'the disk is full'],
  EDQUOT: ['full', 'the disk quota is used up'],
  EROFS: ['read-only', 'the disk is read-only'],
  EACCES: ['read-only', 'the folder may not be written to'],
  EPERM: ['read-only', 'the folder may not be written to'],
  ENOENT: ['missing', 'the folder is gone'],
  ENOTDIR: ['missing', 'the folder is no folder'],
  EEXIST: ['missing', 'the folder is no folder'],
};

/** The same error, as a StorageError where SQLite or the operating system says that it lies in the disk or in the file. */
export function toStorageError(error: unknown): unknown {
  if (error instanceof StorageError) return error;
  if (isSqliteError(error)) {
    const found = KINDS.get(error.errcode & 0xff);
    if (found === undefined) return error;
    const [kind, reason] = found;
    return new StorageError(kind, `${reason} (${error.errstr})`, { cause: error });
  }
  const system = findSystemFault(error);
  if (system === undefined) return error;
  const [kind, reason] = SYSTEM_KINDS[system.code] ?? ['io', 'the disk failed'];
  return new StorageError(kind, `${reason} (${system.code})`, { cause: error });
}

/**
 * Runs what may fail over the disk or the file.
 * @param meet gives a value in place of what failed, or throws
 * @throws every other error of `run`
 */
export function meetStorageFault<T, Instead>(
  run: () => T,
  meet: (fault: StorageFault, cause: unknown) => Instead,
): T | Instead {
  try {
    return run();
  } catch (error) {
    const found = toStorageError(error);
    if (!(found instanceof StorageError)) throw error;
    return meet(found.fault, error);
  }
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && (error as { code?: unknown }).code === 'ERR_SQLITE_ERROR';
}

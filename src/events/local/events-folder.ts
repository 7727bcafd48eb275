import { existsSync, lstatSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { findNetworkFileSystem } from './find-network-file-system.js';
import { StorageError } from './storage-fault.js';

// What may be known of the file of a folder of events without SQLite. Nothing here opens it: when a process closes any descriptor of a file,
// the locks go that SQLite holds on it for others in the process, and another process may then remove the log under them
// (https://sqlite.org/howtocorrupt.html, 2.2).

/** The file of the events in its folder. */
export const EVENTS_FILE = 'events.sqlite';

/** Beside a file in which damage was met: why, so that no process goes on with the parts that are whole. */
export const CONDEMNED_FILE = `${EVENTS_FILE}.damaged`;

/** A shorter file has no whole page: SQLite would take it for an empty one. */
const SMALLEST_PAGE = 512;

/** The path of the file of a folder. @throws StorageError when it must not be used */
export function pathOfEvents(folder: string): string {
  const path = join(folder, EVENTS_FILE);
  const network = findNetworkFileSystem(folder);
  if (network !== undefined)
    throw new StorageError('network', `${folder} is on a network file system (${network})`);
  const condemnation = findCondemnation(folder);
  if (condemnation !== undefined) throw new StorageError('damaged', condemnation);
  // A link would put the log of SQLite beside the file that it leads to, where nobody looks for it.
  if (lstatSync(path, { throwIfNoEntry: false })?.isFile() === false)
    throw new StorageError('foreign', `${EVENTS_FILE} is no file of its own`);
  return path;
}

/** The damage that a process met in the file of a folder, in the words of `condemn`; undefined where none did. */
export function findCondemnation(folder: string): string | undefined {
  const path = join(folder, CONDEMNED_FILE);
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : undefined;
}

/**
 * SQLite would begin anew in what is left of a file that was cut, and remove the log that belongs to it.
 * @throws StorageError; the error of the operating system when there is no such file
 */
export function refuseCut(path: string): void {
  const { size } = statSync(path);
  if (size >= SMALLEST_PAGE || (size === 0 && sizeOf(logOf(path)) === 0)) return;
  throw new StorageError('damaged', `the file is damaged: it was cut to ${size} bytes`);
}

/** Which file has the name; undefined where none has. */
export function identify(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found && `${found.dev}:${found.ino}`;
}

/** The same of the file and its log. */
export function identifyAll(path: string): string | undefined {
  const [file, log] = [identify(path), identify(logOf(path))];
  return file === undefined || log === undefined ? undefined : `${file} ${log}`;
}

/** Of the file, with what is not in it yet. */
export function sizeOfEvents(path: string): number {
  return sizeOf(path) + sizeOf(logOf(path));
}

function logOf(path: string): string {
  return `${path}-wal`;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

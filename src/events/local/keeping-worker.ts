import { mkdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { packError } from '../../domain/packed-error.js';
import type { EventStoreFigures } from '../event-store-observer.js';
import { createInserter } from './insert-events.js';
import type {
  CommitReply,
  KeepingMessage,
  KeepingReply,
  KeepingThreadData,
  OpenedFile,
} from './keeping-messages.js';
import { type EventsFile, openEventsFile } from './open-events-file.js';
import { readFigures } from './read-figures.js';
import { meetStorageFault, StorageError, type StorageFault, toStorageError } from './storage-fault.js';

// The program of the thread that keeps events: it commits what it is told, one message after the other, and opens the file again when
// something was wrong with it.
const { folder } = workerData as KeepingThreadData;
const port = parentPort!;

/** Events between two copies of SQLite's log into the file: a commit then writes none, and the same page of many commits is copied once. */
const CHECKPOINT_EVENTS = 8000;

interface OpenKeeper {
  readonly file: EventsFile;
  readonly insert: ReturnType<typeof createInserter>;
}

let keeper: OpenKeeper | undefined;
/** The folder is made once: one that has gone may be a disk that comes back, and nothing may be written to where it was. */
let hasOpened = false;
let uncopied = 0;

say({ opened: openFirst() });
port.on('message', (message: KeepingMessage) => {
  if (message === 'close') return close();
  if (message === 'measure') return say({ figures: measure() });
  say(commit(message.requests));
  copyLog();
});

function openFirst(): OpenedFile | { fault: StorageFault } {
  try {
    return open();
  } catch (error) {
    return { fault: faultOf(error) };
  }
}

function open(): OpenedFile {
  try {
    if (!hasOpened) mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw toStorageError(error);
  }
  const file = openEventsFile(folder, { create: true });
  try {
    keeper = { file, insert: createInserter(file.database) };
  } catch (error) {
    file.close();
    throw toStorageError(error);
  }
  hasOpened = true;
  return { isNew: file.isNew };
}

function commit(requests: readonly string[]): { commit: CommitReply; opened?: OpenedFile | undefined } {
  try {
    if (keeper?.file.isInPlace() === false) release();
    const opened = keeper === undefined ? open() : undefined;
    return { commit: insert(keeper!, requests), opened };
  } catch (error) {
    try {
      const fault = faultOf(error);
      if (fault.kind === 'damaged') keeper?.file.condemn(fault.reason);
      // Whoever waited for another process goes on with the file that is open.
      else if (fault.kind !== 'busy') release();
      if (fault.kind !== 'busy') keeper = undefined;
      return { commit: { fault } };
    } catch (mistake) {
      return { commit: { failed: packError(mistake) } };
    }
  }
}

function insert({ file, insert: insertAll }: OpenKeeper, requests: readonly string[]): CommitReply {
  const startedAt = performance.now();
  const insertions = insertAll(requests, now());
  const seconds = (performance.now() - startedAt) / 1000;
  // It was on the disk all the same, but nobody will find it there.
  if (!file.isInPlace()) throw new StorageError('missing', 'the file was moved or removed');
  for (const insertion of insertions) if (insertion instanceof Uint8Array) uncopied += insertion.length;
  return { insertions, seconds };
}

/** The fault of a StorageError. @throws any other error */
function faultOf(error: unknown): StorageFault {
  if (error instanceof StorageError) return error.fault;
  throw error;
}

function release(): void {
  keeper?.file.close();
  keeper = undefined;
}

/** After the answer, so that nobody waits for it. What fails here fails again in a commit, whose answer tells it. */
function copyLog(): void {
  if (keeper === undefined || uncopied < CHECKPOINT_EVENTS) return;
  uncopied = 0;
  const { database } = keeper.file;
  meetStorageFault(
    () => database.exec('PRAGMA wal_checkpoint(PASSIVE)'),
    () => undefined,
  );
}

function measure(): EventStoreFigures | undefined {
  if (keeper === undefined) return undefined;
  const { file } = keeper;
  return meetStorageFault(
    () => readFigures(file.database, { bytes: file.sizeBytes(), now: now() }),
    () => undefined,
  );
}

/** Unix seconds. */
function now(): number {
  return Math.floor(Date.now() / 1000);
}

function close(): void {
  release();
  port.close();
}

function say(reply: KeepingReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  port.postMessage(reply);
}

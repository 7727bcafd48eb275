import type { DatabaseSync } from 'node:sqlite';
import { processClock } from '../../domain/process-clock.js';
import { historyFailed } from '../live-histories.js';
import { type EventsReader, openEventsReader } from './open-events-reader.js';
import { StorageError, type StorageFault, toStorageError } from './storage-fault.js';

/** Options of `followEventsFile`. */
export interface FollowingOptions {
  readonly folder: string;
  /** Is told why the file cannot be read; undefined when it can again. Once for each change of the reason. */
  readonly onChange: (fault: StorageFault | undefined) => void;
  /** Milliseconds of a clock that nobody sets; by default `processClock`. */
  readonly now?: (() => number) | undefined;
}

/** The file that has the name by now. */
export interface FollowedFile<Prepared> {
  /** @returns undefined where no file was begun yet. @throws ShortlistError HISTORY_FAILED; other errors of `run` */
  read<T>(run: (prepared: Prepared) => T): T | undefined;
  /** Looks at the next read whether the file is another one. */
  lookAgain(): void;
  close(): void;
}

/** Between two looks, the file that is open is taken for the one that is there: a look costs as much as a read. */
const LOOK_MS = 1000;

/** Nobody waits for the first opening yet. */
const FIRST_BUSY_MS = 2000;

/**
 * Follows the file of a folder of events: one that is away, replaced or damaged is opened again when it is back, which is tried once a second.
 * @param prepare makes what reads it, for each file that is opened
 */
export function followEventsFile<Prepared>(
  { folder, onChange, now = processClock }: FollowingOptions,
  prepare: (database: DatabaseSync) => Prepared,
): FollowedFile<Prepared> {
  const tell = createTeller(onChange);
  const file = createReopener(folder, prepare);
  /** Why none is open. */
  let obstacle: StorageError | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  /** What the last read that failed since the last look failed over. */
  let failing: StorageFault | undefined;
  let isClosed = false;

  function look(busyMs: number): void {
    lookedAt = now();
    try {
      // What could not be read may be mended by now, under the same name.
      file.look({ busyMs, isMendable: failing !== undefined && failing.kind !== 'busy' });
      obstacle = undefined;
      if (failing === undefined) tell(undefined);
    } catch (error) {
      obstacle = storageErrorOf(error);
      tell(obstacle.fault);
    }
    failing = undefined;
  }

  look(FIRST_BUSY_MS);
  return {
    read: (run) => {
      if (isClosed) throw historyFailed('the server is stopping');
      if (now() - lookedAt >= LOOK_MS) look(0);
      if (obstacle !== undefined) throw historyFailed(obstacle.message, { cause: obstacle });
      const prepared = file.find();
      try {
        return prepared && run(prepared);
      } catch (error) {
        const cause = storageErrorOf(error);
        failing = cause.fault;
        tell(failing);
        throw historyFailed(cause.message, { cause });
      }
    },
    lookAgain: () => (lookedAt = Number.NEGATIVE_INFINITY),
    close: () => {
      isClosed = true;
      file.release();
    },
  };
}

function createTeller(onChange: FollowingOptions['onChange']): FollowingOptions['onChange'] {
  let told: string | undefined;
  return (fault) => {
    if (told === fault?.reason) return;
    told = fault?.reason;
    onChange(fault);
  };
}

/** The file that is open. */
interface Reopener<Prepared> {
  /** What reads it; undefined where none is open. */
  find(): Prepared | undefined;
  /** Opens the file that is there, unless that is the one that is open. @throws StorageError, or the error of the operating system */
  look(options: { readonly busyMs: number; readonly isMendable: boolean }): void;
  release(): void;
}

function createReopener<Prepared>(
  folder: string,
  prepare: (database: DatabaseSync) => Prepared,
): Reopener<Prepared> {
  let open: { readonly reader: EventsReader; readonly prepared: Prepared } | undefined;
  let hasOpened = false;

  function release(): void {
    open?.reader.close();
    open = undefined;
  }

  return {
    find: () => open?.prepared,
    release,
    look: ({ busyMs, isMendable }) => {
      if (!isMendable && open?.reader.isInPlace() === true) return;
      release();
      const reader = openEventsReader(folder, { busyMs });
      if (reader === undefined) {
        if (hasOpened) throw new StorageError('missing', 'the file is gone');
        return;
      }
      hasOpened = true;
      try {
        open = { reader, prepared: prepare(reader.database) };
      } catch (error) {
        reader.close();
        throw error;
      }
    },
  };
}

/** @throws every error that does not lie in the disk or the file */
function storageErrorOf(error: unknown): StorageError {
  const found = toStorageError(error);
  if (found instanceof StorageError) return found;
  throw found;
}

import { ShortlistError } from '../../domain/errors.js';
import { unpackError } from '../../domain/packed-error.js';
import { createCommitQueue, type Insertion } from '../commit-queue.js';
import { type EventStore, eventsUnavailable } from '../event-store.js';
import type { EventStoreObserver } from '../event-store-observer.js';
import type { OpenedFile } from './keeping-messages.js';
import { type KeepingThread, startKeepingThread } from './keeping-thread.js';
import type { StorageFault } from './storage-fault.js';

/** Options of `openLocalEventStore`. */
export interface LocalEventStoreOptions {
  /** Made where it is missing. */
  readonly folder: string;
  /** How long the first of those that wait waits for others, to share its commit. */
  readonly syncMs: number;
  readonly observer: EventStoreObserver;
  /** Is told that the file was opened, or another one, before what is kept in it from then on is told to be kept. */
  readonly onOpened?: (() => void) | undefined;
}

/** Written in one go; a thread does one thing at a time. */
const MAX_COMMIT_EVENTS = 10_000;

/** How often the figures of the store are read. */
const MEASURE_MS = 5000;

/**
 * Keeps events in a SQLite file of a folder, which processes of one machine share. One thread of each writes, and commits for all who wait
 * at once; while a commit is under way those who come wait for the next one. Where the file cannot be used, it is opened all the same:
 * `keep` says why until the reason is gone, and the observer is told.
 * @throws ShortlistError INVALID_CONFIG when the folder is on a network file system
 */
export async function openLocalEventStore(options: LocalEventStoreOptions): Promise<EventStore> {
  const { syncMs } = options;
  const keeper = createKeeper(options);
  const fault = await keeper.open();
  if (fault?.kind === 'network') {
    await keeper.close();
    throw new ShortlistError('INVALID_CONFIG', `events.folder: ${fault.reason}. ${fault.advice}`);
  }
  await keeper.measure();
  const measuring = setInterval(() => void keeper.measure(), MEASURE_MS).unref();
  const queue = createCommitQueue({
    syncMs,
    maxCommitEvents: MAX_COMMIT_EVENTS,
    // Text costs this thread less than a clone of every event.
    pack: (events) => JSON.stringify(events),
    commit: (requests, events) => keeper.commit(requests, events),
  });
  return {
    keep: (events) => queue.add(events),
    close: async () => {
      clearInterval(measuring);
      await queue.close();
      await keeper.close();
    },
  };
}

/** A thread that keeps events, and another one where it ended; what it says is told. */
interface Keeper {
  /** @returns why events cannot be kept now */
  open(): Promise<StorageFault | undefined>;
  /** @throws ShortlistError EVENTS_UNAVAILABLE; Error when the thread fails */
  commit(requests: readonly string[], events: number): Promise<readonly Insertion[]>;
  measure(): Promise<void>;
  close(): Promise<void>;
}

function createKeeper({ folder, observer, onOpened }: LocalEventStoreOptions): Keeper {
  let thread: KeepingThread | undefined;
  let failing: string | undefined;

  function start(): KeepingThread {
    const started = startKeepingThread({ folder }, () => {
      if (thread === started) thread = undefined;
    });
    started.opened.then(tellOpened, () => undefined);
    thread = started;
    return started;
  }

  function tellOpened(opened: OpenedFile | { fault: StorageFault }): void {
    if ('fault' in opened) return tellFault(opened.fault);
    onOpened?.();
    if (opened.isNew) observer.begun();
    tellFault(undefined);
  }

  function tellFault(fault: StorageFault | undefined): void {
    if (failing === fault?.reason) return;
    failing = fault?.reason;
    observer.changed(fault);
  }

  return {
    open: async () => {
      const opened = await start().opened;
      return 'fault' in opened ? opened.fault : undefined;
    },
    commit: async (requests, events) => {
      const { commit, opened } = await (thread ?? start()).commit(requests);
      if (opened !== undefined) tellOpened(opened);
      if ('failed' in commit) throw unpackError(commit.failed);
      if ('fault' in commit) {
        tellFault(commit.fault);
        throw eventsUnavailable(commit.fault.reason);
      }
      tellFault(undefined);
      observer.committed({ events, seconds: commit.seconds });
      return commit.insertions;
    },
    measure: async () => observer.measured(await thread?.measure()),
    close: async () => thread?.close(),
  };
}

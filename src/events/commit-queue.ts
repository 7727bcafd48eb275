import type { UserEvent } from '../domain/event.js';
import { type PackedError, unpackError } from '../domain/packed-error.js';
import { eventsUnavailable, type Keeping } from './event-store.js';

/** Puts requests together into commits, one commit at a time. */
export interface CommitQueue {
  /** @throws what the commit threw; ShortlistError EVENTS_UNAVAILABLE when too many wait, or it is closed */
  add(events: readonly UserEvent[]): Promise<readonly Keeping[]>;
  /** Takes no more, and ends when all that wait are settled. */
  close(): Promise<void>;
}

/** What became of the events of one request, in their order: 1 for each that was accepted, 0 for a duplicate; or why none is kept. */
export type Insertion = Uint8Array | PackedError;

/** Options of `createCommitQueue`. */
export interface CommitQueueOptions<Request> {
  /** How long the first of those that wait waits for others. */
  readonly syncMs: number;
  /** A commit of more would hold up those behind it. */
  readonly maxCommitEvents: number;
  /** Makes of the events of a request what is committed; what it throws is for that request alone. */
  readonly pack: (events: readonly UserEvent[]) => Request;
  /** Commits requests, of so many events in all, and says what became of each. */
  readonly commit: (requests: readonly Request[], events: number) => Promise<readonly Insertion[]>;
}

/** The events of a request that waits for its commit. */
interface Waiting<Request> {
  readonly request: Request;
  readonly events: number;
  readonly resolve: (keeping: readonly Keeping[]) => void;
  readonly reject: (error: Error) => void;
}

/** About 20 MB; what is so far behind has stopped. */
const MAX_WAITING_EVENTS = 50_000;

/** Those that come while a commit is under way share the next one, which begins at once. */
export function createCommitQueue<Request>({
  syncMs,
  maxCommitEvents,
  pack,
  commit,
}: CommitQueueOptions<Request>): CommitQueue {
  const waiting: Waiting<Request>[] = [];
  let pendingEvents = 0;
  let timer: NodeJS.Timeout | undefined;
  let isCommitting = false;
  let isClosed = false;
  let tellIdle = (): void => undefined;

  function schedule(): void {
    if (isCommitting) return;
    if (syncMs === 0 || pendingEvents >= maxCommitEvents) void work();
    else timer ??= setTimeout(() => void work(), syncMs);
  }

  /** Never rejects. */
  async function work(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    isCommitting = true;
    while (waiting.length > 0) await commitBatch(takeBatch(waiting, maxCommitEvents));
    isCommitting = false;
    tellIdle();
  }

  async function commitBatch(batch: readonly Waiting<Request>[]): Promise<void> {
    const events = batch.reduce((sum, each) => sum + each.events, 0);
    try {
      const insertions = await commit(
        batch.map(({ request }) => request),
        events,
      );
      for (const [index, each] of batch.entries()) settle(each, insertions[index]!);
    } catch (error) {
      for (const { reject } of batch) reject(error as Error);
    }
    pendingEvents -= events;
  }

  return {
    add: async (events) => {
      if (events.length === 0) return [];
      if (isClosed) throw eventsUnavailable('the server is stopping');
      if (pendingEvents + events.length > MAX_WAITING_EVENTS)
        throw eventsUnavailable(`${pendingEvents} others wait to be kept`);
      const request = pack(events);
      return new Promise((resolve, reject) => {
        waiting.push({ request, events: events.length, resolve, reject });
        pendingEvents += events.length;
        schedule();
      });
    },
    close: () => {
      isClosed = true;
      if (timer !== undefined) void work();
      return new Promise((resolve) => {
        if (isCommitting) tellIdle = resolve;
        else resolve();
      });
    },
  };
}

/** The first of those that wait: at least one, and no more events than a commit may have. */
function takeBatch<Request>(waiting: Waiting<Request>[], maxEvents: number): Waiting<Request>[] {
  let events = 0;
  const end = waiting.findIndex((each) => (events += each.events) > maxEvents);
  return waiting.splice(0, end === -1 ? waiting.length : Math.max(1, end));
}

function settle({ resolve, reject }: Waiting<unknown>, insertion: Insertion): void {
  if (insertion instanceof Uint8Array)
    resolve(Array.from(insertion, (accepted) => (accepted === 1 ? 'accepted' : 'duplicate')));
  else reject(unpackError(insertion));
}

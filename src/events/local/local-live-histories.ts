import type { DatabaseSync } from 'node:sqlite';
import type { HistoryEvent } from '../../domain/event.js';
import type { Subject } from '../../domain/subject.js';
import { SECONDS_PER_DAY } from '../../domain/time.js';
import type { LiveHistories } from '../live-histories.js';
import { followEventsFile, type FollowingOptions } from './follow-events-file.js';

/** Options of `openLocalLiveHistories`. */
export interface LocalLiveHistoriesOptions extends FollowingOptions {
  /** Of a user, and of a session. */
  readonly maxItems: number;
  /** Events that are older by their time do not count. */
  readonly days: number;
  /** Unix seconds. */
  readonly clock: () => number;
}

/** The histories of the events of a folder. */
export interface LocalLiveHistories extends LiveHistories {
  find(subject: Subject): readonly HistoryEvent[];
  /** Looks at the next `find` which file is there. */
  lookAgain(): void;
  close(): void;
}

/**
 * Reads the file that an event store of this machine writes, in the thread that asks and while that waits: some ten microseconds for each
 * hundred events, however many there are. It waits for no other process. A file that is away, replaced or damaged is opened again when it is
 * back, which is tried once a second.
 */
export function openLocalLiveHistories(options: LocalLiveHistoriesOptions): LocalLiveHistories {
  const { maxItems, days, clock } = options;
  const file = followEventsFile(options, (database) => prepareReading(database, maxItems));
  return {
    find: ({ userId, sessionId }) => {
      if (userId === undefined && sessionId === undefined) return [];
      const since = clock() - days * SECONDS_PER_DAY;
      return file.read((reading) => reading(userId, sessionId, since).map(toEvent).reverse()) ?? [];
    },
    lookAgain: () => file.lookAgain(),
    close: () => file.close(),
  };
}

/** A row of the table `events`: what a history has of it. */
type Row = readonly [itemId: string, type: string, value: number | null, time: number];

/** Asks an open file for the latest events since a time, the latest first. */
type Reading = (userId: string | undefined, sessionId: string | undefined, since: number) => Row[];

/** Whose events a column tells. */
type Owner = 'user_id' | 'session_id';

/** The latest events of one who has an id, the latest first, as SQL: read off the index alone, and no more of it than that. */
export function latestEventsOf(owner: Owner, columns = 'item_id, type, value, time'): string {
  return `SELECT ${columns} FROM events WHERE ${owner} = ? AND time >= ? ORDER BY time DESC, sequence DESC LIMIT ?`;
}

/** Of a user and a session together: an event of both is there once. */
function latestEventsOfBoth(): string {
  const [ofUser, ofSession] = (['user_id', 'session_id'] as const).map(
    (owner) => `SELECT * FROM (${latestEventsOf(owner, 'sequence, item_id, type, value, time')})`,
  );
  return `SELECT item_id, type, value, time FROM (${ofUser} UNION ${ofSession}) ORDER BY time DESC, sequence DESC`;
}

function prepareReading(database: DatabaseSync, maxItems: number): Reading {
  const prepare = (sql: string): ((...given: (string | number)[]) => Row[]) => {
    const statement = database.prepare(sql);
    // Half the time of objects.
    statement.setReturnArrays(true);
    return (...given) => statement.all(...given) as unknown as Row[];
  };
  const ofUser = prepare(latestEventsOf('user_id'));
  const ofSession = prepare(latestEventsOf('session_id'));
  const ofBoth = prepare(latestEventsOfBoth());
  return (userId, sessionId, since) => {
    if (userId === undefined) return ofSession(sessionId!, since, maxItems);
    if (sessionId === undefined) return ofUser(userId, since, maxItems);
    return ofBoth(userId, since, maxItems, sessionId, since, maxItems);
  };
}

function toEvent([itemId, type, value, time]: Row): HistoryEvent {
  return { itemId, type, value: value ?? undefined, time };
}

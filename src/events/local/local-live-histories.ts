import type { DatabaseSync, StatementSync } from 'node:sqlite';
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
  const file = followEventsFile(options, prepareReading);
  return {
    find: ({ userId, sessionId }) => {
      if (userId === undefined && sessionId === undefined) return [];
      const since = clock() - days * SECONDS_PER_DAY;
      const history = file.read((reading) => {
        const ofUser = userId === undefined ? [] : reading.ofUser(userId, since, maxItems);
        const ofSession = sessionId === undefined ? [] : reading.ofSession(sessionId, since, maxItems);
        return toHistory(ofUser, ofSession);
      });
      return history ?? [];
    },
    lookAgain: () => file.lookAgain(),
    close: () => file.close(),
  };
}

/** A row of the table `events`, as both indexes have it. */
type Row = readonly [sequence: number, itemId: string, type: string, value: number | null, time: number];

/** The two questions to an open file: the latest events first. */
interface Reading {
  ofUser(userId: string, since: number, limit: number): readonly Row[];
  ofSession(sessionId: string, since: number, limit: number): readonly Row[];
}

/** The latest events of one who has an id, as SQL: of the index alone, and no more of it than it gives. */
export function latestEventsOf(column: 'user_id' | 'session_id'): string {
  return `SELECT sequence, item_id, type, value, time FROM events WHERE ${column} = ? AND time >= ? ORDER BY time DESC, sequence DESC LIMIT ?`;
}

function prepareReading(database: DatabaseSync): Reading {
  const prepare = (column: 'user_id' | 'session_id'): StatementSync => {
    const statement = database.prepare(latestEventsOf(column));
    // Half the time of objects.
    statement.setReturnArrays(true);
    return statement;
  };
  const [user, session] = [prepare('user_id'), prepare('session_id')];
  return {
    ofUser: (...given) => user.all(...given) as unknown as Row[],
    ofSession: (...given) => session.all(...given) as unknown as Row[],
  };
}

/** Both are latest first; an event of both is there once. */
function toHistory(ofUser: readonly Row[], ofSession: readonly Row[]): HistoryEvent[] {
  if (ofSession.length === 0) return ofUser.map(toEvent).reverse();
  if (ofUser.length === 0) return ofSession.map(toEvent).reverse();
  const known = new Set(ofUser.map(([sequence]) => sequence));
  return [...ofUser, ...ofSession.filter(([sequence]) => !known.has(sequence))]
    .sort((a, b) => a[4] - b[4] || a[0] - b[0])
    .map(toEvent);
}

function toEvent([, itemId, type, value, time]: Row): HistoryEvent {
  return { itemId, type, value: value ?? undefined, time };
}

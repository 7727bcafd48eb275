import { isWholeText } from '../../domain/entity-id.js';
import type { HistoryEvent } from '../../domain/event.js';
import { SECONDS_PER_DAY } from '../../domain/time.js';
import { isRedisFault, RedisFault } from '../../features/redis-connection.js';
import type { RedisReads } from '../../features/redis-reads.js';
import { historyFailed, type LiveHistories } from '../live-histories.js';
import { createEventKeys, type HistoryOwner, historyOwnersOf } from './event-keys.js';
import { parseMember } from './history-member.js';
import type { HistoryLimits } from './write-histories.js';

/** Options of `createRedisLiveHistories`. */
export interface RedisLiveHistoriesOptions {
  /** What else of a request is asked in the same turn goes in the same round trip. */
  readonly reads: RedisReads;
  readonly limits: HistoryLimits;
  /** Unix seconds: how old an event is. */
  readonly clock: () => number;
}

/** The histories that a store in Redis keeps. */
export function createRedisLiveHistories({ reads, limits, clock }: RedisLiveHistoriesOptions): LiveHistories {
  const { client, keyPrefix } = reads;
  const keys = createEventKeys(keyPrefix);

  async function readOne(owner: HistoryOwner): Promise<readonly HistoryEvent[]> {
    const oldest = clock() - limits.days * SECONDS_PER_DAY;
    try {
      const key = keys.history(owner);
      const found = await client.call(
        'ZRANGE',
        key,
        '+inf',
        oldest,
        'BYSCORE',
        'REV',
        'LIMIT',
        0,
        limits.maxItems,
        'WITHSCORES',
      );
      return parsePairs(found as readonly (string | readonly string[])[]);
    } catch (error) {
      // Of this subject alone: no reason to ask for nobody.
      if ((error as Error).message.startsWith('WRONGTYPE'))
        throw historyFailed('its key in Redis holds something else', { cause: error });
      throw new RedisFault(error);
    }
  }

  async function readAll(owners: readonly HistoryOwner[]): Promise<readonly HistoryEvent[]> {
    try {
      const found = await reads.ask(() => Promise.all(owners.map(readOne)));
      return found.length === 1 ? found[0]! : merge(found.flat());
    } catch (error) {
      if (isRedisFault(error)) throw historyFailed(error.message, { cause: error });
      throw error;
    }
  }

  return {
    find: (subject) => {
      const owners = historyOwnersOf(subject).filter(([, id]) => isWholeText(id));
      return owners.length === 0 ? [] : readAll(owners);
    },
  };
}

/** Members and scores, in pairs or after each other, as the protocol of the connection has them: latest first. What they are of, oldest first. */
function parsePairs(found: readonly (string | readonly string[])[]): HistoryEvent[] {
  const pairs = found.flat();
  const events: HistoryEvent[] = [];
  for (let at = pairs.length - 2; at >= 0; at -= 2) {
    const event = parseMember(pairs[at]!, Number(pairs[at + 1]));
    if (event !== undefined) events.push(event);
  }
  return events;
}

/** What a user and a session have both is of both: it counts once, at its latest time. */
function merge(events: readonly HistoryEvent[]): HistoryEvent[] {
  const latest = new Map<string, HistoryEvent>();
  for (const event of events) {
    const member = JSON.stringify([event.itemId, event.type, event.value]);
    const known = latest.get(member);
    if (known === undefined || known.time < event.time) latest.set(member, event);
  }
  return [...latest.values()].toSorted((left, right) => left.time - right.time);
}

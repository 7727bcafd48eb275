import type { UserEvent } from '../../domain/event.js';
import { SECONDS_PER_DAY } from '../../domain/time.js';
import { type RedisClient, RedisFault } from '../../features/redis-connection.js';
import { type EventKeys, historyOwnersOf } from './event-keys.js';
import { packMember } from './history-member.js';

/** How much of a history is kept. */
export interface HistoryLimits {
  /** The latest so many events. */
  readonly maxItems: number;
  /** A history that nobody adds to is gone after so long. */
  readonly days: number;
}

/** An event that is in the log, and whether it was before. */
export interface LoggedEvent {
  readonly event: UserEvent;
  readonly isKnown: boolean;
}

/** What is added to one history: times by member. */
interface Addition {
  readonly added: Map<string, number>;
  readonly known: Map<string, number>;
}

/**
 * Adds events to the histories of their users and sessions: a member has its latest time. An event that was in the log before may have lost
 * its place here when a process was killed; it gets one, and does not move where it has one, since its time may be that of a second try.
 * A history that is no sorted set is begun anew.
 * @throws RedisFault when some were not written
 */
export async function writeHistories(
  events: readonly LoggedEvent[],
  client: RedisClient,
  { keys, limits }: { keys: EventKeys; limits: HistoryLimits },
): Promise<void> {
  const additions = new Map<string, Addition>();
  for (const { event, isKnown } of events) {
    for (const owner of historyOwnersOf(event)) {
      const key = keys.history(owner);
      const addition = additions.get(key) ?? { added: new Map(), known: new Map() };
      additions.set(key, addition);
      enter(isKnown ? addition.known : addition.added, event);
    }
  }
  await Promise.all(Array.from(additions, ([key, addition]) => write(key, addition, { client, limits })));
}

function enter(times: Map<string, number>, event: UserEvent): void {
  const member = packMember(event);
  times.set(member, Math.max(event.time, times.get(member) ?? Number.NEGATIVE_INFINITY));
}

interface Writing {
  readonly client: RedisClient;
  readonly limits: HistoryLimits;
}

async function write(key: string, addition: Addition, writing: Writing): Promise<void> {
  try {
    await add(key, addition, writing);
  } catch (error) {
    if (!(error as Error).message.startsWith('WRONGTYPE')) throw new RedisFault(error);
    await replace(key, addition, writing);
  }
}

/** All of it is sent in one turn, in this order. */
async function add(key: string, { added, known }: Addition, { client, limits }: Writing): Promise<void> {
  const pairs = (times: Map<string, number>): (string | number)[] =>
    Array.from(times, ([member, time]) => [time, member]).flat();
  await Promise.all([
    added.size === 0 ? undefined : client.zadd(key, 'GT', ...pairs(added)),
    known.size === 0 ? undefined : client.zadd(key, 'NX', ...pairs(known)),
    client.zremrangebyrank(key, 0, -limits.maxItems - 1),
    client.expire(key, limits.days * SECONDS_PER_DAY),
  ]);
}

async function replace(key: string, addition: Addition, writing: Writing): Promise<void> {
  try {
    await writing.client.del(key);
    await add(key, addition, writing);
  } catch (error) {
    throw new RedisFault(error);
  }
}

import { type RedisClient, RedisFault } from '../../features/redis-connection.js';
import { createEventKeys, streamOf } from './event-keys.js';
import { packMember } from './history-member.js';
import { type StreamEntry, parseEntry } from './stream-entry.js';

/** Half of a surrogate pair alone has no form in UTF-8, which keys and events are in: no event is of such an id. */
const HALF_A_PAIR = /\p{Surrogate}/u;

/** Read at once. */
const PIECE = 1000;

/**
 * Removes events of a user up to a time from Redis: their history, and those of the log that are in no parquet file yet, which it reads through in pieces; of
 * these, what they left in the histories of sessions too.
 * @param events.until Unix seconds by the sender, itself included
 * @returns how many of the log, or of the history where that had more
 * @throws RedisFault; removing again is safe
 */
export async function removeUserEvents(
  { userId, until }: { readonly userId: string; readonly until: number },
  client: RedisClient,
  { prefix }: { readonly prefix: string },
): Promise<number> {
  if (HALF_A_PAIR.test(userId)) return 0;
  const keys = createEventKeys(prefix);
  const stream = keys.streams[streamOf({ userId, itemId: '', type: '', time: 0 })]!;
  try {
    const remembered = await removeFromHistory(client, keys.history(['user', userId]), until);
    let logged = 0;
    let after = '-';
    for (;;) {
      const entries = (await client.xrange(stream, after, '+', 'COUNT', PIECE)) as StreamEntry[];
      for (const entry of entries) {
        const event = parseEntry(entry);
        if (event?.userId !== userId || event.time > until) continue;
        logged += await client.xdel(stream, entry[0]);
        if (event.sessionId !== undefined)
          await client.zrem(keys.history(['session', event.sessionId]), packMember(event));
      }
      if (entries.length < PIECE) return Math.max(logged, remembered);
      after = `(${entries.at(-1)![0]}`;
    }
  } catch (error) {
    throw new RedisFault(error);
  }
}

/** A key that is no history goes whole: the next event would begin it anew. */
async function removeFromHistory(client: RedisClient, key: string, until: number): Promise<number> {
  try {
    return await client.zremrangebyscore(key, '-inf', until);
  } catch (error) {
    if (!(error as Error).message.startsWith('WRONGTYPE')) throw error;
    return client.del(key);
  }
}

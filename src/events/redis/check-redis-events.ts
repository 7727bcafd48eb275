import { describeRedisAddress, parseRedisUrl } from '../../config/parse-redis-url.js';
import type { RedisClient } from '../../features/redis-connection.js';
import type { EventsCheck, EventsContents } from '../events-check.js';
import { createSyncGuards, findLoss } from './durability.js';
import { createEventKeys, type EventKeys } from './event-keys.js';
import { measureStreams } from './measure-streams.js';
import { readMerged } from './read-merged.js';
import { type RedisCompactionOptions, requireEvents } from './redis-compaction-log.js';

/** After every entry. */
const LAST_ID = '18446744073709551615-18446744073709551615';

/**
 * Reads all events of a Redis and says what is there, and whether Redis is set to what they need; it changes nothing, and servers go on.
 * @throws ShortlistError EVENTS_UNAVAILABLE when it cannot be reached
 */
export async function checkRedisEvents({
  redis,
  syncTimeoutMs,
}: Omit<RedisCompactionOptions, 'durability'>): Promise<EventsCheck> {
  const client = await requireEvents(redis);
  const keys = createEventKeys(redis.keyPrefix);
  const path = describeRedisAddress(parseRedisUrl(redis.url));
  try {
    const problems = await listStrangeKeys(client, keys);
    const loss = await findLoss(client, createSyncGuards({ syncTimeoutMs }));
    if (loss !== undefined) problems.push(`${loss.reason}. ${loss.advice}`);
    if (problems.some((problem) => problem.includes(STRANGE))) return { path, bytes: 0, problems };
    const { bytes, uncompactedRows } = await measureStreams(client, keys);
    const { strange, ...contents } = await readContents(client, keys);
    if (strange > 0) problems.push(`${strange} entries of the streams are no events`);
    return { path, bytes, contents: { ...contents, uncompactedRows }, problems };
  } finally {
    client.disconnect();
  }
}

const STRANGE = 'in place of a stream';

async function listStrangeKeys(client: RedisClient, { streams }: EventKeys): Promise<string[]> {
  const types = await Promise.all(streams.map((stream) => client.type(stream)));
  return types.flatMap((type, index) =>
    type === 'none' || type === 'stream' ? [] : [`${streams[index]} is a ${type} ${STRANGE}`],
  );
}

async function readContents(
  client: RedisClient,
  keys: EventKeys,
): Promise<Omit<EventsContents, 'uncompactedRows'> & { strange: number }> {
  const counts = new Map<string, { day: string; type: string; rows: number }>();
  let [rows, strange, first, last] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const range = { from: keys.streams.map(() => '0-0'), to: keys.streams.map(() => LAST_ID) };
  for await (const { event } of readMerged(client, keys, range)) {
    if (event === undefined) {
      strange++;
      continue;
    }
    rows++;
    first = Math.min(first, event.time);
    last = Math.max(last, event.time);
    const day = new Date(event.keptAt * 1000).toISOString().slice(0, 10);
    const count = counts.get(`${day} ${event.type}`) ?? { day, type: event.type, rows: 0 };
    counts.set(`${day} ${event.type}`, count);
    count.rows++;
  }
  const times = rows === 0 ? {} : { first: toIso(first), last: toIso(last) };
  const sorted = [...counts.values()].toSorted((a, b) =>
    `${a.day} ${a.type}` < `${b.day} ${b.type}` ? -1 : 1,
  );
  return { rows, ...times, counts: sorted, strange };
}

function toIso(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString();
}

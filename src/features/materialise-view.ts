import type { Redis } from 'ioredis';
import { type FeatureView, rowWidthOf } from './feature-view.js';
import { mastersOf, type RedisClient, toFeaturesFailed } from './redis-connection.js';
import { createRedisKeys, parseGeneration, type RedisKeys } from './redis-keys.js';
import { createRowCodec } from './row-codec.js';

/** The rows of a view, to be loaded. */
export interface RowSource {
  readonly view: FeatureView;
  readonly ids: readonly string[];
  /** Unix seconds since when a row is true. */
  eventTimeOf(row: number): number;
  /** Writes the values of a row, as exact as the view has them, rowWidthOf(view) in all; NaN where there is none. */
  fillRow(row: number, values: Float64Array): void;
}

export interface MaterialiseOptions {
  /** Names what is loaded: the same name means the same rows. A digit first, then letters, digits, dots and hyphens. */
  readonly generation: string;
  /** After so long every key that was written is gone. */
  readonly expirySeconds: number;
  /** Called as rows are written, with how many more. */
  onRows?(count: number): void;
}

export interface Materialised {
  /** Rows written by this call. */
  readonly written: number;
  /** Rows that an earlier call, which did not end, had written. */
  readonly resumed: number;
}

/** Rows per round trip: 1,000 rows of 32 floats are 160 kB. */
const BATCH_ROWS = 1000;

/** Rows of a generation that went out of service stay for reads that are under way. */
const GRACE_SECONDS = 60;

/**
 * Loads rows into Redis as a new generation and puts it into service at once when all of it is there: no reader sees
 * half of it. A call that was cut off goes on where it stopped when it is repeated. What was in service before is gone
 * a minute later.
 * @throws ShortlistError FEATURES_FAILED when Redis fails; what was in service stays in service
 */
export async function materialiseView(
  source: RowSource,
  client: RedisClient,
  options: MaterialiseOptions,
): Promise<Materialised> {
  const { generation, expirySeconds } = options;
  const keys = createRedisKeys(source.view);
  const progress = keys.progress(generation);
  const resumed = Number((await asked(client.get(progress))) ?? 0);
  options.onRows?.(resumed);
  const encodeRow = createRowEncoder(source);
  for (let first = resumed; first < source.ids.length; first += BATCH_ROWS) {
    const end = Math.min(first + BATCH_ROWS, source.ids.length);
    const writes: Promise<unknown>[] = [];
    for (let row = first; row < end; row++) {
      writes.push(client.set(keys.loaded(generation, source.ids[row]!), encodeRow(row), 'EX', expirySeconds));
    }
    await asked(Promise.all(writes));
    // Not with the rows: on another node of a cluster it could arrive without them.
    await asked(client.set(progress, end, 'EX', expirySeconds));
    options.onRows?.(end - first);
  }
  const previous = await asked(client.set(keys.pointer, generation, 'EX', expirySeconds, 'GET'));
  await asked(client.del(progress));
  await asked(retire(previous, client, { keys, generation }));
  return { written: source.ids.length - resumed, resumed };
}

/** What Redis answers. Mistakes of our own are no failures of Redis: only what waits for its replies is wrapped in this. */
async function asked<T>(reply: Promise<T>): Promise<T> {
  try {
    return await reply;
  } catch (error) {
    throw toFeaturesFailed(error);
  }
}

function createRowEncoder(source: RowSource): (row: number) => Buffer {
  const codec = createRowCodec(source.view);
  const values = new Float64Array(rowWidthOf(source.view));
  return (row) => {
    source.fillRow(row, values);
    return codec.encode(values, source.eventTimeOf(row));
  };
}

async function retire(
  previous: string | null,
  client: RedisClient,
  { keys, generation }: { keys: RedisKeys; generation: string },
): Promise<void> {
  const old = parseGeneration(previous === null ? undefined : Buffer.from(previous));
  if (old === undefined || old === generation) return;
  // Should it come back, nothing of it is there any more that could be gone on with.
  await client.del(keys.progress(old));
  await Promise.all(mastersOf(client).map((node) => expireRows(node, keys.loaded(old, '*'))));
}

async function expireRows(node: Redis, pattern: string): Promise<void> {
  let cursor = '0';
  do {
    const [next, found] = await node.scan(cursor, 'MATCH', pattern, 'COUNT', BATCH_ROWS);
    await Promise.all(found.map((key) => node.expire(key, GRACE_SECONDS)));
    cursor = next;
  } while (cursor !== '0');
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ForgottenUsers, isLeftOut } from '../domain/forgetting.js';
import type { FeatureView } from './feature-view.js';
import { type RedisClient, toFeaturesFailed } from './redis-connection.js';
import { createRedisKeys, type KeySpace } from './redis-keys.js';
import { createRowCodec, ROW_PREFIX_BYTES } from './row-codec.js';

/** New values of one entity. */
export interface PushedRow {
  readonly id: string;
  /** Unix seconds at which they became true. */
  readonly eventTime: number;
  /** rowWidthOf(view) numbers; NaN in the first place of a field that has no value. */
  readonly values: ArrayLike<number>;
}

/** Options of `pushRows`. */
export interface PushOptions {
  readonly view: FeatureView;
  readonly space: KeySpace;
  /** After so long every row that was written is gone. */
  readonly expirySeconds: number;
  /** Users who asked to be forgotten: what is older than that is not written. */
  readonly forgotten?: ForgottenUsers | undefined;
  /** Called after every round trip, with how many more rows Redis has answered for. */
  onRows?(count: number): void;
}

/** Counts of the rows that were pushed. */
export interface PushCounts {
  readonly written: number;
  /** Rows that Redis had with a newer event time, which stay; and rows of before their user asked to be forgotten. */
  readonly older: number;
}

/**
 * Compares and writes in one step, which Redis does not interleave. What is no row of the same view is overwritten.
 * KEYS: the row's key. ARGV: the new row, seconds until it expires.
 */
const UPSERT = `
local old = redis.pcall('GET', KEYS[1])
if type(old) == 'string' and #old == #ARGV[1]
  and string.sub(old, 1, ${ROW_PREFIX_BYTES}) == string.sub(ARGV[1], 1, ${ROW_PREFIX_BYTES})
  and struct.unpack('>d', old, ${ROW_PREFIX_BYTES + 1}) > struct.unpack('>d', ARGV[1], ${ROW_PREFIX_BYTES + 1}) then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1`;

/** Rows per round trip: what waits for Redis in memory, whatever is pushed. */
const BATCH_ROWS = 500;

/** Rows that are handed over between two turns of the event loop. */
const SLICE_ROWS = 100;

/**
 * Upserts whole rows over what `materialise` loaded, each unless a row with a newer event time was pushed before. They
 * stay over later generations, and a reader takes the newer of the two by event time.
 * @throws ShortlistError FEATURES_FAILED when Redis fails; some rows may be written then, and pushing all again is safe
 */
export async function pushRows(
  rows: readonly PushedRow[],
  client: RedisClient,
  options: PushOptions,
): Promise<PushCounts> {
  const codec = createRowCodec(options.view, options.space);
  const keys = createRedisKeys(options.view, options.space);
  let written = 0;
  for (let first = 0; first < rows.length; first += BATCH_ROWS) {
    const given = rows.slice(first, first + BATCH_ROWS);
    const batch = given.filter((row) => !isOfForgotten(row, options));
    const upserts: Promise<unknown[]>[] = [];
    for (let start = 0; start < batch.length; start += SLICE_ROWS) {
      const upsert = ({ id, eventTime, values }: PushedRow): Promise<unknown> =>
        client.eval(UPSERT, 1, keys.pushed(id), codec.encode(values, eventTime), options.expirySeconds);
      const slice = Promise.all(batch.slice(start, start + SLICE_ROWS).map(upsert));
      // Who waits for all of them is told; until then nobody else is there to be.
      slice.catch(() => undefined);
      upserts.push(slice);
      await nextTurn();
    }
    const answered = await Promise.all(upserts).catch((error: unknown) => {
      throw toFeaturesFailed(error);
    });
    const answers = answered.flat();
    written += answers.filter((answer) => answer === 1).length;
    options.onRows?.(given.length);
  }
  return { written, older: rows.length - written };
}

function isOfForgotten({ id, eventTime }: PushedRow, { forgotten }: PushOptions): boolean {
  return forgotten !== undefined && isLeftOut({ userId: id, time: eventTime }, forgotten);
}

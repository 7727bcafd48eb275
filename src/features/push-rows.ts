import type { Redis } from 'ioredis';
import type { FeatureView } from './feature-view.js';
import { toFeaturesFailed } from './redis-connection.js';
import { createRedisKeys } from './redis-keys.js';
import { createRowCodec, ROW_PREFIX_BYTES } from './row-codec.js';

/** New values of one entity. */
export interface PushedRow {
  readonly id: string;
  /** Unix seconds at which they became true. */
  readonly eventTime: number;
  /** One per field of the view; NaN where there is none. */
  readonly values: Float32Array;
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

/**
 * Upserts whole rows over what `materialise` loaded, each unless a row with a newer event time was pushed before. They
 * stay over later generations, and a reader takes the newer of the two by event time.
 * @returns how many were written; the others were older than what was there
 * @throws ShortlistError FEATURES_FAILED when Redis fails; some rows may be written then, and pushing all again is safe
 */
export async function pushRows(
  rows: readonly PushedRow[],
  client: Redis,
  options: { view: FeatureView; expirySeconds: number },
): Promise<number> {
  const codec = createRowCodec(options.view);
  const keys = createRedisKeys(options.view);
  try {
    const written = await Promise.all(
      rows.map(({ id, eventTime, values }) =>
        client.eval(UPSERT, 1, keys.pushed(id), codec.encode(values, eventTime), options.expirySeconds),
      ),
    );
    return written.filter((answer) => answer === 1).length;
  } catch (error) {
    throw toFeaturesFailed(error);
  }
}

import type { Redis } from 'ioredis';
import { type BreakerOptions, createBreaker } from './circuit-breaker.js';
import { type FeatureRows, type FeatureStore, VALUE_STATUS, type ValueStatus } from './feature-store.js';
import type { FeatureView } from './feature-view.js';
import { type Freshness, refuseStale, timesToLiveOf } from './freshness.js';
import { openRedis, type RedisConnectionOptions, toFeaturesFailed } from './redis-connection.js';
import { createRedisKeys, parseGeneration } from './redis-keys.js';
import { createRowCodec, type RowFault } from './row-codec.js';

/** What a Redis store has to tell. */
export interface RedisStoreObserver {
  /** A key held something that is no row of the view; it counts as absent. */
  rowRefused(reason: RowFault | 'wrong_type'): void;
  /** The store is not asked any more, or again. */
  availabilityChanged(available: boolean): void;
}

export interface RedisStoreOptions {
  readonly redis: RedisConnectionOptions;
  readonly breaker: BreakerOptions;
  readonly freshness: Freshness;
  readonly observer: RedisStoreObserver;
}

/**
 * Serves the rows of a view from Redis: what `materialise` loaded and what `push` changed, the newer of the two by event
 * time. Any number of ids takes one round trip, shared with whatever else is asked in the same turn of the event loop.
 * A read right after a new generation came into service takes two. Redis may be away when the store opens.
 */
export async function openRedisStore(
  view: FeatureView,
  { redis, breaker, freshness, observer }: RedisStoreOptions,
): Promise<FeatureStore> {
  const client = await openRedis(redis);
  const rowReader = createRowReader(view, client, observer);
  const guard = createBreaker(breaker, {
    probe: () => rowReader.probe(),
    onChange: (available) => observer.availabilityChanged(available),
  });
  const fill = createRowFiller(view, freshness);
  return {
    view,
    getMany: async (ids, rows, { now }) => {
      if (ids.length === 0) return;
      const found = await guard.run(() => rowReader.read(ids));
      fill(ids, found, { rows, now });
    },
    close: async () => client.disconnect(),
  };
}

/** Half of a surrogate pair alone: UTF-8, which keys are in, has no form for it, so no entity has such an id. */
const HALF_A_PAIR = /\p{Surrogate}/u;

interface RowReader {
  /** The bytes of each id's newest row; undefined for an id that has none. */
  read(ids: readonly string[]): Promise<(Buffer | undefined)[]>;
  probe(): Promise<unknown>;
}

function createRowReader(view: FeatureView, client: Redis, observer: RedisStoreObserver): RowReader {
  const codec = createRowCodec(view);
  const keys = createRedisKeys(view);
  /** The generation last seen in service: its rows are asked for together with the pointer, in the hope that it still is. */
  let generation: string | undefined;

  async function readKey(key: string): Promise<Buffer | undefined> {
    try {
      return (await client.getBuffer(key)) ?? undefined;
    } catch (error) {
      if (!(error as Error).message.startsWith('WRONGTYPE')) throw toFeaturesFailed(error);
      observer.rowRefused('wrong_type');
      return undefined;
    }
  }

  async function readRow(id: string, key: string): Promise<Buffer | undefined> {
    if (HALF_A_PAIR.test(id)) return undefined;
    const bytes = await readKey(key);
    const fault = bytes === undefined ? undefined : codec.findFault(bytes);
    if (fault === undefined) return bytes;
    observer.rowRefused(fault);
    return undefined;
  }

  function readLoaded(ids: readonly string[], from: string | undefined): Promise<(Buffer | undefined)[]> {
    if (from === undefined) return Promise.resolve([]);
    return Promise.all(ids.map((id) => readRow(id, keys.loaded(from, id))));
  }

  function pickNewer(pushed: Buffer | undefined, loaded: Buffer | undefined): Buffer | undefined {
    if (pushed === undefined || loaded === undefined) return pushed ?? loaded;
    return codec.eventTimeOf(pushed) >= codec.eventTimeOf(loaded) ? pushed : loaded;
  }

  return {
    probe: () => readKey(keys.pointer),
    read: async (ids) => {
      const hoped = generation;
      const [pointer, pushed, early] = await Promise.all([
        readKey(keys.pointer),
        Promise.all(ids.map((id) => readRow(id, keys.pushed(id)))),
        readLoaded(ids, hoped),
      ]);
      const current = parseGeneration(pointer);
      generation = current;
      const loaded = current === hoped ? early : await readLoaded(ids, current);
      return ids.map((_, index) => pickNewer(pushed[index], loaded[index]));
    },
  };
}

type RowFiller = (
  ids: readonly string[],
  found: readonly (Buffer | undefined)[],
  options: { rows: FeatureRows; now: number },
) => void;

function createRowFiller(view: FeatureView, freshness: Freshness): RowFiller {
  const { PRESENT, DEFAULTED, STALE, UNKNOWN_ENTITY } = VALUE_STATUS;
  const codec = createRowCodec(view);
  const defaults = Float32Array.from(view.fields, (field) => field.default);
  const timesToLive = timesToLiveOf(view, freshness);

  function statusOf(field: number, value: number, ageSeconds: number): ValueStatus {
    if (Number.isNaN(value)) return DEFAULTED;
    return ageSeconds >= timesToLive[field]! ? STALE : PRESENT;
  }

  return (ids, found, { rows, now }) => {
    ids.forEach((id, row) => {
      const bytes = found[row];
      const ageSeconds = bytes === undefined ? 0 : now - codec.eventTimeOf(bytes);
      for (let field = 0; field < view.fields.length; field++) {
        const value = bytes === undefined ? Number.NaN : codec.valueAt(bytes, field);
        const status = bytes === undefined ? UNKNOWN_ENTITY : statusOf(field, value, ageSeconds);
        if (status === STALE && freshness.whenStale === 'refuse') throw refuseStale(view, { id, field });
        const kept = status === PRESENT || (status === STALE && freshness.whenStale === 'use');
        const at = row * view.fields.length + field;
        rows.values[at] = kept ? value : defaults[field]!;
        rows.statuses[at] = status;
      }
    });
  };
}

import type { Test } from 'tap';
import type { Redis } from 'ioredis';
import { createFeatureRows, type FeatureStore, VALUE_STATUS } from '../../src/features/feature-store.js';
import type { FeatureView } from '../../src/features/feature-view.js';
import type { LoadableRows } from '../../src/features/materialise-view.js';
import { type RedisConnectionOptions, requireRedis } from '../../src/features/redis-connection.js';
import type { KeySpace } from '../../src/features/redis-keys.js';
import { type RedisReadsOptions, shareRedisReads } from '../../src/features/redis-reads.js';
import { openRedisStores, type RedisStoreOptions } from '../../src/features/redis-store.js';
import type { GenerationFault } from '../../src/features/watch-generation.js';

/** Unix seconds: when the rows of `rowSource` became true. */
export const LOADED_AT = 1_700_000_000;

export const USERS: FeatureView = {
  name: 'users',
  entity: 'user',
  key: 'user_id',
  file: 'features/users.parquet',
  fields: [
    { name: 'age', type: 'float32', default: 35 },
    { name: 'premium', type: 'boolean', default: -1 },
    { name: 'country', type: 'category', default: -1, dictionary: ['fr', 'uk'] },
  ],
};

/** Whose keys and rows those of the tests are. */
export const SPACE: KeySpace = { prefix: 'shortlist:', dataset: 'shop' };

/** Users u0, u1, … of `age` and no country. */
export function rowSource(count: number, options: { age?: number; eventTime?: number } = {}): LoadableRows {
  const { age = 20, eventTime = LOADED_AT } = options;
  return {
    view: USERS,
    ids: Array.from({ length: count }, (_, user) => `u${user}`),
    eventTimeOf: () => eventTime,
    fillRow: (row, values) => values.set([age, row % 2, Number.NaN]),
  };
}

/** Timeouts that a busy machine does not reach. */
export function patient(url: string): RedisConnectionOptions {
  return {
    url,
    keyPrefix: SPACE.prefix,
    connectTimeoutMs: 10_000,
    commandTimeoutMs: 10_000,
    socketTimeoutMs: 10_000,
  };
}

/** The timeouts that ship. */
export function impatient(url: string): RedisConnectionOptions {
  return {
    url,
    keyPrefix: SPACE.prefix,
    connectTimeoutMs: 500,
    commandTimeoutMs: 50,
    socketTimeoutMs: 1000,
  };
}

/** A client for what the test itself does in Redis. */
export async function connect(t: Test, url: string): Promise<Redis> {
  const client = await requireRedis(patient(url));
  t.teardown(() => client.disconnect());
  return client as Redis;
}

/** The breaker that ships, tried again sooner. */
export const BREAKER = { calls: 20, failureShare: 0.5, probeAfterMs: 100 };

export interface StoreChanges extends Partial<RedisStoreOptions>, Partial<RedisReadsOptions> {
  readonly view?: FeatureView;
}

/** What stores told: reasons of refused rows, availability, event times. */
export interface Told {
  readonly refused: string[];
  readonly changes: boolean[];
  readonly newest: number[];
  /** What was wrong with the generation in service, at each change; undefined for nothing. */
  readonly faults: (GenerationFault | undefined)[];
}

/** A store of `USERS` that is closed with the test, and what it told. */
export async function openStore(
  t: Test,
  url: string,
  changes: StoreChanges = {},
): Promise<{ store: FeatureStore } & Told> {
  const { view = USERS, ...options } = changes;
  const { stores, ...told } = await openStores(t, url, { views: [view], ...options });
  return { store: stores[0]!, ...told };
}

/** The same of several views, over one connection. */
export async function openStores(
  t: Test,
  url: string,
  {
    views,
    redis = patient(url),
    breaker = BREAKER,
    ...changes
  }: Partial<RedisStoreOptions> & Partial<RedisReadsOptions> & { views: readonly FeatureView[] },
): Promise<{ stores: FeatureStore[] } & Told> {
  const told: Told = { refused: [], changes: [], newest: [], faults: [] };
  const stores = await openRedisStores(views, {
    reads: await shareRedisReads({ redis, breaker })(),
    dataset: SPACE.dataset,
    observer: {
      rowRefused: (_view, reason) => told.refused.push(reason),
      availabilityChanged: (available) => told.changes.push(available),
      newestEvent: (_view, eventTime) => told.newest.push(eventTime),
      generationChanged: (_view, fault) => told.faults.push(fault),
    },
    ...changes,
  });
  t.teardown(() => Promise.all(stores.map((store) => store.close())));
  return { stores, ...told };
}

const STATUS_NAMES = new Map(Object.entries(VALUE_STATUS).map(([name, status]) => [status as number, name]));

/** The row of one id, as `[value, status name]` per field. */
export async function readOne(
  store: FeatureStore,
  id: string,
  now: number = LOADED_AT,
): Promise<[number, string][]> {
  const rows = createFeatureRows(store.view, 1);
  await store.getMany([id], rows, { now });
  return Array.from(rows.values, (value, field) => [value, STATUS_NAMES.get(rows.statuses[field]!)!]);
}

/** What `readOne` gives for an id that is not there. */
export const UNKNOWN: [number, string][] = [
  [35, 'UNKNOWN_ENTITY'],
  [-1, 'UNKNOWN_ENTITY'],
  [-1, 'UNKNOWN_ENTITY'],
];

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Test } from 'tap';
import type { EventStore } from '../../../src/events/event-store.js';
import type { EventStoreFailure } from '../../../src/events/event-store-observer.js';
import { type RedisServer, startLastingServer } from '../../support/redis-server.js';
import { openStore, type RedisPlace, type StoreChanges } from '../store-place.js';

let places = 0;

/** An empty part of a Redis. */
export function createPlace(url: string, changes: Partial<RedisPlace> = {}): RedisPlace {
  return { store: 'redis', url, keyPrefix: `p${places++}:`, ...changes };
}

/** A server whose writes are on its disk before it answers. */
export async function startDurableRedis(
  t: Test,
  args: readonly string[] = [],
  program?: string,
): Promise<RedisServer & { readonly dir: string }> {
  const dir = join(t.testdir({}), `redis-${places++}`);
  mkdirSync(dir);
  return { dir, ...(await startLastingServer(t, { dir, args, ...(program !== undefined && { program }) })) };
}

/** What a store told, as `reason`s; undefined where it was over. */
export interface ToldFaults {
  readonly failures: (EventStoreFailure | undefined)[];
  readonly losses: (EventStoreFailure | undefined)[];
  readonly histories: (EventStoreFailure | undefined)[];
}

/** A store of a place, closed with the test, and what it told. */
export async function openPlace(
  t: Test,
  place: RedisPlace,
  changes: StoreChanges = {},
): Promise<{ store: EventStore } & ToldFaults> {
  const told: ToldFaults = { failures: [], losses: [], histories: [] };
  const store = await openStore(place, {
    syncMs: 0,
    ...changes,
    observer: {
      changed: (failure) => void told.failures.push(failure),
      durabilityChanged: (loss) => void told.losses.push(loss),
      historiesChanged: (failure) => void told.histories.push(failure),
      ...changes.observer,
    },
  });
  t.teardown(() => store.close());
  return { store, ...told };
}

/** A client for what a test itself does. */
export function connectTo(t: Test, url: string): Redis {
  const client = new Redis(url);
  client.on('error', () => undefined);
  t.teardown(() => client.disconnect());
  return client;
}

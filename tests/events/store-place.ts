import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { KeptEvent } from '../../src/domain/event.js';
import type { EventStore } from '../../src/events/event-store.js';
import type { EventStoreObserver } from '../../src/events/event-store-observer.js';
import { openLocalEventStore } from '../../src/events/local/local-event-store.js';
import {
  openRedisEventStore,
  type RedisEventStoreOptions,
} from '../../src/events/redis/redis-event-store.js';
import { requireRedis } from '../../src/features/redis-connection.js';
import { BREAKER, patient } from '../support/redis-view.js';

/** Where a store keeps its events; plain data, so that other processes can be told. */
export type StorePlace = LocalPlace | RedisPlace;

/** A folder. */
export interface LocalPlace {
  readonly store: 'local';
  readonly folder: string;
}

/** A Redis, or the part of it whose keys begin so. */
export interface RedisPlace {
  readonly store: 'redis';
  readonly url: string;
  readonly keyPrefix: string;
  readonly durability?: 'required' | 'memory';
}

export const SILENT_OBSERVER: EventStoreObserver = {
  committed: () => undefined,
  measured: () => undefined,
  begun: () => undefined,
  changed: () => undefined,
};

/** What a test may say of a store that is opened. */
export type StoreChanges = Partial<Omit<RedisEventStoreOptions, 'observer'>> & {
  readonly observer?: Partial<EventStoreObserver>;
};

/** A store of a place; several may be open at once. */
export function openStore(
  place: StorePlace,
  { observer: told, syncMs = 2, ...changes }: StoreChanges = {},
): Promise<EventStore> {
  const observer = { ...SILENT_OBSERVER, ...told };
  if (place.store === 'local') return openLocalEventStore({ folder: place.folder, syncMs, observer });
  const { url, keyPrefix, durability = 'required' } = place;
  return openRedisEventStore({
    redis: { ...patient(url), keyPrefix },
    breaker: BREAKER,
    durability,
    syncTimeoutMs: 4000,
    knownDays: 31,
    history: { maxItems: 200, days: 30 },
    ...changes,
    syncMs,
    observer,
  });
}

/** Everything in a store, in the order of each user's events, read without the code under test. */
export async function listAll(place: StorePlace): Promise<ListedEvent[]> {
  return place.store === 'local' ? listEvents(place) : listStreams(place);
}

/** An event that is listed. */
export type ListedEvent = Omit<KeptEvent, 'keptAt'>;

async function listStreams({ url, keyPrefix }: RedisPlace): Promise<ListedEvent[]> {
  const client = await requireRedis(patient(url));
  const listed: ListedEvent[] = [];
  for (let stream = 0; stream < 16; stream++) {
    for (const [id, [, text]] of await client.xrange(`${keyPrefix}events:${stream}`, '-', '+')) {
      const [milliseconds, counter] = id.split('-').map(Number);
      const sequence = (milliseconds! - 1_700_000_000_000) * 10_000 + counter!;
      listed.push({ ...(JSON.parse(text!) as ListedEvent), sequence });
    }
  }
  client.disconnect();
  return listed;
}

/** Everything in a file, in its order, read without the code under test. */
export function listEvents({ folder }: LocalPlace): ListedEvent[] {
  const database = new DatabaseSync(join(folder, 'events.sqlite'), { timeout: 5000 });
  try {
    return database
      .prepare('SELECT * FROM events ORDER BY sequence')
      .all()
      .map((row) => {
        const event = {
          sequence: row['sequence'],
          eventId: row['event_id'],
          userId: row['user_id'],
          sessionId: row['session_id'],
          itemId: row['item_id'],
          type: row['type'],
          value: row['value'],
          time: row['time'],
          slateId: row['slate_id'],
          context: row['context'] === null ? null : (JSON.parse(String(row['context'])) as unknown),
        };
        const said = Object.entries(event).filter(([, value]) => value !== null);
        return Object.fromEntries(said) as unknown as ListedEvent;
      });
  } finally {
    database.close();
  }
}

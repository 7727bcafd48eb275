import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { KeptEvent } from '../../src/domain/event.js';
import type { EventStore } from '../../src/events/event-store.js';
import type { EventStoreObserver } from '../../src/events/event-store-observer.js';
import { openLocalEventStore } from '../../src/events/local/local-event-store.js';

/** Where a store keeps its events; plain data, so that other processes can be told. */
export interface StorePlace {
  readonly store: 'local';
  readonly folder: string;
}

export const SILENT_OBSERVER: EventStoreObserver = {
  committed: () => undefined,
  measured: () => undefined,
  begun: () => undefined,
  changed: () => undefined,
};

/** A store of a place; several may be open at once. */
export function openStore(
  { folder }: StorePlace,
  { observer, syncMs = 2 }: { observer?: Partial<EventStoreObserver>; syncMs?: number } = {},
): Promise<EventStore> {
  return openLocalEventStore({ folder, syncMs, observer: { ...SILENT_OBSERVER, ...observer } });
}

/** Everything in a store, in its order, read without the code under test. */
export function listEvents({ folder }: StorePlace): Omit<KeptEvent, 'keptAt'>[] {
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
        return Object.fromEntries(said) as unknown as Omit<KeptEvent, 'keptAt'>;
      });
  } finally {
    database.close();
  }
}

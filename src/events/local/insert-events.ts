import type { DatabaseSync } from 'node:sqlite';
import type { UserEvent } from '../../domain/event.js';
import { packError } from '../../domain/packed-error.js';
import type { Insertion } from '../commit-queue.js';
import { keyOfEvent } from '../event-key.js';
import { rollBack } from './roll-back.js';
import { StorageError, toStorageError } from './storage-fault.js';

/**
 * Makes what inserts the events of several requests, each a JSON array of `UserEvent`, in one transaction: all are on the disk when it
 * returns. A request that fails over a mistake of ours fails alone.
 * @throws of what it makes: StorageError, and then nothing was inserted
 */
export function createInserter(
  database: DatabaseSync,
): (requests: readonly string[], keptAt: number) => Insertion[] {
  const insertKey = database.prepare('INSERT INTO event_keys VALUES (?, ?) ON CONFLICT DO NOTHING');
  const insertEvent = database.prepare(
    `INSERT INTO events (user_id, session_id, item_id, type, value, time, event_id, slate_id, context, kept_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const [savepoint, release, rollback] = ['SAVEPOINT request', 'RELEASE request', 'ROLLBACK TO request'].map(
    (sql) => database.prepare(sql),
  );

  function insertOne(event: UserEvent, keptAt: number): number {
    const key = keyOfEvent(event);
    if (key !== undefined && insertKey.run(key, keptAt).changes === 0) return 0;
    insertEvent.run(
      event.userId ?? null,
      event.sessionId ?? null,
      event.itemId,
      event.type,
      event.value ?? null,
      event.time,
      event.eventId ?? null,
      event.slateId ?? null,
      event.context === undefined ? null : JSON.stringify(event.context),
      keptAt,
    );
    return 1;
  }

  function insertRequest(request: string, keptAt: number): Insertion {
    savepoint!.run();
    try {
      const events = JSON.parse(request) as readonly UserEvent[];
      const inserted = Uint8Array.from(events, (event) => insertOne(event, keptAt));
      release!.run();
      return inserted;
    } catch (error) {
      const fault = toStorageError(error);
      if (fault instanceof StorageError) throw fault;
      rollback!.run();
      release!.run();
      return packError(error);
    }
  }

  return (requests, keptAt) => {
    try {
      database.exec('BEGIN IMMEDIATE');
      const insertions = requests.map((request) => insertRequest(request, keptAt));
      database.exec('COMMIT');
      return insertions;
    } catch (error) {
      rollBack(database);
      throw toStorageError(error);
    }
  };
}

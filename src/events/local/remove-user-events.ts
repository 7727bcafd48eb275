import type { DatabaseSync } from 'node:sqlite';
import { transactPiece } from './transact.js';

/** The events of a user up to a time. */
export interface EventsToRemove {
  readonly userId: string;
  /** Unix seconds by the sender, itself included. */
  readonly until: number;
}

/** Removed at once: a writer waits for some milliseconds at most. */
const PIECE = 1000;

/**
 * Removes events of a user, in pieces; writers go on meanwhile. What is known of their ids stays, since nobody can be read from it. What is
 * removed is written over, and leaves the log of SQLite as soon as nobody reads there; where SQLite once moved entries of an index from page to page, copies of
 * ids may stay in unused parts of pages until these are used again.
 * @returns how many
 */
export function removeUserEvents(database: DatabaseSync, { userId, until }: EventsToRemove): number {
  database.exec('PRAGMA secure_delete = ON');
  const remove = database.prepare(
    `DELETE FROM events WHERE sequence IN
       (SELECT sequence FROM events WHERE user_id = ? AND time <= ? LIMIT ${PIECE})
     RETURNING sequence > (SELECT value FROM state WHERE name = 'compacted_to') AS ahead`,
  );
  const count = database.prepare('UPDATE state SET value = value + ? WHERE name = ?');
  let removed = 0;
  for (;;) {
    let changes = 0;
    transactPiece(database, () => {
      const rows = remove.all(userId, until);
      changes = rows.length;
      count.run(changes, 'removed');
      count.run(rows.filter(({ ahead }) => ahead === 1).length, 'removed_ahead');
    });
    removed += changes;
    if (changes < PIECE) break;
  }
  if (removed > 0) database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  return removed;
}

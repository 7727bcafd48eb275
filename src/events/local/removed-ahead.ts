import type { DatabaseSync } from 'node:sqlite';

/** Counts the events that were removed before they were in parquet, as a SELECT that reads all of those that are not. */
export const COUNT_GAPS = `SELECT (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events') - value
    - (SELECT count(*) FROM events WHERE sequence > state.value) FROM state WHERE name = 'compacted_to'`;

/** Writes their number down, inside the transaction that moved `compacted_to`: few events came since. */
export function recountRemovedAhead(database: DatabaseSync): void {
  database.exec(
    `INSERT INTO state VALUES ('removed_ahead', (${COUNT_GAPS})) ON CONFLICT DO UPDATE SET value = excluded.value`,
  );
}

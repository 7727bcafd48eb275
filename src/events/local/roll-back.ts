import type { DatabaseSync } from 'node:sqlite';

/** What keeps a transaction from being rolled back would only hide what ended it: whoever meets an error closes the file. */
export function rollBack(database: DatabaseSync): void {
  try {
    if (database.isTransaction) database.exec('ROLLBACK');
  } catch {
    // Closing the file rolls it back too.
  }
}

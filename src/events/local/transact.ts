import type { DatabaseSync } from 'node:sqlite';
import { rollBack } from './roll-back.js';

/** Runs statements that count together, or not at all. */
export function transact(database: DatabaseSync, run: () => void): void {
  database.exec('BEGIN IMMEDIATE');
  try {
    run();
    database.exec('COMMIT');
  } catch (error) {
    rollBack(database);
    throw error;
  }
}

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

/**
 * The same for one piece of a long work: then it waits for as long as that took, in the thread that asks. A writer that found the file held looks again
 * once in a while, up to a tenth of a second later, and would find it held by the next piece for as long as there is one.
 */
export function transactPiece(database: DatabaseSync, run: () => void): void {
  const startedAt = performance.now();
  transact(database, run);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, performance.now() - startedAt);
}

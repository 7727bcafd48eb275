import type { History } from '../domain/history.js';

/** Holds what each user did. */
export interface HistoryStore {
  /**
   * The history of a user by raw id; empty for a user that the store does not know. A store in memory answers at once; one outside of
   * the process gives a promise.
   */
  find(userId: string): History | Promise<History>;
}

import {
  EMPTY_HISTORY,
  historyOf,
  typedOf,
  unwantedOf,
  withoutTypes,
  type Histories,
  type History,
  type TypedEntries,
  type UnwantedItems,
} from '../domain/history.js';
import type { IdIndex } from '../domain/id-index.js';
import type { HistoryStore } from './history-store.js';

/** The histories of a bundle. */
export interface MemoryHistories extends HistoryStore {
  find(userId: string): History;
  /** Items that a user said they do not want, oldest first. */
  findUnwanted(userId: string): UnwantedItems;
  /** What a user did, by type. Where the bundle knows no types, the history, of no known type. */
  findTyped(userId: string): TypedEntries;
  /** The entries of all users, by user index. */
  readonly table: Histories;
}

/** A history store over the tables of a bundle: each history is a view of them, without a copy. */
export function createMemoryHistories(users: IdIndex, table: Histories): MemoryHistories {
  return {
    table,
    find: (userId) => {
      const user = users.find(userId);
      return user < 0 ? EMPTY_HISTORY : historyOf(table, user);
    },
    findUnwanted: (userId) => {
      const user = users.find(userId);
      return user < 0 ? EMPTY_HISTORY : unwantedOf(table, user);
    },
    findTyped: (userId) => {
      const user = users.find(userId);
      return user < 0 ? withoutTypes(EMPTY_HISTORY) : typedOf(table, user);
    },
  };
}

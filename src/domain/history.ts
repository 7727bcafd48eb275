/** The interactions of one user, oldest first: one entry per item, at the time of its latest interaction. */
export interface History {
  /** Item indexes. */
  readonly items: Int32Array;
  /** Unix seconds, ascending. */
  readonly timestamps: Float64Array;
  /** Rating, weight or count as the dataset gave it (the largest of an item's weights); 1 where it gave none. */
  readonly values: Float32Array;
}

/**
 * The latest words of a subject on each item, by live events, whether a bundle has them or not, oldest first: data only, which threads can
 * hand on.
 */
export interface LiveHistory {
  /**
   * Item indexes: each once, or twice where the subject did not want the item and then did: what a bundle has of the item from before the
   * first does not count.
   */
  readonly items: Int32Array;
  /** Unix seconds, ascending. */
  readonly timestamps: Float64Array;
  /** As in `History`. */
  readonly values: Float32Array;
  /** 1 where the subject does not want the item, else 0. */
  readonly negative: Uint8Array;
}

/** The histories of all users, stored one after the other (compressed sparse rows). */
export interface Histories {
  /** `offsets[u] .. offsets[u + 1]` are the entries of user index u; length users + 1. */
  readonly offsets: Uint32Array;
  readonly items: Int32Array;
  readonly timestamps: Float64Array;
  readonly values: Float32Array;
  /** Absent where nobody ever said so. */
  readonly unwanted?: UnwantedTable | undefined;
}

/** Items with the time (Unix seconds) at which somebody said that they are not wanted, oldest first. */
export type UnwantedItems = Pick<History, 'items' | 'timestamps'>;

/** The same of all users, stored as histories are: no item is in the history of its user. */
export type UnwantedTable = Pick<Histories, 'offsets' | 'items' | 'timestamps'>;

/** The history of a user who did nothing, or whom training did not know. */
export const EMPTY_HISTORY: History = {
  items: new Int32Array(0),
  timestamps: new Float64Array(0),
  values: new Float32Array(0),
};

/** A view (no copy) of one user's entries. */
export function historyOf(histories: Histories, userIndex: number): History {
  const start = histories.offsets[userIndex]!;
  const end = histories.offsets[userIndex + 1]!;
  return {
    items: histories.items.subarray(start, end),
    timestamps: histories.timestamps.subarray(start, end),
    values: histories.values.subarray(start, end),
  };
}

/** A view (no copy) of what one user does not want. */
export function unwantedOf({ unwanted }: Histories, userIndex: number): UnwantedItems {
  if (unwanted === undefined) return EMPTY_HISTORY;
  const start = unwanted.offsets[userIndex]!;
  const end = unwanted.offsets[userIndex + 1]!;
  return { items: unwanted.items.subarray(start, end), timestamps: unwanted.timestamps.subarray(start, end) };
}

/** A view (no copy) of the latest `count` entries of a history. */
export function latestOf(history: History, count: number): History {
  const start = Math.max(0, history.items.length - count);
  if (start === 0) return history;
  return {
    items: history.items.subarray(start),
    timestamps: history.timestamps.subarray(start),
    values: history.values.subarray(start),
  };
}

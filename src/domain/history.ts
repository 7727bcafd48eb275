/** The interactions of one user, oldest first: one entry per item, at the time of its latest interaction. */
export interface History {
  /** Item indexes. */
  readonly items: Int32Array;
  /** Unix seconds, ascending. */
  readonly timestamps: Float64Array;
  /** Rating, weight or count as the dataset gave it (the largest of an item's weights); 1 where it gave none. */
  readonly values: Float32Array;
}

/** The latest items of a history that a model counts, unless it says otherwise. */
export const DEFAULT_MAX_HISTORY = 1000;

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
  /** What the subject did with items that the bundle knows, whether it counts or not; absent where no rule asks for it. */
  readonly typed?: TypedEntries | undefined;
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
  /** Absent where nothing is known of types. */
  readonly typed?: TypedTable | undefined;
}

/** Interactions with items by type, oldest first: of each item and type the latest one counts. */
export interface TypedEntries {
  /** Item indexes. */
  readonly items: Int32Array;
  /** Unix seconds, ascending. */
  readonly timestamps: Float64Array;
  /** Places in `names`; -1 where no type is known. */
  readonly types: Int32Array;
  /** How many interactions each entry stands for, 0 for one that training would not count; absent where each stands for itself. */
  readonly counts?: Int32Array | undefined;
  readonly names: readonly string[];
}

/** The same of all users, stored as histories are. */
export interface TypedTable extends TypedEntries {
  readonly offsets: Uint32Array;
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

/** A view (no copy) of one user's entries by type; of the history, each of no known type, where the table has no types. */
export function typedOf(histories: Histories, userIndex: number): TypedEntries {
  const { typed } = histories;
  if (typed === undefined) return withoutTypes(historyOf(histories, userIndex));
  const start = typed.offsets[userIndex]!;
  const end = typed.offsets[userIndex + 1]!;
  return {
    items: typed.items.subarray(start, end),
    timestamps: typed.timestamps.subarray(start, end),
    types: typed.types.subarray(start, end),
    ...(typed.counts && { counts: typed.counts.subarray(start, end) }),
    names: typed.names,
  };
}

/** The entries of a history of which no types are known. */
export function withoutTypes({ items, timestamps }: Pick<History, 'items' | 'timestamps'>): TypedEntries {
  return { items, timestamps, types: new Int32Array(items.length).fill(-1), names: [] };
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

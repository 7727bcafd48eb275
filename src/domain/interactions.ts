import type { ContextTable } from './context.js';
import type { Histories, TypedTable, UnwantedTable } from './history.js';
import type { IdIndex } from './id-index.js';
import type { TimeFacts } from './time-facts.js';
import type { Target, TargetRows } from './target.js';

/**
 * The interactions of a dataset as columns, in file order of the prepared table (user index, then time, then the
 * order the source gave; for training, rows of one user and time are in a drawn order). Repeated interactions of a user with an item are kept as they happened.
 */
export interface InteractionTable {
  readonly users: IdIndex;
  readonly items: IdIndex;
  /** User index per row, ascending. */
  readonly user: Int32Array;
  /** Item index per row. */
  readonly item: Int32Array;
  /** Unix seconds per row, ascending within a user. */
  readonly timestamp: Float64Array;
  /** What these times say, of the whole dataset where this is a part of one. */
  readonly times: TimeFacts;
  /** Rating, weight or count per row; 1 where the dataset has none. */
  readonly value: Float32Array;
  /** The dataset says that `value` is how much a row counts. */
  readonly weighted?: boolean;
  /** Where the dataset declares it. */
  readonly context?: ContextTable;
  /** Where the dataset says of what type its interactions are. */
  readonly types?: InteractionTypes | undefined;
  /** Where the dataset says what is to be predicted; all rows are when absent. */
  readonly target?: TargetRows | undefined;
  /** Where the dataset has types that say that an item is not wanted. */
  readonly unwanted?: UnwantedRows | undefined;
}

/** The types of interactions, such as `click`. */
export interface InteractionTypes {
  /** In the order of text, each once. */
  readonly names: readonly string[];
  /** Per row its place in `names`; -1 where it has none. */
  readonly codes: Int32Array;
}

/** What users said last of items that they do not want: a row for each user and item, by user index, then time. */
export interface UnwantedRows {
  /** User index per row, ascending. */
  readonly user: Int32Array;
  /** Item index per row. */
  readonly item: Int32Array;
  /** Unix seconds per row, ascending within a user. */
  readonly timestamp: Float64Array;
}

/** What an interaction counts for, where the dataset says it: all of them count alike, by their value, where it says nothing. */
export interface InteractionCounting {
  /** What the value of an interaction is multiplied by, by its type; one of another type does not count. */
  readonly weights?: Readonly<Record<string, number>>;
  /** One with a smaller value, before weights, does not count. */
  readonly minimumValue?: number;
  /** Types that say that an item is not wanted. Such an interaction takes back the earlier ones of its user and item. */
  readonly negative?: readonly string[];
  /** What is to be predicted; all interactions are when absent. */
  readonly target?: Target;
}

/** The rows of a table for which `keep` is true, over the same users and items; what is unwanted stays as it is. */
export function filterInteractions(
  table: InteractionTable,
  keep: (row: number) => boolean,
): InteractionTable {
  const rows: number[] = [];
  for (let row = 0; row < table.user.length; row++) if (keep(row)) rows.push(row);
  return takeRows(table, rows);
}

/** These rows of a table, in this order, over the same users and items; what is unwanted stays as it is. */
export function takeRows(table: InteractionTable, rows: ArrayLike<number>): InteractionTable {
  return {
    ...table,
    user: Int32Array.from(rows, (row) => table.user[row]!),
    item: Int32Array.from(rows, (row) => table.item[row]!),
    timestamp: Float64Array.from(rows, (row) => table.timestamp[row]!),
    value: Float32Array.from(rows, (row) => table.value[row]!),
    ...(table.types && { types: takeTypes(table.types, rows) }),
    ...(table.target && { target: takeTarget(table.target, rows) }),
    ...(table.context && { context: takeContext(table.context, rows) }),
  };
}

/** The rows for which `keep` is true. */
export function filterUnwanted(
  { user, item, timestamp }: UnwantedRows,
  keep: (row: number) => boolean,
): UnwantedRows {
  const kept = (_: number, row: number): boolean => keep(row);
  return { user: user.filter(kept), item: item.filter(kept), timestamp: timestamp.filter(kept) };
}

function takeTarget({ types, rows: all }: TargetRows, rows: ArrayLike<number>): TargetRows {
  return { types, rows: Uint8Array.from(rows, (row) => all[row]!) };
}

function takeTypes({ names, codes }: InteractionTypes, rows: ArrayLike<number>): InteractionTypes {
  return { names, codes: Int32Array.from(rows, (row) => codes[row]!) };
}

function takeContext(context: ContextTable, rows: ArrayLike<number>): ContextTable {
  const columns = context.columns.map((values) => Float32Array.from(rows, (row) => values[row]!));
  return { ...context, columns };
}

/**
 * One history per user of the table (empty for users without rows): each item once, at its latest interaction. Its value is
 * that of the latest interaction; where values are weights the largest, as what was bought may be looked at again. What is unwanted, and
 * the latest interaction of each type, come beside them; where something is to be predicted with how often there was one.
 */
export function toHistories(table: InteractionTable): Histories {
  const { unwanted, types } = table;
  const kept = latestRows(table, (row) => table.item[row]!);
  const values = table.weighted === true ? largestOfEarlierRows(table) : table.value;
  return {
    ...toUserRows(table, kept),
    values: Float32Array.from(kept, (row) => values[row]!),
    ...(unwanted !== undefined && unwanted.user.length > 0 && { unwanted: toUnwantedTable(unwanted, table) }),
    ...(types !== undefined && { typed: toTypedTable(types, table) }),
  };
}

/** The latest row of each user, item and type. */
function toTypedTable({ names, codes }: InteractionTypes, table: InteractionTable): TypedTable {
  const keyOf = (row: number): number => table.item[row]! * (names.length + 1) + codes[row]! + 1;
  const kept = latestRows(table, keyOf);
  return {
    ...toUserRows(table, kept),
    types: Int32Array.from(kept, (row) => codes[row]!),
    ...(table.target && { counts: countRows(table, kept, keyOf) }),
    names,
  };
}

/** How many rows of its user and key each of these rows stands for: the latest of each. */
function countRows(
  { user }: InteractionTable,
  latest: readonly number[],
  keyOf: (row: number) => number,
): Int32Array {
  const counts = new Map<number, number>();
  let row = 0;
  return Int32Array.from(latest, (kept) => {
    for (; row <= kept; row++) {
      if (user[row] !== user[row - 1]) counts.clear();
      const key = keyOf(row);
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    return counts.get(keyOf(kept))!;
  });
}

/** Rows of a table, which go by users, as histories are stored. */
function toUserRows(
  { users, user, item, timestamp }: InteractionTable,
  rows: readonly number[],
): Pick<Histories, 'offsets' | 'items' | 'timestamps'> {
  return {
    offsets: countUp(
      rows.map((row) => user[row]!),
      users.size,
    ),
    items: Int32Array.from(rows, (row) => item[row]!),
    timestamps: Float64Array.from(rows, (row) => timestamp[row]!),
  };
}

function toUnwantedTable(
  { user, item, timestamp }: UnwantedRows,
  { users }: InteractionTable,
): UnwantedTable {
  return { offsets: countUp(user, users.size), items: item, timestamps: timestamp };
}

/** Where the rows of each user begin, and the last ones end. */
function countUp(userOfRows: ArrayLike<number>, users: number): Uint32Array {
  const offsets = new Uint32Array(users + 1);
  for (let row = 0; row < userOfRows.length; row++) offsets[userOfRows[row]! + 1]!++;
  for (let user = 0; user < users; user++) offsets[user + 1]! += offsets[user]!;
  return offsets;
}

/** Per row, the largest value of the user's interactions with its item up to it. */
function largestOfEarlierRows({ user, item, value }: InteractionTable): Float32Array {
  const largest = new Map<number, number>();
  return value.map((own, row) => {
    if (user[row] !== user[row - 1]) largest.clear();
    const value = Math.max(own, largest.get(item[row]!) ?? own);
    largest.set(item[row]!, value);
    return value;
  });
}

/** The latest row of each user and key, ascending. */
function latestRows({ user }: InteractionTable, keyOf: (row: number) => number): number[] {
  const kept: number[] = [];
  const seen = new Set<number>();
  for (let row = user.length - 1; row >= 0; row--) {
    if (user[row] !== user[row + 1]) seen.clear();
    const key = keyOf(row);
    if (seen.has(key)) continue;
    seen.add(key);
    kept.push(row);
  }
  return kept.reverse();
}

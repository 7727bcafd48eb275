import { hashText } from '../../domain/seeded-random.js';
import { takeRows, type InteractionTable } from '../../domain/interactions.js';
import type { ContextTable } from '../../domain/context.js';
import { readPreparedDataset, type PreparedDataset } from './prepared-dataset.js';

/** How the times of a dataset are taken. */
export interface TimeOptions {
  /** Of the draws that order rows of one user and time. */
  readonly seed: number;
  /** The dataset is taken as one without times. */
  readonly ignoreTimes?: boolean | undefined;
}

/**
 * Reads a prepared dataset for training, with its times settled.
 * @throws ShortlistError INVALID_DATASET as `readPreparedDataset` does
 */
export async function readTrainingDataset(dir: string, options: TimeOptions): Promise<PreparedDataset> {
  return settleTimes(await readPreparedDataset(dir), options);
}

/**
 * Puts rows of one user and time into an order that the seed draws: neither the order of the files nor that of ids says what came first.
 * The same rows and seed give the same order, whatever the order of the rows before. All that reads an order follows: which rows a protocol
 * tests, what is last in a history, what a replay asks next. Where times are ignored, all rows have the time of the latest one.
 */
export function settleTimes(dataset: PreparedDataset, { seed, ignoreTimes }: TimeOptions): PreparedDataset {
  if (ignoreTimes !== true)
    return { ...dataset, interactions: drawOrderOfTies(dataset.interactions, { seed }) };
  const { to } = dataset.window;
  return {
    ...dataset,
    window: { from: to, to },
    interactions: drawOrderOfTies(withoutTimes(dataset.interactions, to), { seed }),
  };
}

/** Rows of one user and time by a draw of their user and item, in place of the order that they had. */
export function drawOrderOfTies(table: InteractionTable, { seed }: { seed: number }): InteractionTable {
  const { user, timestamp } = table;
  const rows = Uint32Array.from(user, (_, row) => row);
  const compare = createComparison(table, seed);
  for (let from = 0, to = 0; from < rows.length; from = to) {
    do to++;
    while (to < rows.length && user[to] === user[from] && timestamp[to] === timestamp[from]);
    if (to - from > 1) rows.subarray(from, to).sort(compare);
  }
  return takeRows(table, rows);
}

/**
 * Compares rows by a hash of seed, user and item. Rows of one pair, and those few of equal hashes, by what else they hold: rows that are
 * still equal are the same in everything.
 */
function createComparison(table: InteractionTable, seed: number): (a: number, b: number) => number {
  const { users, items, user, item, value, types, context } = table;
  const itemHashes = Int32Array.from(items.ids, (id) => hashText(`item ${id}`));
  const userHashes = Int32Array.from(users.ids, (id) => hashText(`${seed} user ${id}`));
  const keys = Int32Array.from(user, (own, row) => mix(userHashes[own]!, itemHashes[item[row]!]!));
  const columns = [keys, item, value, ...(types ? [types.codes] : []), ...(context?.columns ?? [])];
  return (a, b) => {
    for (const column of columns) {
      if (Object.is(column[a], column[b])) continue;
      // A context that is not known is NaN.
      if (Number.isNaN(column[a]!)) return -1;
      if (Number.isNaN(column[b]!)) return 1;
      return column[a]! - column[b]!;
    }
    return 0;
  };
}

/** The finaliser of MurmurHash3 over two hashes: every bit of both moves every bit of the outcome. */
function mix(a: number, b: number): number {
  let hash = a ^ Math.imul(b, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function withoutTimes(table: InteractionTable, time: number): InteractionTable {
  const { context, ...timeless } = table;
  const { unwanted, times } = table;
  const kept = context && withoutClock(context);
  const allAlike = (timestamp: Float64Array): Float64Array => new Float64Array(timestamp.length).fill(time);
  return {
    ...timeless,
    ...(kept && { context: kept }),
    timestamp: allAlike(table.timestamp),
    times: { ...times, hasOrder: false, hasDates: false, ignored: true },
    ...(unwanted && { unwanted: { ...unwanted, timestamp: allAlike(unwanted.timestamp) } }),
  };
}

/** Hours and weekdays are times too. */
function withoutClock({ fields, columns, ...context }: ContextTable): ContextTable | undefined {
  const kept = [...fields.keys()].filter(
    (field) => fields[field]!.type !== 'hour' && fields[field]!.type !== 'weekday',
  );
  if (kept.length === 0) return undefined;
  return {
    ...context,
    fields: kept.map((field) => fields[field]!),
    columns: kept.map((field) => columns[field]!),
  };
}

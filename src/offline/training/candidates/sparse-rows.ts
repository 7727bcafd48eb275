import type { Histories } from '../../../domain/history.js';

/** The columns that each row of a matrix holds (compressed sparse rows). */
export interface SparseRows {
  /** `offsets[r] .. offsets[r + 1]` are the entries of row r; length rows + 1. */
  readonly offsets: Uint32Array;
  readonly columns: Int32Array;
  /** Value per entry; undefined in a binary matrix. */
  readonly values?: Float32Array | undefined;
}

/**
 * The users × items matrix of all histories, each cut to its latest `maxHistory` items, oldest first: binary, or of the
 * histories' values with `withValues`.
 */
export function toUserRows(
  histories: Histories,
  options: { maxHistory: number; withValues?: boolean },
): SparseRows {
  const userCount = histories.offsets.length - 1;
  const offsets = new Uint32Array(userCount + 1);
  const columns = new Int32Array(histories.items.length);
  const values = new Float32Array(options.withValues === true ? columns.length : 0);
  for (let user = 0; user < userCount; user++) {
    const end = histories.offsets[user + 1]!;
    const start = Math.max(histories.offsets[user]!, end - options.maxHistory);
    columns.set(histories.items.subarray(start, end), offsets[user]!);
    if (options.withValues === true) values.set(histories.values.subarray(start, end), offsets[user]!);
    offsets[user + 1] = offsets[user]! + end - start;
  }
  const entries = offsets[userCount]!;
  return {
    offsets,
    columns: columns.subarray(0, entries),
    ...(options.withValues === true && { values: values.subarray(0, entries) }),
  };
}

/** The same matrix by column: row c holds the rows that held c, ascending. */
export function transpose(rows: SparseRows, columnCount: number): SparseRows {
  const offsets = new Uint32Array(columnCount + 1);
  for (const column of rows.columns) offsets[column + 1]!++;
  for (let column = 0; column < columnCount; column++) offsets[column + 1]! += offsets[column]!;
  const next = offsets.slice();
  const columns = new Int32Array(rows.columns.length);
  const values = rows.values && new Float32Array(columns.length);
  for (let row = 0; row + 1 < rows.offsets.length; row++) {
    for (let entry = rows.offsets[row]!; entry < rows.offsets[row + 1]!; entry++) {
      const to = next[rows.columns[entry]!]!++;
      columns[to] = row;
      if (values !== undefined) values[to] = rows.values![entry]!;
    }
  }
  return values === undefined ? { offsets, columns } : { offsets, columns, values };
}

/** The same matrix without its empty columns, and which column each that is left was, ascending. */
export function dropEmptyColumns(
  rows: SparseRows,
  columnCount: number,
): { rows: SparseRows; kept: Int32Array } {
  const isFilled = new Uint8Array(columnCount);
  for (const column of rows.columns) isFilled[column] = 1;
  const kept = Int32Array.from([...isFilled.keys()].filter((column) => isFilled[column] === 1));
  const placeOf = new Int32Array(columnCount);
  kept.forEach((column, place) => (placeOf[column] = place));
  return { rows: { ...rows, columns: rows.columns.map((column) => placeOf[column]!) }, kept };
}

/** A copy in memory that threads share. */
export function shareRows({ offsets, columns, values }: SparseRows): SparseRows {
  const shared: SparseRows = {
    offsets: new Uint32Array(new SharedArrayBuffer(offsets.byteLength)),
    columns: new Int32Array(new SharedArrayBuffer(columns.byteLength)),
    ...(values !== undefined && { values: new Float32Array(new SharedArrayBuffer(values.byteLength)) }),
  };
  shared.offsets.set(offsets);
  shared.columns.set(columns);
  if (values !== undefined) shared.values!.set(values);
  return shared;
}

/** A view (no copy) of one row's columns. */
export function rowOf(rows: SparseRows, row: number): Int32Array {
  return rows.columns.subarray(rows.offsets[row], rows.offsets[row + 1]);
}

/** A view (no copy) of one row's values; undefined in a binary matrix. */
export function valuesOf(rows: SparseRows, row: number): Float32Array | undefined {
  return rows.values?.subarray(rows.offsets[row], rows.offsets[row + 1]);
}

/** Number of rows that hold at least one column. */
export function countFilledRows({ offsets }: Pick<SparseRows, 'offsets'>): number {
  let filled = 0;
  for (let row = 0; row + 1 < offsets.length; row++) if (offsets[row + 1]! > offsets[row]!) filled++;
  return filled;
}

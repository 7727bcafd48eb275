import type { LoadedTable } from './load-table.js';
import type { TypedTable } from './type-table.js';

/** A table that could be loaded, checked and typed. */
export interface ReadTable extends TypedTable {
  readonly loaded: LoadedTable;
  /** Loading, checking and typing. */
  readonly seconds: number;
  /** Of interactions: how many of the rows are events, where the dataset takes them. */
  readonly events?: EventsRead;
}

/** Rows of a table without those that were left out. */
export function countKept({ loaded, dropped }: ReadTable): number {
  return Object.values(dropped).reduce((rows, left) => rows - left, loaded.rowsRead);
}

/** The events that a dataset takes as interactions. */
export interface EventsRead {
  /** Where compacted events were looked for. */
  readonly folder: string;
  readonly files: number;
  /** Those that became rows of interactions. */
  readonly rows: number;
}

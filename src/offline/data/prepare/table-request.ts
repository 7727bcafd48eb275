/** A table of a dataset; events become rows of interactions; that of a view is `views.` and its name. */
export type TableName = 'interactions' | 'events' | 'items' | 'users' | `views.${string}`;

/** The SQL of one table of a dataset, and the columns that are wanted of it. */
export interface TableRequest {
  readonly table: TableName;
  readonly sql: string;
  /** Id columns, required. */
  readonly keys: readonly string[];
  /** Other required columns. */
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Those of `required` and `optional` that hold texts: as they are written, never a number that they look like. */
  readonly texts: readonly string[];
  /** Those of `required` and `optional` that hold numbers. */
  readonly numbers: readonly string[];
  /** Those of `optional` that hold times. */
  readonly times: readonly string[];
  /** Where each file must have every required column by itself: SQL would read a missing one as nulls. */
  readonly wholeFiles?: boolean;
}

/** The DuckDB table that holds the rows as the SQL gave them. */
export function rawTable(table: TableName): string {
  return `raw_${sqlName(table)}`;
}

/** The DuckDB table that holds the rows once they are checked and typed. */
export function typedTable(table: TableName): string {
  return `typed_${sqlName(table)}`;
}

/** A table's name as part of an SQL identifier. */
export function sqlName(table: TableName): string {
  return table.replace('.', '_');
}

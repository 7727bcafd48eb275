export type TableName = 'interactions' | 'items' | 'users';

/** What is wanted of one table of a dataset. */
export interface SourceRequest {
  readonly table: TableName;
  readonly sql: string;
  /** Id columns, required. */
  readonly keys: readonly string[];
  /** Other required columns. */
  readonly required: readonly string[];
  readonly optional: readonly string[];
  /** Those of `required` and `optional` that hold texts: as they are written, never a number that they look like. */
  readonly texts: readonly string[];
  /** Those of `optional` that hold times. */
  readonly times: readonly string[];
}

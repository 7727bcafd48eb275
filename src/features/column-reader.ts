import type { ColumnVisit, ParquetFile } from './parquet-file.js';
import type { RowProblems } from './row-problems.js';

/** Takes what a file has in one column, and tells what is wrong with it. */
export interface ColumnReader extends ColumnVisit {
  /** What is found wrong with the rows. */
  readonly found: RowProblems;
  /** Why the column cannot be read at all, if it cannot. */
  readonly mismatch?: string | undefined;
}

/**
 * Reads the columns, those that can be, in one go.
 * @returns one sentence per kind of problem, column by column
 * @throws ShortlistError INVALID_BUNDLE as readColumns does
 */
export async function readAll(file: ParquetFile, readers: readonly ColumnReader[]): Promise<string[]> {
  const readable = readers.filter(({ mismatch }) => mismatch === undefined);
  await file.readColumns(readable);
  return readers.flatMap(({ mismatch, found }) => (mismatch === undefined ? found.list() : [mismatch]));
}

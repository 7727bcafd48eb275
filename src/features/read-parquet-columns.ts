import { openParquet, type ParquetFile } from './parquet-file.js';

/** A small parquet file in memory whole. */
export interface ParquetColumns extends Pick<ParquetFile, 'rows' | 'metadata'> {
  /** The values of each column, in the order of the file. */
  readonly columns: ReadonlyMap<string, readonly unknown[]>;
}

/**
 * Reads all of a parquet file, texts as strings.
 * @throws ShortlistError INVALID_BUNDLE when the bytes are not a parquet file, or cannot be decoded
 */
export async function readParquetColumns(bytes: Uint8Array, name: string): Promise<ParquetColumns> {
  const file = await openParquet(bytes, name, { texts: 'strings' });
  const columns = new Map([...file.columns.keys()].map((column): [string, unknown[]] => [column, []]));
  await file.readColumns(
    [...columns].map(([column, all]) => ({
      column,
      visit: (values) => {
        for (let row = 0; row < values.length; row++) all.push(values[row]);
      },
    })),
  );
  return { rows: file.rows, metadata: file.metadata, columns };
}

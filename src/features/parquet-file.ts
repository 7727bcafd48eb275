import { setImmediate } from 'node:timers/promises';
import {
  type FileMetaData,
  parquetMetadataAsync,
  type ParquetScan,
  parquetScan,
  parquetSchema,
  type SchemaTree,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { ShortlistError } from '../domain/errors.js';

/** A parquet file in memory, read column by column. */
export interface ParquetFile {
  /** What to call it in errors. */
  readonly name: string;
  readonly rows: number;
  /** Top-level columns by name. */
  readonly columns: ReadonlyMap<string, SchemaTree>;
  /** Key-value metadata of the file. */
  readonly metadata: ReadonlyMap<string, string | undefined>;
  /**
   * Hands on the values of a column, from the first row to the last, one call per row group, letting other work of the
   * process run before each.
   * @throws ShortlistError INVALID_BUNDLE when they cannot be decoded, or are more or fewer than the file's rows
   */
  readColumn(column: string, visit: (values: ArrayLike<unknown>, firstRow: number) => void): Promise<void>;
}

/**
 * Opens parquet bytes that are known to be whole: parquet has no checksum that a reader would look at, and a file with
 * flipped bits reads as other values. Texts that are not UTF-8 are refused.
 * @throws ShortlistError INVALID_BUNDLE when the bytes are not a parquet file
 */
export async function openParquet(bytes: Uint8Array, name: string): Promise<ParquetFile> {
  const scan = await scanBytes(bytes, name);
  const { children } = parquetSchema(scan.metadata);
  const rows = countRows(scan.metadata, name);
  return {
    name,
    rows,
    columns: new Map(children.map((child) => [child.element.name, child])),
    metadata: new Map((scan.metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value])),
    async readColumn(column, visit) {
      for (const range of scan.ranges) {
        await setImmediate(); // decoding is synchronous: a server that opens a bundle answers requests in between
        visit(await readRange(scan, { column, range, name }), range.rowStart);
      }
    },
  };
}

async function scanBytes(bytes: Uint8Array, name: string): Promise<ParquetScan> {
  const slice = (start: number, end?: number): ArrayBuffer =>
    new Uint8Array(bytes.subarray(start, end)).buffer;
  const file = { byteLength: bytes.length, slice };
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const stringFromBytes = (text: Uint8Array | undefined): string | undefined => text && decoder.decode(text);
  try {
    // The footer has smallest and largest values, maybe cut within a character: only values are decoded strictly.
    const metadata = await parquetMetadataAsync(file, { geoparquet: false });
    return await parquetScan({
      file,
      metadata,
      compressors,
      parsers: { stringFromBytes },
      useOffsetIndex: false,
    });
  } catch (cause) {
    throw unreadable(name, 'is not a parquet file', cause);
  }
}

function countRows({ num_rows: stated, row_groups: groups }: FileMetaData, name: string): number {
  // As numbers, whatever type a broken footer has made of them.
  const grouped = groups.reduce((rows, group) => rows + Number(group.num_rows), 0);
  if (grouped === Number(stated)) return grouped;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `${name} says it has ${stated} rows, its row groups have ${grouped}.`,
  );
}

async function readRange(
  scan: ParquetScan,
  { column, range, name }: { column: string; range: ParquetScan['ranges'][number]; name: string },
): Promise<ArrayLike<unknown>> {
  const values = await decodeRange(scan, { column, range, name });
  const rows = range.rowEnd - range.rowStart;
  if (values.length === rows) return values;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `Column ${column} of ${name} has ${values.length} values in the ${rows} rows from row ${range.rowStart + 1} on.`,
  );
}

async function decodeRange(
  scan: ParquetScan,
  { column, range, name }: { column: string; range: ParquetScan['ranges'][number]; name: string },
): Promise<ArrayLike<unknown>> {
  try {
    return (await scan.readColumn({ column, ...range })) as ArrayLike<unknown>;
  } catch (cause) {
    throw unreadable(name, `cannot be read at column ${column}`, cause);
  }
}

function unreadable(name: string, what: string, cause: unknown): ShortlistError {
  return new ShortlistError('INVALID_BUNDLE', `${name} ${what}: ${(cause as Error).message}`, { cause });
}

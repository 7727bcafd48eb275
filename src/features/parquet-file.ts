import { setImmediate } from 'node:timers/promises';
import {
  type FileMetaData,
  parquetMetadataAsync,
  type ParquetScan,
  parquetScan,
  parquetSchema,
  type RowGroup,
  type SchemaTree,
} from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { ShortlistError } from '../domain/errors.js';
import type { PackedTexts } from '../domain/id-table.js';
import { locateChunk, planWindows, type ParquetWindow } from './parquet-windows.js';
import { isPacked, readPackedTexts } from './read-packed-texts.js';

/** Takes the values that a row group has in a column. */
export type ColumnVisitor = (values: ArrayLike<unknown>, firstRow: number) => void;

/** A column to read, and the visitor of its values. */
export interface ColumnVisit {
  readonly column: string;
  readonly visit: ColumnVisitor;
  /** Takes texts that lie one after the other in the file, where they do; without it they go to `visit` one by one. */
  readonly visitTexts?: (texts: PackedTexts, firstRow: number) => void;
}

/** A parquet file, read row group by row group. */
export interface ParquetFile {
  /** What to call it in errors. */
  readonly name: string;
  readonly rows: number;
  /** Top-level columns by name. */
  readonly columns: ReadonlyMap<string, SchemaTree>;
  /** Key-value metadata of the file. */
  readonly metadata: ReadonlyMap<string, string | undefined>;
  /**
   * Hands on the values of columns that the file has: row group by row group from the first row to the last, and column by
   * column in each, letting other work of the process run before every row group. To be called once.
   * @throws ShortlistError INVALID_BUNDLE when they cannot be decoded, or are more or fewer than the file's rows
   */
  readColumns(visits: readonly ColumnVisit[]): Promise<void>;
}

/**
 * The bytes of a parquet file, which are read in this order: first the end, then everything before it from
 * front to back.
 */
export interface ParquetBytes {
  readonly sizeBytes: number;
  /** The last bytes of the file. */
  readTail(length: number): Promise<Uint8Array>;
  /** The bytes from where the last call ended up to `end`; the next call may overwrite them. */
  readTo(end: number): Promise<Uint8Array>;
}

/** Of a footer: how long it is, and the magic number. */
const FOOTER_END_BYTES = 8;

/**
 * Opens a parquet file. Parquet has no checksum that a reader would look at, and a file with flipped bits reads as other
 * values: whoever calls has verified the bytes, or does so when they are read and throws away what came of them.
 * @param options.texts whether texts are read as strings, and refused where they are not UTF-8, or as the bytes they are
 * @throws ShortlistError INVALID_BUNDLE when it is not a parquet file
 */
export async function openParquet(
  bytes: Uint8Array | ParquetBytes,
  name: string,
  options: { texts: 'strings' | 'bytes' },
): Promise<ParquetFile> {
  const source = bytes instanceof Uint8Array ? sourceOf(bytes) : bytes;
  const read = createWindowReader(source);
  const scan = await openScan(read, name, options);
  const { children } = parquetSchema(scan.metadata);
  const rows = countRows(scan.metadata, name);
  const columns = new Map(children.map((child) => [child.element.name, child]));
  const groups = scan.metadata.row_groups.filter((group) => Number(group.num_rows) > 0);
  return {
    name,
    rows,
    columns,
    metadata: new Map((scan.metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value])),
    readColumns: async (visits) => {
      for (const window of planWindows(scan.metadata, read.dataEnd)) {
        await read.moveTo(window);
        for (let group = window.firstGroup; group < Math.min(window.endGroup, groups.length); group++) {
          const range = scan.ranges[group]!;
          await setImmediate(); // decoding is synchronous: a server that opens a bundle answers requests in between
          for (const { column, visit, visitTexts } of visits) {
            const chunk = { column: columns.get(column)!, group: groups[group]!, name };
            const texts = visitTexts && findTexts(read, chunk);
            if (texts !== undefined) visitTexts!(texts, range.rowStart);
            else visit(await readRange(scan, { column, range, name }), range.rowStart);
          }
        }
      }
    },
  };
}

/** Bytes that are in memory already. */
function sourceOf(bytes: Uint8Array): ParquetBytes {
  let position = 0;
  return {
    sizeBytes: bytes.length,
    readTail: async (length) => bytes.subarray(Math.max(0, bytes.length - length)),
    readTo: async (end) => bytes.subarray(position, (position = end)),
  };
}

/** What the scan reads from: the footer at first, then one window after the other. */
interface WindowReader {
  readonly byteLength: number;
  /** Where the footer begins, once it is known. */
  readonly dataEnd: number;
  slice(start: number, end?: number): ArrayBuffer;
  readFooter(): Promise<void>;
  moveTo(window: ParquetWindow): Promise<void>;
}

function createWindowReader(source: ParquetBytes): WindowReader {
  const byteLength = source.sizeBytes;
  let dataEnd = byteLength;
  let start = byteLength;
  let bytes: Uint8Array = new Uint8Array(0);
  return {
    byteLength,
    get dataEnd() {
      return dataEnd;
    },
    slice: (from, to = byteLength) => {
      if (from < start || to > start + bytes.length || from > to) {
        throw new RangeError(`bytes ${from} to ${to} lie outside of what its footer describes`);
      }
      // A copy: what is decoded without a copy of its own must not change with the next window.
      return new Uint8Array(bytes.subarray(from - start, to - start)).buffer;
    },
    readFooter: async () => {
      const end = await source.readTail(FOOTER_END_BYTES);
      const length =
        end.length < FOOTER_END_BYTES ? 0 : new DataView(end.buffer, end.byteOffset).getUint32(0, true);
      bytes = await source.readTail(length + FOOTER_END_BYTES);
      dataEnd = byteLength - bytes.length;
      start = dataEnd;
    },
    moveTo: async (window) => {
      await source.readTo(window.start);
      bytes = await source.readTo(window.end);
      start = window.start;
    },
  };
}

async function openScan(
  file: WindowReader,
  name: string,
  { texts }: { texts: 'strings' | 'bytes' },
): Promise<ParquetScan> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const stringFromBytes =
    texts === 'bytes'
      ? (text: Uint8Array | undefined) => text
      : (text: Uint8Array | undefined) => text && decoder.decode(text);
  try {
    await file.readFooter();
    // The footer has smallest and largest values, maybe cut within a character: only values are decoded strictly.
    const metadata = await parquetMetadataAsync(file, {
      geoparquet: false,
      initialFetchSize: file.byteLength - file.dataEnd,
    });
    return await parquetScan({
      file,
      metadata,
      compressors,
      parsers: { stringFromBytes: stringFromBytes as (text: Uint8Array | undefined) => string },
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

/** The texts of a column in a row group, if they can be taken as they lie there. */
function findTexts(
  read: WindowReader,
  { column, group, name }: { column: SchemaTree; group: RowGroup; name: string },
): PackedTexts | undefined {
  const chunk = group.columns.find(({ meta_data: meta }) => meta?.path_in_schema[0] === column.element.name);
  if (chunk === undefined || !isPacked(column, chunk)) return undefined;
  const { start, end } = locateChunk(chunk);
  try {
    return readPackedTexts(read.slice(start, end), Number(group.num_rows));
  } catch (cause) {
    throw unreadable(name, `cannot be read at column ${column.element.name}`, cause);
  }
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
  if (cause instanceof ShortlistError) return cause;
  return new ShortlistError('INVALID_BUNDLE', `${name} ${what}: ${(cause as Error).message}`, { cause });
}

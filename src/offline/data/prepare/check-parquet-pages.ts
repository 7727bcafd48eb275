import { open, type FileHandle } from 'node:fs/promises';
import { crc32 } from 'node:zlib';
import { parquetMetadataAsync, type AsyncBuffer, type ColumnChunk } from 'hyparquet';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';

/** What is read at once of a page. */
const CHUNK_BYTES = 1 << 20;
/** Enough for the header of nearly any page; statistics of long texts need more. */
const HEADER_BYTES = 512;
const LONGEST_HEADER_BYTES = 1 << 24;
const NAMED_PAGES = 10;

/** Fields of the header of a page that say how long it is, and its checksum if the writer wrote one. */
interface PageHeader {
  readonly bytes: number;
  readonly headerBytes: number;
  readonly crc: number | undefined;
}

/**
 * Compares the pages of a parquet file with their checksums (CRC-32), where the writer wrote them, as Spark does and pyarrow when asked to. No
 * reader of ours does. Files that say nothing sure of their pages are left to the query that reads them.
 *
 * @returns the pages that are not what was written, by column and row group
 */
export async function checkParquetPages(path: string): Promise<string[]> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    const chunks = await listChunks(handle, size);
    const problems: string[] = [];
    for (const { chunk, group, column } of chunks) {
      const damaged = await countDamagedPages(handle, chunk, { size });
      if (damaged > 0)
        problems.push(
          `${path}, column ${column}, row group ${group}: ${damaged} ${damaged === 1 ? 'page is' : 'pages are'} not as written: the checksum does not fit; copy it again`,
        );
    }
    const more = problems.length - NAMED_PAGES;
    return more > 0
      ? [...problems.slice(0, NAMED_PAGES), `${path}: … and ${more} more columns of row groups`]
      : problems;
  } finally {
    await handle.close();
  }
}

async function listChunks(
  handle: FileHandle,
  size: number,
): Promise<{ chunk: ColumnChunk; group: number; column: string }[]> {
  const file: AsyncBuffer = {
    byteLength: size,
    slice: async (start, end = size) => {
      const bytes = await readAt(handle, start, end - start);
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer;
    },
  };
  try {
    const { row_groups: groups } = await parquetMetadataAsync(file);
    return groups.flatMap(({ columns }, group) =>
      columns.map((chunk) => ({ chunk, group, column: chunk.meta_data?.path_in_schema.join('.') ?? '' })),
    );
  } catch {
    return [];
  }
}

/** Pages of a column of a row group whose bytes do not have the checksum of their header. */
async function countDamagedPages(
  handle: FileHandle,
  chunk: ColumnChunk,
  { size }: { size: number },
): Promise<number> {
  const { meta_data: meta, crypto_metadata: crypto, file_path: elsewhere } = chunk;
  if (meta === undefined || crypto !== undefined || elsewhere) return 0;
  const start = Number(meta.dictionary_page_offset ?? meta.data_page_offset);
  const end = Math.min(size, start + Number(meta.total_compressed_size));
  let damaged = 0;
  for (let at = start; at < end;) {
    const header = await readHeader(handle, at, { end });
    if (header === undefined) return damaged;
    const from = at + header.headerBytes;
    at = from + header.bytes;
    if (at > end) return damaged;
    if (header.crc !== undefined && (await checksumOf(handle, from, at)) !== header.crc) damaged++;
  }
  return damaged;
}

/** Undefined where there is no header of a page. */
async function readHeader(
  handle: FileHandle,
  at: number,
  { end }: { end: number },
): Promise<PageHeader | undefined> {
  for (let length = HEADER_BYTES; length <= LONGEST_HEADER_BYTES; length *= 8) {
    const bytes = await readAt(handle, at, Math.min(length, end - at));
    const reader = { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), offset: 0 };
    try {
      const header = deserializeTCompactProtocol(reader) as Record<string, unknown>;
      const size = Number(header.field_3);
      if (!Number.isInteger(size) || size < 0) return undefined;
      const crc = header.field_4;
      return {
        bytes: size,
        headerBytes: reader.offset,
        crc: typeof crc === 'number' ? crc >>> 0 : undefined,
      };
    } catch {
      if (bytes.length < length) return undefined;
    }
  }
  return undefined;
}

async function checksumOf(handle: FileHandle, from: number, to: number): Promise<number> {
  let checksum = 0;
  for (let at = from; at < to;) {
    const bytes = await readAt(handle, at, Math.min(CHUNK_BYTES, to - at));
    if (bytes.length === 0) return -1;
    checksum = crc32(bytes, checksum);
    at += bytes.length;
  }
  return checksum;
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

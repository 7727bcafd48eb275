import { createReadStream } from 'node:fs';
import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import type { Container, TableFile } from './file-readers.js';
import { describeUnreadable, isUtf16 } from './list-files.js';

/** A file whose container says that it is damaged or cut off; the message goes after its path. */
export class DamagedFile extends Error {}

/** Is told how many bytes of a file have been read. */
export type Advance = (bytes: number) => void;

/** A decompressor that counts the bytes it has used. */
type Decompressor = Transform & { readonly bytesWritten: number };

// The types of Node 20 do not have zstd; Node has it since 22.15.
const { createGunzip, createZstdDecompress } = zlib as unknown as {
  readonly createGunzip: () => Decompressor;
  readonly createZstdDecompress: () => Decompressor;
};

const DECOMPRESSORS: Readonly<Record<Exclude<Container, 'none'>, () => Decompressor>> = {
  gzip: createGunzip,
  zstd: createZstdDecompress,
};
const CHUNK_BYTES = 1 << 18;

/**
 * The content of a file, decompressed, in chunks. Every member of a gzip file and every frame of a zstd file must be there to its end, with
 * the length and checksum that it says.
 *
 * @throws {DamagedFile} once a container turns out to be damaged, cut off, or followed by something else
 */
export async function* readContent(
  file: TableFile,
  { advance }: { advance: Advance },
): AsyncGenerator<Buffer> {
  const { path, container, bytes } = file;
  if (container === 'none') {
    for await (const chunk of createReadStream(path, {
      highWaterMark: CHUNK_BYTES,
    }) as AsyncIterable<Buffer>) {
      advance(chunk.length);
      yield chunk;
    }
    return;
  }
  // Node ends a stream with the frame that it is in: the next one begins where that has ended.
  for (let start = 0; start < bytes;) {
    const decompressor = DECOMPRESSORS[container]();
    const source = createReadStream(path, { start, highWaterMark: CHUNK_BYTES });
    source.on('error', (error) => decompressor.destroy(error));
    source.on('data', (chunk) => advance(chunk.length));
    source.pipe(decompressor);
    try {
      yield* decompressor as AsyncIterable<Buffer>;
    } catch (error) {
      throw describeDamage(error as NodeJS.ErrnoException, { container, start });
    } finally {
      source.destroy();
    }
    start += decompressor.bytesWritten;
    if (container === 'gzip' && start < bytes)
      throw new DamagedFile(`has ${bytes - start} bytes after the end of its gzip data; compress it again`);
  }
}

/** Reads a file to its end, to have its container checked. */
export async function checkContainer(file: TableFile, options: { advance: Advance }): Promise<void> {
  for await (const _ of readContent(file, options));
}

/**
 * A file that is damaged or cannot be read, as a problem.
 * @throws what is thrown when it is neither, or may be well again in a moment
 */
export function describeDamaged({ path }: TableFile, error: unknown): string {
  return error instanceof DamagedFile ? `${path}: ${error.message}` : describeUnreadable(path, error);
}

function describeDamage(
  error: NodeJS.ErrnoException,
  options: { container: Exclude<Container, 'none'>; start: number },
): Error {
  const { container, start } = options;
  if (error.syscall !== undefined) return error;
  const { message } = error;
  if (error.code === 'Z_BUF_ERROR')
    return new DamagedFile(`is cut off: its ${container} data end too early; copy it again`);
  if (/header check|frame descriptor/i.test(message)) {
    return start === 0 && container === 'zstd'
      ? new DamagedFile(`is no ${container} data, or is damaged (${message})`)
      : new DamagedFile(`is damaged, or has other bytes after its ${container} data (${message})`);
  }
  return new DamagedFile(`is damaged: ${container} says ${message}; copy it again`);
}

/** An encoding of text files that DuckDB can be told of. */
export type TextEncoding = 'utf-8' | 'latin-1' | 'utf-16';

/**
 * The text of a file as UTF-8 (Latin-1 as it is), in chunks, without a byte order mark.
 * @throws {DamagedFile} when its container is damaged, or the text is UTF-16 and nobody said so
 */
export async function* readText(
  file: TableFile,
  { encoding, advance }: { encoding: TextEncoding; advance: Advance },
): AsyncGenerator<Buffer> {
  let isFirst = true;
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  for await (const chunk of atLeast(readContent(file, { advance }), MARK_BYTES)) {
    const head = isFirst ? chunk.toString('latin1', 0, 4) : '';
    if (isFirst && encoding === 'utf-16')
      decoder = new TextDecoder(head.startsWith('\u00FE\u00FF') ? 'utf-16be' : 'utf-16le');
    else if (isUtf16(head)) throw new DamagedFile('is UTF-16 text; write it as UTF-8');
    const text = decoder === undefined ? chunk : Buffer.from(decoder.decode(chunk, { stream: true }));
    yield isFirst && encoding !== 'latin-1' && head.startsWith('\u00EF\u00BB\u00BF')
      ? text.subarray(3)
      : text;
    isFirst = false;
  }
}

const MARK_BYTES = 4;

/** Puts the first chunks together until they have so many bytes. */
async function* atLeast(chunks: AsyncIterable<Buffer>, bytes: number): AsyncGenerator<Buffer> {
  let first: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of chunks) {
    if (first === undefined) {
      yield chunk;
      continue;
    }
    first = Buffer.concat([first, chunk]);
    if (first.length < bytes) continue;
    yield first;
    first = undefined;
  }
  if (first !== undefined && first.length > 0) yield first;
}

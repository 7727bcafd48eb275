import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { ShortlistError } from '../domain/errors.js';

/** A file that a manifest lists, found in its folder and of the right size, but not read yet. */
export interface ListedFile {
  /** Path inside the bundle: what to call it. */
  readonly name: string;
  /** Where it lies. */
  readonly path: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

/** A listed file that is read once, from front to back, while every byte is hashed. */
export interface VerifiedFile {
  readonly sizeBytes: number;
  /**
   * The last bytes. Asked for before `readTo`, they are not read again: what was seen of them is what is hashed.
   * @throws ShortlistError INVALID_BUNDLE when they cannot be read
   */
  readTail(length: number): Promise<Uint8Array>;
  /**
   * The bytes from where the last call ended up to `end`, which is not inside the tail; the next call overwrites them.
   * @throws ShortlistError INVALID_BUNDLE when they cannot be read, or the file ends before
   */
  readTo(end: number): Promise<Uint8Array>;
  /**
   * Reads what is left and closes the file. Only then is anything that was read to be believed.
   * @throws ShortlistError INVALID_BUNDLE when it is not the file that the manifest lists
   */
  verify(): Promise<void>;
}

/** What is left of a file that nobody reads is hashed in pieces of this size. */
const CHUNK_BYTES = 1 << 20;

/**
 * Opens a listed file. All of it is read from what is opened here: another file of the same name changes nothing.
 * @throws ShortlistError INVALID_BUNDLE when it cannot be opened
 */
export async function openVerifiedFile(file: ListedFile): Promise<VerifiedFile> {
  const handle = await attempt(file, () => open(file.path));
  const hash = createHash('sha256');
  let position = 0;
  let tail = new Uint8Array(0);
  let buffer = new Uint8Array(CHUNK_BYTES);

  async function readTo(end: number): Promise<Uint8Array> {
    const length = end - position;
    if (length > buffer.length) buffer = new Uint8Array(length);
    const bytes = buffer.subarray(0, length);
    await attempt(file, () => fill(bytes, handle, { file, position }));
    hash.update(bytes);
    position = end;
    return bytes;
  }

  return {
    sizeBytes: file.sizeBytes,
    readTail: async (length) => {
      const bytes = new Uint8Array(Math.min(length, file.sizeBytes));
      await attempt(file, () => fill(bytes, handle, { file, position: file.sizeBytes - bytes.length }));
      tail = bytes;
      return bytes;
    },
    readTo,
    verify: async () => {
      try {
        const end = file.sizeBytes - tail.length;
        while (position < end) await readTo(Math.min(end, position + CHUNK_BYTES));
        const sha256 = hash.update(tail).digest('hex');
        if (sha256 !== file.sha256) throw invalidFile(file, describeChange(sha256, file));
      } finally {
        await handle.close();
      }
    },
  };
}

/** The problem of a file whose SHA-256 differs from the one that the manifest lists. */
export function describeChange(sha256: string, expected: { sha256: string }): string {
  return `has changed: its sha256 is ${sha256}, the manifest says ${expected.sha256}`;
}

/** The problem of a file that the system cannot open or read. */
export function describeFailure(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? 'is missing' : `cannot be read: ${message}`;
}

async function fill(
  bytes: Uint8Array,
  handle: FileHandle,
  { file, position }: { file: ListedFile; position: number },
): Promise<void> {
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, position + filled);
    if (bytesRead === 0)
      throw invalidFile(file, `has ended while it was read, after ${position + filled} bytes`);
    filled += bytesRead;
  }
}

async function attempt<T>(file: ListedFile, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof ShortlistError) throw error;
    throw invalidFile(file, describeFailure(error), error);
  }
}

function invalidFile({ name }: ListedFile, what: string, cause?: unknown): ShortlistError {
  return new ShortlistError('INVALID_BUNDLE', `${name} ${what}`, { cause });
}

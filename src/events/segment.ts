import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';

/** A file of lines that one process writes to. */
export interface Segment {
  sizeBytes(): number;
  /** Rejects when not all of them were written; then none is there, unless the segment is broken. */
  append(lines: readonly string[]): Promise<void>;
  /** Whether what a failed write left behind could not be taken back: the segment is torn at its end and takes nothing more. */
  isBroken(): boolean;
  /** Waits until the disk has it, and gives it the name of a closed segment. */
  close(): Promise<void>;
}

/** What ends the name of a closed segment. */
const CLOSED = '.jsonl';

/** The same of one that is written to. */
const OPEN = '.jsonl.open';

/**
 * Opens a segment of its own in a folder, which is made where it is missing.
 * @param openedAt milliseconds since 1970, for its name
 */
export async function openSegment(folder: string, openedAt: number): Promise<Segment> {
  await mkdir(folder, { recursive: true });
  const time = new Date(openedAt).toISOString().replace(/[-:.]/g, '');
  const name = join(folder, `${time}-${randomUUID().slice(0, 8)}`);
  const file = await open(name + OPEN, 'ax');
  let bytes = 0;
  let broken = false;
  return {
    sizeBytes: () => bytes,
    append: async (lines) => {
      const content = Buffer.from(lines.join(''));
      try {
        await file.appendFile(content);
        bytes += content.length;
      } catch (error) {
        broken = !(await takeBack(file, bytes));
        throw error;
      }
    },
    isBroken: () => broken,
    close: async () => {
      await file.datasync();
      await file.close();
      await rename(name + OPEN, name + CLOSED);
    },
  };
}

/** Part of a failed write may be there. @returns whether the file has its old length again; it is closed where not */
async function takeBack(file: FileHandle, bytes: number): Promise<boolean> {
  try {
    await file.truncate(bytes);
    return true;
  } catch {
    await file.close().catch(() => undefined);
    return false;
  }
}

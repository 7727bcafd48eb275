import { randomUUID } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CLOSED_SEGMENT, nameOpenSegment } from '../bundle/segment-name.js';

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

/**
 * Opens a segment of its own in a folder, which is made where it is missing. Another process may take it for abandoned, or remove it: that
 * is looked for before and after each write, so that no line counts as written that went into a file which nobody has any more.
 * @param openedAt milliseconds since 1970, for its name
 */
export async function openSegment(folder: string, openedAt: number): Promise<Segment> {
  await mkdir(folder, { recursive: true });
  const time = new Date(openedAt).toISOString().replace(/[-:.]/g, '');
  const closed = `${time}-${randomUUID().slice(0, 8)}${CLOSED_SEGMENT}`;
  const path = join(folder, nameOpenSegment(closed));
  const file = await open(path, 'ax');
  const { ino, dev } = await file.stat();
  let bytes = 0;
  let broken = false;

  async function refuseLost(): Promise<void> {
    const found = await stat(path).catch(() => undefined);
    if (found?.ino === ino && found.dev === dev) return;
    broken = true;
    await file.close().catch(() => undefined);
    throw new Error(`${path} was taken for abandoned, or removed, by another process`);
  }

  return {
    sizeBytes: () => bytes,
    append: async (lines) => {
      const content = Buffer.from(lines.join(''));
      await refuseLost();
      try {
        await file.appendFile(content);
      } catch (error) {
        broken = !(await takeBack(file, bytes));
        throw error;
      }
      await refuseLost();
      bytes += content.length;
    },
    isBroken: () => broken,
    close: async () => {
      await file.datasync();
      await file.close();
      await rename(path, join(folder, closed));
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

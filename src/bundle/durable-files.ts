import { randomUUID } from 'node:crypto';
import { access, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { atPath } from '../domain/system-failure.js';

/** True when a file or folder has this path. Rejects when that cannot be told: a folder that may not be read is not an empty one. */
export async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/** Writes a new file and waits until the disk has it. Rejects when the file exists. */
export async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  await atPath(path, async () => {
    const file = await open(path, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
  });
}

/** Waits until the disk knows which entries a folder has. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Puts new content in the place of a file, whole or not at all: a reader sees the old content or the new one. */
export async function replaceFile(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = temporarySibling(path);
  try {
    await writeDurably(temporary, content);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Puts a file that was written under another name of the same folder in its place, once the disk has it. */
export async function putInPlace(temporary: string, path: string): Promise<void> {
  const written = await open(temporary, 'r');
  try {
    await written.sync();
  } finally {
    await written.close();
  }
  await rename(temporary, path);
  await syncFolder(dirname(path));
}

/**
 * Puts a new folder in the place of another one, which is removed. Of several that are put there at the same moment one stays, whole. For a
 * moment there is none. When it fails, the other one stays.
 */
export async function replaceFolder(newFolder: string, target: string): Promise<void> {
  const old: string[] = [];
  try {
    while (!(await moveUnlessTaken(newFolder, target))) await moveAside(target, old);
  } catch (error) {
    const last = old.pop();
    if (last !== undefined) await rename(last, target).catch(() => undefined);
    throw error;
  }
  for (const folder of old) await rm(folder, { recursive: true, force: true });
}

async function moveAside(target: string, moved: string[]): Promise<void> {
  const aside = temporarySibling(target);
  try {
    await rename(target, aside);
    moved.push(aside);
  } catch (error) {
    // Another process has moved it away.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}

const TAKEN: ReadonlySet<string | undefined> = new Set(['ENOTEMPTY', 'EEXIST', 'ENOTDIR']);

/** Moves a folder; false where there is one already, which is not empty. */
export async function moveUnlessTaken(folder: string, target: string): Promise<boolean> {
  try {
    await rename(folder, target);
    return true;
  } catch (error) {
    if (TAKEN.has((error as NodeJS.ErrnoException).code)) return false;
    throw error;
  }
}

/** A hidden name beside a path, on the same disk, that nobody else uses. */
export function temporarySibling(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
}

/** True for the names that `temporarySibling` gives. */
export function isTemporary(name: string): boolean {
  return /^\..+\.[0-9a-f-]{36}\.tmp$/.test(name);
}

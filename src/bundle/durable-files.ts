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

/** Puts a new folder in the place of another, of which nothing is left. When that fails, the other one stays. */
export async function replaceFolderBy(newFolder: string, folder: string): Promise<void> {
  const old = temporarySibling(folder);
  const isThere = await exists(folder);
  if (isThere) await rename(folder, old);
  try {
    await rename(newFolder, folder);
  } catch (error) {
    if (isThere) await rename(old, folder).catch(() => undefined);
    throw error;
  }
  await rm(old, { recursive: true, force: true });
}

/** A hidden name beside a path, on the same disk, that nobody else uses. */
export function temporarySibling(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
}

/** True for the names that `temporarySibling` gives. */
export function isTemporary(name: string): boolean {
  return /^\..+\.[0-9a-f-]{36}\.tmp$/.test(name);
}

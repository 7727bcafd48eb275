import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { exists } from '../bundle/durable-files.js';

/**
 * Fills a folder all at once: `write` fills a new folder beside it, which then takes its place. When `write` fails,
 * the earlier folder stays as it was and nothing else is left behind.
 */
export async function replaceFolder<T>(dir: string, write: (newDir: string) => Promise<T>): Promise<T> {
  const suffix = randomBytes(4).toString('hex');
  const newDir = `${dir}.new-${suffix}`;
  const oldDir = `${dir}.old-${suffix}`;
  await mkdir(dirname(dir), { recursive: true });
  try {
    await mkdir(newDir);
    const result = await write(newDir);
    if (await exists(dir)) await rename(dir, oldDir);
    await rename(newDir, dir);
    return result;
  } finally {
    await rm(newDir, { recursive: true, force: true });
    await rm(oldDir, { recursive: true, force: true });
  }
}

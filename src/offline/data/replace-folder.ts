import { mkdir, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFolder as putInPlace, temporarySibling } from '../../bundle/durable-files.js';

/**
 * Fills a folder all at once: `write` fills a new folder beside it, which then takes its place. When `write` fails,
 * the earlier folder stays as it was and nothing else is left behind. Of two processes that fill one folder, the later one's stays.
 */
export async function replaceFolder<T>(dir: string, write: (newDir: string) => Promise<T>): Promise<T> {
  const newDir = temporarySibling(dir);
  await mkdir(dirname(dir), { recursive: true });
  try {
    await mkdir(newDir);
    const result = await write(newDir);
    await putInPlace(newDir, dir);
    return result;
  } finally {
    await rm(newDir, { recursive: true, force: true });
  }
}

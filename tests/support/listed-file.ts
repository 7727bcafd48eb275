import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Test } from 'tap';
import type { ListedFile } from '../../src/bundle/verified-file.js';

/** Writes a file into the folder of the test, as a manifest would list it. */
export async function listFile(t: Test, bytes: Uint8Array, name = 'items.parquet'): Promise<ListedFile> {
  const path = join(t.testdir(), basename(name));
  await writeFile(path, bytes);
  return { name, path, sha256: createHash('sha256').update(bytes).digest('hex'), sizeBytes: bytes.length };
}

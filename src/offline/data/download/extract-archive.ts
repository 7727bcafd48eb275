import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import yauzl from 'yauzl';
import { ShortlistError } from '../../../domain/errors.js';

/**
 * Unpacks a zip archive into an existing folder. When all its files are inside one top folder, as in `name-1.0/…`, that
 * folder is left out.
 *
 * @returns how many files there were
 * @throws {ShortlistError} DOWNLOAD_FAILED when the archive is damaged, empty, or names a path outside the folder
 */
export async function extractArchive(archive: string, options: { toDir: string }): Promise<number> {
  try {
    const names: string[] = [];
    await visitFiles(archive, async (entry) => void names.push(entry.fileName));
    if (names.length === 0) throw new Error('it holds no files');
    const top = commonTopFolder(names);
    await visitFiles(archive, async (entry, zip) => {
      const file = join(options.toDir, entry.fileName.slice(top.length));
      await mkdir(dirname(file), { recursive: true });
      const content = await zip.openReadStreamPromise(entry);
      await pipeline(
        content,
        (chunks) => checkContent(chunks, entry),
        createWriteStream(file, { flags: 'wx' }),
      );
    });
    return names.length;
  } catch (cause) {
    const message = `the archive ${archive} cannot be unpacked: ${(cause as Error).message}`;
    throw new ShortlistError('DOWNLOAD_FAILED', message, { cause });
  }
}

/** yauzl checks the sizes of what it unpacks, but no checksums. */
async function* checkContent(chunks: AsyncIterable<Buffer>, entry: yauzl.Entry): AsyncGenerator<Buffer> {
  let checksum = 0;
  for await (const chunk of chunks) {
    checksum = crc32(chunk, checksum);
    yield chunk;
  }
  if (checksum !== entry.crc32) throw new Error(`${entry.fileName} is damaged: its checksum does not fit`);
}

/** yauzl refuses absolute names and names with `..`. */
async function visitFiles(
  archive: string,
  visit: (entry: yauzl.Entry, zip: yauzl.ZipFile) => Promise<void>,
): Promise<void> {
  const zip = await yauzl.openPromise(archive, { lazyEntries: true, autoClose: false });
  try {
    for await (const entry of zip.eachEntry()) {
      if (!entry.fileName.endsWith('/')) await visit(entry, zip);
    }
  } finally {
    zip.close();
  }
}

/** "name-1.0/" when every file is inside it, else "". */
function commonTopFolder(names: readonly string[]): string {
  const top = names[0]!.slice(0, names[0]!.indexOf('/') + 1);
  return names.every((name) => name.startsWith(top)) ? top : '';
}

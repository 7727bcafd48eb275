import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { atPath } from '../domain/system-failure.js';
import type { BundleStore } from './bundle-store.js';
import { isBundleVersion } from './bundle-version.js';
import { exists, isTemporary, replaceFile, temporarySibling } from './durable-files.js';
import { contentsOf, writeBundleFiles } from './write-bundle-files.js';

/** Nobody copies for so long: what is older was left by a publish that was killed. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * A store in a folder: `<root>/<version>/`, `<root>/channels/<channel>.json`, `<root>/<log>.jsonl`. Every change is one rename,
 * so readers in other processes see the state before or after it.
 */
export function createFolderStore(root: string, now: () => Date): BundleStore {
  return {
    location: root,
    listVersions: async () => (await listNames(root)).filter(isBundleVersion).sort(),
    findVersion: async (version) => {
      const path = join(root, version);
      return isBundleVersion(version) && (await exists(path)) ? path : undefined;
    },
    addVersion: async (bundle) => {
      await sweepAbandoned(root, now().getTime() - ABANDONED_AFTER_MS);
      const { manifest } = bundle;
      await writeBundleFiles(join(root, manifest.version), { manifest, files: contentsOf(bundle) });
    },
    removeVersion: async (version) => {
      const path = join(root, version);
      const aside = temporarySibling(path);
      await rename(path, aside);
      await rm(aside, { recursive: true, force: true });
    },
    findText: async (name) => {
      try {
        return await readFile(join(root, name), 'utf8');
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    replaceText: async (name, text) => {
      const path = join(root, name);
      for (let attempt = 1; ; attempt++) {
        try {
          await mkdir(dirname(path), { recursive: true });
          return await replaceFile(path, text);
        } catch (error) {
          // Another process that removed the last text of the folder removed the folder, and may have done so while it was made.
          if (!isMissing(error) || attempt === ATTEMPTS) throw error;
        }
      }
    },
    renewText: async (name, text) => {
      try {
        // Never one that was removed meanwhile: a file that is opened like this is not made.
        const file = await open(join(root, name), 'r+');
        try {
          await file.write(text, 0);
          return (await file.stat()).nlink > 0;
        } finally {
          await file.close();
        }
      } catch (error) {
        if (isMissing(error)) return false;
        throw error;
      }
    },
    removeText: async (name) => {
      await rm(join(root, name), { force: true });
      await removeEmpty(dirname(name), root);
    },
    listTexts: async (folder) =>
      (await listNames(join(root, folder))).filter((name) => !isTemporary(name)).sort(),
    appendLine: async (log, line) => {
      await mkdir(root, { recursive: true });
      const path = join(root, `${log}.jsonl`);
      await atPath(path, async () => {
        const file = await open(path, 'a+');
        try {
          // One write in append mode: lines of two processes stand one after the other.
          await file.appendFile(`${(await endsWithLine(file)) ? '' : '\n'}${line}\n`);
          await file.sync();
        } finally {
          await file.close();
        }
      });
    },
    readLines: async (log) => {
      const path = join(root, `${log}.jsonl`);
      return (await exists(path)) ? (await readFile(path, 'utf8')).split('\n').filter(Boolean) : [];
    },
  };
}

/** How often a folder is made that others remove. */
const ATTEMPTS = 100;

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** Folders below the root that have nothing in them any more. */
async function removeEmpty(folder: string, root: string): Promise<void> {
  if (folder === '.') return;
  try {
    await rmdir(join(root, folder));
  } catch {
    return;
  }
  await removeEmpty(dirname(folder), root);
}

/** False where a writer was killed in the middle of a line. */
async function endsWithLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return true;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer.toString() === '\n';
}

async function listNames(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

/** Removes what was begun before a time (Unix milliseconds) and never renamed. */
async function sweepAbandoned(root: string, before: number): Promise<void> {
  for (const name of (await listNames(root)).filter(isTemporary)) {
    const path = join(root, name);
    if ((await stat(path)).mtimeMs < before) await rm(path, { recursive: true, force: true });
  }
}

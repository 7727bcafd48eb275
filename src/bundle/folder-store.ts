import { appendFile, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
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
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    replaceText: async (name, text) => {
      const path = join(root, name);
      await mkdir(dirname(path), { recursive: true });
      await replaceFile(path, text);
    },
    listTexts: async (folder) =>
      (await listNames(join(root, folder))).filter((name) => !isTemporary(name)).sort(),
    appendLine: async (log, line) => {
      await mkdir(root, { recursive: true });
      // One write in append mode: lines of two processes stand one after the other.
      const path = join(root, `${log}.jsonl`);
      await atPath(path, () => appendFile(path, `${line}\n`));
    },
    readLines: async (log) => {
      const path = join(root, `${log}.jsonl`);
      return (await exists(path)) ? (await readFile(path, 'utf8')).split('\n').filter(Boolean) : [];
    },
  };
}

async function listNames(folder: string): Promise<string[]> {
  return (await exists(folder)) ? readdir(folder) : [];
}

/** Removes what was begun before a time (Unix milliseconds) and never renamed. */
async function sweepAbandoned(root: string, before: number): Promise<void> {
  for (const name of (await listNames(root)).filter(isTemporary)) {
    const path = join(root, name);
    if ((await stat(path)).mtimeMs < before) await rm(path, { recursive: true, force: true });
  }
}

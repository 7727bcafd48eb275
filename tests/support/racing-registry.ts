import type { BundleRegistry } from '../../src/bundle/bundle-registry.js';
import { createRegistry } from '../../src/bundle/create-registry.js';
import { findUnusedVersions } from '../../src/bundle/find-unused-versions.js';
import { createFolderStore } from '../../src/bundle/folder-store.js';

/** A registry that several processes change at the same time. */
export interface RacingRegistry {
  readonly registry: BundleRegistry;
  /** Removes what is not used and older than the newest version. */
  collect(): Promise<void>;
}

const now = (): Date => new Date();

/** @param kind `unlocked` sees no lock of another process: the control, in which what must not happen happens */
export function openRacingRegistry(root: string, kind: 'locked' | 'unlocked'): RacingRegistry {
  const store = createFolderStore(root, now);
  const blind = {
    ...store,
    listTexts: async (folder: string) => (folder === '.locks' ? [] : store.listTexts(folder)),
  };
  const registry = createRegistry(kind === 'locked' ? store : blind, {
    now,
    by: 'ann',
    lock: { waitMs: 100 },
  });
  return {
    registry,
    collect: async () => {
      for (const version of await findUnusedVersions(registry, { keep: 1 }))
        await registry.removeUnused(version);
    },
  };
}

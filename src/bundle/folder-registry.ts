import type { BundleRegistry } from './bundle-registry.js';
import { createRegistry, type RegistryOptions } from './create-registry.js';
import { createFolderStore } from './folder-store.js';

/** A registry in a folder. */
export function createFolderRegistry(
  root: string,
  { now = () => new Date(), by = 'unknown' }: Partial<RegistryOptions> = {},
): BundleRegistry {
  return createRegistry(createFolderStore(root, now), { now, by });
}

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleRegistry } from '../bundle/bundle-registry.js';

/**
 * The folder of what a person calls a bundle: a folder, a channel or a version.
 * @throws ShortlistError BUNDLE_NOT_FOUND
 */
export async function findBundle(name: string, registry: BundleRegistry): Promise<string> {
  const channel = (await registry.listChannels()).get(name);
  if (channel !== undefined) return registry.pathOf(channel.version);
  return existsSync(join(name, 'manifest.json')) ? name : registry.pathOf(name);
}

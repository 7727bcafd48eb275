import type { BundleRegistry } from './bundle-registry.js';

/**
 * Versions that nothing needs, oldest first: older than the newest `keep`, and neither what a channel points at nor what it would
 * be rolled back to.
 */
export async function findUnusedVersions(
  registry: BundleRegistry,
  { keep }: { keep: number },
): Promise<string[]> {
  const versions = await registry.list();
  const channels = [...(await registry.listChannels()).values()];
  const needed = new Set(channels.flatMap(({ version, previous }) => [version, ...previous.slice(0, 1)]));
  return versions.slice(0, Math.max(0, versions.length - keep)).filter((version) => !needed.has(version));
}

import { ShortlistError } from '../domain/errors.js';
import type { AuditEntry } from './audit-entry.js';
import type { BundleRegistry, ChannelPointer } from './bundle-registry.js';

/**
 * Versions that nothing needs, oldest first: older than the newest `keep`, and neither what a channel points at nor what it would
 * be rolled back to.
 * @throws ShortlistError BUNDLE_NOT_FOUND when the file of a channel is gone that was pointed at something: what it needs cannot be told
 */
export async function findUnusedVersions(
  registry: BundleRegistry,
  { keep }: { keep: number },
): Promise<string[]> {
  const versions = await registry.list();
  const old = versions.slice(0, Math.max(0, versions.length - keep));
  if (old.length === 0) return [];
  const channels = await registry.listChannels();
  refuseLostChannels(channels, await registry.readAudit());
  const needed = listNeeded(channels.values());
  return old.filter((version) => !needed.has(version));
}

/** The versions that channels point at or would be rolled back to. */
export function listNeeded(pointers: Iterable<ChannelPointer>): ReadonlySet<string> {
  return new Set([...pointers].flatMap(({ version, previous }) => [version, ...previous.slice(0, 1)]));
}

function refuseLostChannels(
  channels: ReadonlyMap<string, ChannelPointer>,
  audit: readonly AuditEntry[],
): void {
  const moved = audit.filter(({ passed, channel }) => channel !== undefined && passed !== false);
  const lost = new Map(moved.map(({ channel, version }) => [channel!, version]));
  const problems = [...lost]
    .filter(([channel]) => !channels.has(channel))
    .map(([channel, version]) => `${channel} was pointed at ${version} last`);
  if (problems.length === 0) return;
  throw new ShortlistError(
    'BUNDLE_NOT_FOUND',
    'The audit log knows channels whose file is gone, so which versions are in use cannot be told, and none is removed. ' +
      'Put the files back, or promote to these channels again:',
    { problems },
  );
}

import { ShortlistError } from '../domain/errors.js';
import { AUDIT_LOG, type AuditEntry, type AuditEvent } from './audit-entry.js';
import { type BundleFiles, openBundleFiles } from './bundle-files.js';
import { type BundleRegistry, type ChannelPointer, PROMOTED_FROM } from './bundle-registry.js';
import type { BundleStore } from './bundle-store.js';
import { VERSION_PATTERN } from './bundle-version.js';
import { createChannelFiles } from './channel-files.js';
import { decodeManifest, MANIFEST_FILE } from './manifest.js';

export interface RegistryOptions {
  readonly now: () => Date;
  /** Who acts, for the audit log. */
  readonly by: string;
}

/**
 * A registry over a store. Of two processes that move one channel at the same moment the later wins, and the history may miss
 * the earlier.
 */
export function createRegistry(store: BundleStore, { now, by }: RegistryOptions): BundleRegistry {
  const channels = createChannelFiles(store, now);
  const record = async (event: AuditEvent): Promise<void> => {
    const entry: AuditEntry = { at: now().toISOString(), by, ...event };
    await store.appendLine(AUDIT_LOG, JSON.stringify(entry));
  };
  const list = async (): Promise<string[]> => store.listVersions();

  async function pathOf(version: string): Promise<string> {
    const path = await store.findVersion(version);
    if (path !== undefined) return path;
    throw notFound(`There is no version ${JSON.stringify(version)} in ${store.location}`, await list());
  }

  async function readChannel(channel: string): Promise<ChannelPointer> {
    const pointer = await channels.find(channel);
    if (pointer !== undefined) return pointer;
    throw notFound(`The channel ${channel} of ${store.location} points at no version`, await list());
  }

  async function point(channel: string, version: string): Promise<ChannelPointer> {
    await pathOf(version);
    return channels.move(channel, version);
  }

  return {
    list,
    pathOf,
    readChannel,
    point,
    record,
    readManifest: async (version) => {
      const name = `${version}/${MANIFEST_FILE}`;
      const json = VERSION_PATTERN.test(version) ? await store.findText(name) : undefined;
      if (json !== undefined) return decodeManifest(json, `${store.location}/${name}`);
      throw notFound(`There is no version ${JSON.stringify(version)} in ${store.location}`, await list());
    },
    listChannels: async () => {
      const names = await channels.listNames();
      return new Map(await Promise.all(names.map(async (name) => [name, await readChannel(name)] as const)));
    },
    readAudit: async () =>
      (await store.readLines(AUDIT_LOG)).flatMap((line) => {
        const entry = parseEntry(line);
        return entry === undefined ? [] : [entry];
      }),
    publish: async (trainedFolder, { channel = 'staging' } = {}) => {
      const trained = await openBundleFiles(trainedFolder);
      const { version } = trained.manifest;
      const before = await channels.find(channel); // a pointer that cannot be read stops here, before anything is copied
      const published = await store.findVersion(version);
      if (published === undefined) await store.addVersion(trained);
      else await refuseOther(published, trained);
      await record({ action: 'publish', version, channel, before: before?.version ?? null });
      await point(channel, version);
      return version;
    },
    promote: async (version, { to = 'production' } = {}) => {
      const promoted = version ?? (await readChannel(PROMOTED_FROM[to])).version;
      await openBundleFiles(await pathOf(promoted));
      return point(to, promoted);
    },
    rollback: async (channel) => {
      const { version, previous } = await readChannel(channel);
      const [before, ...earlier] = previous;
      if (before === undefined) {
        throw notFound(`The channel ${channel} has pointed at nothing before ${version}`, await list());
      }
      await pathOf(before);
      await record({ action: 'rollback', version: before, channel, before: version });
      return channels.write(channel, { version: before, previous: earlier });
    },
    remove: async (version) => {
      await pathOf(version);
      await record({ action: 'remove', version });
      await store.removeVersion(version);
    },
  };
}

/** A line that was cut off by a crash says nothing. */
function parseEntry(line: string): AuditEntry | undefined {
  try {
    return JSON.parse(line) as AuditEntry;
  } catch {
    return undefined;
  }
}

/** The same manifest means the same files: it holds their hashes. */
async function refuseOther(published: string, trained: BundleFiles): Promise<void> {
  const { manifest } = await openBundleFiles(published);
  if (JSON.stringify(manifest) === JSON.stringify(trained.manifest)) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `${published} is published already, with other contents than ${trained.folder}: train again to get a new version.`,
  );
}

function notFound(what: string, versions: readonly string[]): ShortlistError {
  const known = versions.length === 0 ? 'none is published' : `published are ${versions.join(', ')}`;
  return new ShortlistError(
    'BUNDLE_NOT_FOUND',
    `${what}; ${known}. \`shortlist publish\` adds a version and points candidate at it, ` +
      '`shortlist promote` points staging or production at one.',
  );
}

import { ShortlistError } from '../domain/errors.js';
import { AUDIT_LOG, type AuditEntry, type AuditEvent } from './audit-entry.js';
import { type BundleFiles, openBundleFiles } from './bundle-files.js';
import {
  type BundleRegistry,
  type ChannelPointer,
  type MoveOptions,
  PROMOTED_FROM,
} from './bundle-registry.js';
import type { BundleStore } from './bundle-store.js';
import { VERSION_PATTERN } from './bundle-version.js';
import { createChannelFiles } from './channel-files.js';
import { listNeeded } from './find-unused-versions.js';
import { decodeManifest, type Manifest, MANIFEST_FILE } from './manifest.js';
import { type Lock, type LockOptions, withLock } from './with-lock.js';

export interface RegistryOptions {
  readonly now: () => Date;
  /** Who acts, for the audit log. */
  readonly by: string;
  /** How long others are waited for, other than by default. */
  readonly lock?: Omit<LockOptions, 'purpose'>;
}

/** A registry over a store. */
export function createRegistry(store: BundleStore, { now, by, lock = {} }: RegistryOptions): BundleRegistry {
  const channels = createChannelFiles(store, now);
  const record = async (event: AuditEvent): Promise<void> => {
    const entry: AuditEntry = { at: now().toISOString(), by, ...event };
    await store.appendLine(AUDIT_LOG, JSON.stringify(entry));
  };
  const list = async (): Promise<string[]> => store.listVersions();

  /** What changes the registry, one after the other. */
  function change<T>(purpose: string, act: (lock: Lock) => Promise<T>): Promise<T> {
    return withLock(store, { ...lock, purpose: `shortlist ${purpose}` }, act);
  }

  async function findManifest(version: string): Promise<Manifest | undefined> {
    const name = `${version}/${MANIFEST_FILE}`;
    const json = VERSION_PATTERN.test(version) ? await store.findText(name) : undefined;
    return json === undefined ? undefined : decodeManifest(json, `${store.location}/${name}`);
  }

  /** Of the store itself: a version of a bucket may be in a cache here and gone there. */
  async function readManifest(version: string): Promise<Manifest> {
    const manifest = await findManifest(version);
    if (manifest !== undefined) return manifest;
    throw notFound(`There is no version ${JSON.stringify(version)} in ${store.location}`, await list());
  }

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

  async function listChannels(): Promise<Map<string, ChannelPointer>> {
    const names = await channels.listNames();
    return new Map(await Promise.all(names.map(async (name) => [name, await readChannel(name)] as const)));
  }

  /** Undefined for a version that is gone, or damaged: neither keeps a sound bundle out of its place. */
  async function findDataset(version: string): Promise<string | undefined> {
    try {
      return (await findManifest(version))?.dataset.name;
    } catch (error) {
      if (error instanceof ShortlistError && error.code === 'INVALID_BUNDLE') return undefined;
      throw error;
    }
  }

  /** @returns what the channel points at */
  async function refuseOtherDataset(
    channel: string,
    { version, dataset }: Pick<Manifest, 'version' | 'dataset'>,
    { allowDatasetChange = false }: MoveOptions,
  ): Promise<ChannelPointer | undefined> {
    const pointer = await channels.find(channel);
    if (pointer === undefined || allowDatasetChange) return pointer;
    const taken = pointer.dataset ?? (await findDataset(pointer.version));
    if (taken === undefined || taken === dataset.name) return pointer;
    throw new ShortlistError(
      'OTHER_DATASET',
      `The channel ${channel} of ${store.location} takes bundles of ${taken}, and ${version} is of ${dataset.name}: servers that follow it would ` +
        'serve another shop. Give the dataset a registry of its own (SHORTLIST_REGISTRY), or say `--allow-dataset-change`.',
    );
  }

  async function move(channel: string, { version, dataset }: Manifest, lock: Lock): Promise<ChannelPointer> {
    await lock.confirm();
    return channels.move(channel, { version, dataset: dataset.name });
  }

  /** Another process may publish the same bundle at the same time. */
  async function add(trained: BundleFiles): Promise<void> {
    const { version } = trained.manifest;
    if ((await findManifest(version)) === undefined) {
      try {
        return await store.addVersion(trained);
      } catch (error) {
        if ((await findManifest(version)) === undefined) throw error;
      }
    }
    await refuseOther(await pathOf(version), trained);
  }

  async function remove(version: string, lock: Lock): Promise<void> {
    await record({ action: 'remove', version });
    await lock.confirm();
    await store.removeVersion(version);
  }

  return {
    list,
    pathOf,
    readChannel,
    listChannels,
    readManifest,
    record,
    point: (channel, version, options = {}) =>
      change('point', async (lock) => {
        const manifest = await readManifest(version);
        await refuseOtherDataset(channel, manifest, options);
        return move(channel, manifest, lock);
      }),
    readAudit: async () =>
      (await store.readLines(AUDIT_LOG)).flatMap((line) => {
        const entry = parseEntry(line);
        return entry === undefined ? [] : [entry];
      }),
    publish: async (trainedFolder, { channel = 'staging', ...options } = {}) => {
      const trained = await openBundleFiles(trainedFolder);
      const { manifest } = trained;
      const { version } = manifest;
      // A pointer that cannot be read, or takes no such bundle, stops here, before anything is copied.
      await refuseOtherDataset(channel, manifest, options);
      await add(trained);
      return change('publish', async (lock) => {
        // Until the channel points at it, anybody who removes what is not used may remove it.
        if ((await findManifest(version)) === undefined) await add(trained);
        const before = await refuseOtherDataset(channel, manifest, options);
        await record({ action: 'publish', version, channel, before: before?.version ?? null });
        await move(channel, manifest, lock);
        return version;
      });
    },
    promote: async (version, { to = 'production', expected, event, ...options } = {}) => {
      const promoted = version ?? (await readChannel(PROMOTED_FROM[to])).version;
      await openBundleFiles(await pathOf(promoted));
      return change('promote', async (lock) => {
        const manifest = await readManifest(promoted);
        const before = (await refuseOtherDataset(to, manifest, options))?.version ?? null;
        if (expected !== undefined && before !== expected) throw movedMeanwhile(to, before, expected);
        if (event !== undefined) await record(event);
        return move(to, manifest, lock);
      });
    },
    rollback: (channel, options = {}) =>
      change('rollback', async (lock) => {
        const { version, previous } = await readChannel(channel);
        const [before, ...earlier] = previous;
        if (before === undefined) {
          throw notFound(`The channel ${channel} has pointed at nothing before ${version}`, await list());
        }
        const manifest = await readManifest(before);
        await refuseOtherDataset(channel, manifest, options);
        await record({ action: 'rollback', version: before, channel, before: version });
        await lock.confirm();
        return channels.write(channel, {
          version: before,
          previous: earlier,
          dataset: manifest.dataset.name,
        });
      }),
    remove: (version) =>
      change('gc', async (lock) => {
        await pathOf(version);
        await remove(version, lock);
      }),
    removeUnused: (version) =>
      change('gc', async (lock) => {
        if ((await findManifest(version)) === undefined) return false;
        if (listNeeded((await listChannels()).values()).has(version)) return false;
        await remove(version, lock);
        return true;
      }),
  };
}

function movedMeanwhile(channel: string, now: string | null, expected: string | null): ShortlistError {
  return new ShortlistError(
    'CONFLICT',
    `${channel} was moved from ${expected ?? 'nothing'} to ${now ?? 'nothing'} meanwhile, so it is not moved. Look at \`shortlist list\`, then run it again.`,
  );
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

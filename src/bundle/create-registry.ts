import { ShortlistError } from '../domain/errors.js';
import { AUDIT_LOG, type AuditEntry, type AuditEvent } from './audit-entry.js';
import { type BundleFiles, openBundleFiles } from './bundle-files.js';
import { type BundleRegistry, type ChannelPointer, PROMOTED_FROM } from './bundle-registry.js';
import type { BundleStore } from './bundle-store.js';
import { type ChannelFiles, createChannelFiles } from './channel-files.js';
import { listNeeded } from './find-unused-versions.js';
import type { Manifest } from './manifest.js';
import { createRegistryReader, notFound, type RegistryReader } from './registry-reader.js';
import { type Lock, type LockOptions, withLock } from './with-lock.js';

/** Options of `createRegistry`. */
export interface RegistryOptions {
  /** Dates audit entries and channel pointers. */
  readonly now: () => Date;
  /** Who acts, for the audit log. */
  readonly by: string;
  /** How long others are waited for, other than by default. */
  readonly lock?: Omit<LockOptions, 'purpose'>;
}

/** A registry over a store. */
export function createRegistry(store: BundleStore, options: RegistryOptions): BundleRegistry {
  const channels = createChannelFiles(store, options.now);
  const reader = createRegistryReader(store, channels);
  const { record, change, move, remove } = createChanges(store, channels, options);

  return {
    ...reader,
    record,
    point: (channel, version, options = {}) =>
      change('point', async (lock) => {
        const manifest = await reader.readManifest(version);
        await reader.refuseOtherDataset(channel, manifest, options);
        return move(channel, manifest, lock);
      }),
    publish: async (trainedFolder, { channel = 'staging', ...options } = {}) => {
      const trained = await openBundleFiles(trainedFolder);
      const { manifest } = trained;
      const { version } = manifest;
      // A pointer that cannot be read, or takes no such bundle, stops here, before anything is copied.
      await reader.refuseOtherDataset(channel, manifest, options);
      await addVersion(trained, store, reader);
      return change('publish', async (lock) => {
        // Until the channel points at it, anybody who removes what is not used may remove it.
        if ((await reader.findManifest(version)) === undefined) await addVersion(trained, store, reader);
        const before = await reader.refuseOtherDataset(channel, manifest, options);
        await record({ action: 'publish', version, channel, before: before?.version ?? null });
        await move(channel, manifest, lock);
        return version;
      });
    },
    promote: async (version, { to = 'production', expected, event, ...options } = {}) => {
      const promoted = version ?? (await reader.readChannel(PROMOTED_FROM[to])).version;
      await openBundleFiles(await reader.pathOf(promoted));
      return change('promote', async (lock) => {
        const manifest = await reader.readManifest(promoted);
        const before = (await reader.refuseOtherDataset(to, manifest, options))?.version ?? null;
        if (expected !== undefined && before !== expected) throw movedMeanwhile(to, before, expected);
        if (event !== undefined) await record(event);
        return move(to, manifest, lock);
      });
    },
    rollback: (channel, options = {}) =>
      change('rollback', async (lock) => {
        const { version, previous } = await reader.readChannel(channel);
        const [before, ...earlier] = previous;
        if (before === undefined) {
          throw notFound(
            `The channel ${channel} has pointed at nothing before ${version}`,
            await reader.list(),
          );
        }
        const manifest = await reader.readManifest(before);
        await reader.refuseOtherDataset(channel, manifest, options);
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
        await reader.pathOf(version);
        await remove(version, lock);
      }),
    removeUnused: (version) =>
      change('gc', async (lock) => {
        if ((await reader.findManifest(version)) === undefined) return false;
        if (listNeeded((await reader.listChannels()).values()).has(version)) return false;
        await remove(version, lock);
        return true;
      }),
  };
}

/** The steps that changes of a registry are made of. */
interface Changes {
  readonly record: (event: AuditEvent) => Promise<void>;
  /** Runs one change under the lock of the registry. */
  readonly change: <T>(purpose: string, act: (lock: Lock) => Promise<T>) => Promise<T>;
  readonly move: (channel: string, manifest: Manifest, lock: Lock) => Promise<ChannelPointer>;
  readonly remove: (version: string, lock: Lock) => Promise<void>;
}

function createChanges(
  store: BundleStore,
  channels: ChannelFiles,
  { now, by, lock: waiting = {} }: RegistryOptions,
): Changes {
  const record = async (event: AuditEvent): Promise<void> => {
    const entry: AuditEntry = { at: now().toISOString(), by, ...event };
    await store.appendLine(AUDIT_LOG, JSON.stringify(entry));
  };
  return {
    record,
    change: (purpose, act) => withLock(store, { ...waiting, purpose: `shortlist ${purpose}` }, act),
    move: async (channel, { version, dataset }, lock) => {
      await lock.confirm();
      return channels.move(channel, { version, dataset: dataset.name });
    },
    remove: async (version, lock) => {
      await record({ action: 'remove', version });
      await lock.confirm();
      await store.removeVersion(version);
    },
  };
}

/** Another process may publish the same bundle at the same time. */
async function addVersion(trained: BundleFiles, store: BundleStore, reader: RegistryReader): Promise<void> {
  const { version } = trained.manifest;
  if ((await reader.findManifest(version)) === undefined) {
    try {
      return await store.addVersion(trained);
    } catch (error) {
      if ((await reader.findManifest(version)) === undefined) throw error;
    }
  }
  await refuseOther(await reader.pathOf(version), trained);
}

function movedMeanwhile(channel: string, now: string | null, expected: string | null): ShortlistError {
  return new ShortlistError(
    'CONFLICT',
    `${channel} was moved from ${expected ?? 'nothing'} to ${now ?? 'nothing'} meanwhile, so it is not moved. Look at \`shortlist list\`, then run it again.`,
  );
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

import { ShortlistError } from '../domain/errors.js';
import { AUDIT_LOG, type AuditEntry } from './audit-entry.js';
import type { BundleRegistry, ChannelPointer, MoveOptions } from './bundle-registry.js';
import type { BundleStore } from './bundle-store.js';
import { VERSION_PATTERN } from './bundle-version.js';
import type { ChannelFiles } from './channel-files.js';
import { type Manifest, MANIFEST_FILE } from './manifest.js';
import { decodeManifest } from './parse-manifest.js';

/** The part of a registry that changes nothing. */
export interface RegistryReader extends Pick<
  BundleRegistry,
  'list' | 'pathOf' | 'readChannel' | 'listChannels' | 'readManifest' | 'readAudit'
> {
  /** Of the store itself: a version of a bucket may be in a cache here and gone there. */
  findManifest(version: string): Promise<Manifest | undefined>;
  /** Of a version; undefined for one that is gone, or damaged: neither keeps a sound bundle out of its place. */
  findDataset(version: string): Promise<string | undefined>;
  /**
   * @returns what the channel points at; undefined for nothing
   * @throws ShortlistError OTHER_DATASET when the channel takes bundles of another dataset, and nobody allows that
   */
  refuseOtherDataset(
    channel: string,
    bundle: Pick<Manifest, 'version' | 'dataset'>,
    options: MoveOptions,
  ): Promise<ChannelPointer | undefined>;
}

/** Reads a registry from its store and its channel pointers; takes no lock. */
export function createRegistryReader(store: BundleStore, channels: ChannelFiles): RegistryReader {
  const list = async (): Promise<string[]> => store.listVersions();

  async function findManifest(version: string): Promise<Manifest | undefined> {
    const name = `${version}/${MANIFEST_FILE}`;
    const json = VERSION_PATTERN.test(version) ? await store.findText(name) : undefined;
    return json === undefined ? undefined : decodeManifest(json, `${store.location}/${name}`);
  }

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

  async function findDataset(version: string): Promise<string | undefined> {
    try {
      return (await findManifest(version))?.dataset.name;
    } catch (error) {
      if (error instanceof ShortlistError && error.code === 'INVALID_BUNDLE') return undefined;
      throw error;
    }
  }

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

  return {
    list,
    pathOf,
    readChannel,
    listChannels,
    readManifest,
    findManifest,
    findDataset,
    refuseOtherDataset,
    readAudit: async () =>
      (await store.readLines(AUDIT_LOG)).flatMap((line) => {
        const entry = parseEntry(line);
        return entry === undefined ? [] : [entry];
      }),
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

/** A BUNDLE_NOT_FOUND error that also says which versions there are. */
export function notFound(what: string, versions: readonly string[]): ShortlistError {
  const known = versions.length === 0 ? 'none is published' : `published are ${versions.join(', ')}`;
  return new ShortlistError(
    'BUNDLE_NOT_FOUND',
    `${what}; ${known}. \`shortlist publish\` adds a version and points candidate at it, ` +
      '`shortlist promote` points staging or production at one.',
  );
}

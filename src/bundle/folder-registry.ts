import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { ShortlistError } from '../domain/errors.js';
import { type BundleFiles, openBundleFiles } from './bundle-files.js';
import type { BundleRegistry, ChannelPointer } from './bundle-registry.js';
import { isBundleVersion, VERSION_PATTERN } from './bundle-version.js';
import { exists, isTemporary, replaceFile } from './durable-files.js';
import { findSchemaProblems } from './schema-problems.js';
import { contentsOf, writeBundleFiles } from './write-bundle-files.js';

/** Nobody copies for so long: what is older was left by a publish that was killed. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/** How many earlier versions a channel remembers. */
const HISTORY_LENGTH = 20;

const version = Type.String({ pattern: VERSION_PATTERN.source });
const ChannelFile = Type.Object({ version, previous: Type.Array(version), updatedAt: Type.String() });

/**
 * A registry in a folder: `<root>/<version>/` and `<root>/channels/<channel>.json`. Every change is one rename, so readers
 * in other processes see the state before or after it. Of two processes that move one channel at the same moment the
 * later wins, and the history may miss the earlier.
 */
export function createFolderRegistry(root: string, now: () => Date = () => new Date()): BundleRegistry {
  const list = async (): Promise<string[]> => (await listNames(root)).filter(isBundleVersion).sort();

  async function pathOf(version: string): Promise<string> {
    const path = join(root, version);
    if (isBundleVersion(version) && (await exists(path))) return path;
    throw notFound(`There is no version ${JSON.stringify(version)} in ${root}`, await list());
  }

  async function findChannel(channel: string): Promise<ChannelPointer | undefined> {
    const path = channelPath(root, channel);
    const json = await readIfThere(path);
    return json === undefined ? undefined : parseChannel(json, path);
  }

  async function readChannel(channel: string): Promise<ChannelPointer> {
    const pointer = await findChannel(channel);
    if (pointer !== undefined) return pointer;
    throw notFound(`The channel ${channel} of ${root} points at no version`, await list());
  }

  async function writeChannel(
    channel: string,
    pointer: Omit<ChannelPointer, 'updatedAt'>,
  ): Promise<ChannelPointer> {
    const dated = { ...pointer, updatedAt: now().toISOString() };
    await mkdir(join(root, 'channels'), { recursive: true });
    await replaceFile(channelPath(root, channel), `${JSON.stringify(dated, undefined, 2)}\n`);
    return dated;
  }

  async function point(channel: string, version: string): Promise<ChannelPointer> {
    await pathOf(version);
    const current = await findChannel(channel);
    if (current === undefined) return writeChannel(channel, { version, previous: [] });
    if (current.version === version) return current;
    const previous = [current.version, ...current.previous].slice(0, HISTORY_LENGTH);
    return writeChannel(channel, { version, previous });
  }

  async function publish(trainedFolder: string): Promise<string> {
    const trained = await openBundleFiles(trainedFolder);
    const { version } = trained.manifest;
    await findChannel('staging'); // a pointer that cannot be read stops here, before anything is copied
    await sweepAbandoned(root, now().getTime() - ABANDONED_AFTER_MS);
    const target = join(root, version);
    if (await exists(target)) await refuseOther(target, trained);
    else await writeBundleFiles(target, { manifest: trained.manifest, files: contentsOf(trained) });
    await point('staging', version);
    return version;
  }

  async function promote(version?: string): Promise<ChannelPointer> {
    const promoted = version ?? (await readChannel('staging')).version;
    await openBundleFiles(await pathOf(promoted));
    return point('production', promoted);
  }

  async function rollback(channel: string): Promise<ChannelPointer> {
    const { version, previous } = await readChannel(channel);
    const [before, ...earlier] = previous;
    if (before === undefined) {
      throw notFound(`The channel ${channel} has pointed at nothing before ${version}`, await list());
    }
    await pathOf(before);
    return writeChannel(channel, { version: before, previous: earlier });
  }

  return { publish, list, readChannel, pathOf, point, promote, rollback };
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

function channelPath(root: string, channel: string): string {
  if (/^[a-z][a-z0-9-]*$/.test(channel)) return join(root, 'channels', `${channel}.json`);
  throw new ShortlistError(
    'BUNDLE_NOT_FOUND',
    `${JSON.stringify(channel)} is not the name of a channel: use lower-case letters, digits and hyphens.`,
  );
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw invalidChannel(path, [(cause as Error).message], cause);
  }
}

function parseChannel(json: string, path: string): ChannelPointer {
  let pointer: unknown;
  try {
    pointer = JSON.parse(json);
  } catch (cause) {
    throw invalidChannel(path, [`it is not JSON: ${(cause as Error).message}`], cause);
  }
  const problems = findSchemaProblems(ChannelFile, pointer);
  if (problems.length > 0) throw invalidChannel(path, problems);
  return pointer as ChannelPointer;
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
    `${what}; ${known}. \`shortlist publish\` adds a version and points staging at it, ` +
      '`shortlist promote` points production at a version.',
  );
}

function invalidChannel(path: string, problems: readonly string[], cause?: unknown): ShortlistError {
  return new ShortlistError(
    'INVALID_BUNDLE',
    `The channel file ${path} is not sound; \`shortlist publish\` or \`shortlist promote\` writes it anew once it is removed`,
    { problems, cause },
  );
}

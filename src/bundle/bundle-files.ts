import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { ShortlistError } from '../domain/errors.js';
import { createDependencyAccess, type DependencyAccess } from '../domain/dependency-access.js';
import { isBundleVersion } from './bundle-version.js';
import { CHECKSUM_FILE, type Manifest, MANIFEST_FILE } from './manifest.js';
import { decodeManifest, findManifestProblems, isSafePath } from './parse-manifest.js';
import { describeChange, describeFailure, type ListedFile } from './verified-file.js';

/** A bundle whose every file was read once and found to be what its manifest says, save those that were deferred. */
export interface BundleFiles {
  readonly folder: string;
  readonly manifest: Manifest;
  /**
   * The verified bytes of a listed file, the same array at every call: do not write to it.
   * @throws ShortlistError INVALID_BUNDLE when the manifest does not list the file, or it was deferred
   */
  readonly bytesOf: (path: string) => Uint8Array;
  /** A file that was deferred: it is there and has its size, and who reads it verifies it. */
  readonly deferredFile: (path: string) => ListedFile;
}

/** Options of `openBundleFiles`. */
export interface OpenBundleOptions {
  /** Leaves the files of feature views and item indexes, which may be large, to be verified by who loads them. */
  readonly deferViews?: boolean;
  /** How often a disk that is away for a moment is asked; as by default, and told to nobody, when not said. */
  readonly access?: DependencyAccess | undefined;
}

/** Read and hash in pieces, so that a server goes on answering while it opens a large bundle. */
const CHUNK_BYTES = 1 << 20;

/**
 * Reads a bundle folder whole and verifies it: nothing needs to be read, or trusted, again.
 * @throws ShortlistError BUNDLE_NOT_FOUND when there is no such folder; INVALID_BUNDLE with every problem found: manifest
 * unreadable, changed or contradicting itself, files missing, changed, longer, shorter or outside the folder; or a folder
 * that is named as one version and holds another
 */
export async function openBundleFiles(folder: string, options: OpenBundleOptions = {}): Promise<BundleFiles> {
  const { access = createDependencyAccess() } = options;
  const root = await findFolder(folder);
  const { manifest, problems } = await readManifest(root, folder, access);
  const contents = new Map<string, Uint8Array>();
  const deferred = new Map<string, ListedFile>();
  const large = listLargeFiles(manifest);
  for (const [name, expected] of Object.entries(manifest.files)) {
    if (!isSafePath(name)) continue;
    const found = await findListed(root, { name, ...expected }, access);
    if (typeof found === 'string') problems.push(`${name} ${found}`);
    else if (options.deferViews === true && large.has(name)) deferred.set(name, found);
    else {
      const content = await readVerified(found, access);
      if (typeof content === 'string') problems.push(`${name} ${content}`);
      else contents.set(name, content);
    }
  }
  if (problems.length > 0)
    throw invalidBundle(folder, [...problems, ...(await verifyAll(deferred.values(), access))]);
  return {
    folder,
    manifest,
    bytesOf: (path) => contents.get(path) ?? refuseUnlisted(folder, path),
    deferredFile: (path) => deferred.get(path) ?? refuseUnlisted(folder, path),
  };
}

function listLargeFiles({ views, sources }: Manifest): Set<string> {
  const files = [...Object.values(views), ...Object.values(sources).map(({ index }) => index)];
  return new Set(files.map((part) => part?.file).filter((file) => file !== undefined));
}

/**
 * The manifest of a bundle folder, to know what is in it; nothing of it is verified yet.
 * @throws ShortlistError BUNDLE_NOT_FOUND when there is no such folder; INVALID_BUNDLE when it has no readable manifest
 */
export async function readBundleManifest(folder: string): Promise<Manifest> {
  return (await readManifest(await findFolder(folder), folder, createDependencyAccess())).manifest;
}

/** Nobody will load these of a bundle that is refused already: what is wrong with them is told with the rest. */
async function verifyAll(files: Iterable<ListedFile>, access: DependencyAccess): Promise<string[]> {
  const problems: string[] = [];
  for (const file of files) {
    const content = await readVerified(file, access);
    if (typeof content === 'string') problems.push(`${file.name} ${content}`);
  }
  return problems;
}

async function findFolder(folder: string): Promise<string> {
  try {
    return await realpath(folder);
  } catch (cause) {
    throw new ShortlistError(
      'BUNDLE_NOT_FOUND',
      `There is no bundle at ${folder}: \`shortlist train\` makes one, \`shortlist publish\` puts it into the registry.`,
      { cause },
    );
  }
}

/** The manifest, and what is wrong with it that does not keep its files from being checked. */
async function readManifest(
  root: string,
  folder: string,
  access: DependencyAccess,
): Promise<{ manifest: Manifest; problems: string[] }> {
  const bytes = await readOwnFile(root, folder, { name: MANIFEST_FILE, access });
  const checksum = (await readOwnFile(root, folder, { name: CHECKSUM_FILE, access })).toString('utf8');
  const changed =
    checksum === formatChecksum(bytes)
      ? []
      : [`${MANIFEST_FILE} does not have the hash that ${CHECKSUM_FILE} says`];
  try {
    const manifest = decodeManifest(bytes.toString('utf8'), MANIFEST_FILE);
    const contradictions = findManifestProblems(manifest).map((problem) => `${MANIFEST_FILE}: ${problem}`);
    return { manifest, problems: [...changed, ...contradictions, ...findOtherVersion(folder, manifest)] };
  } catch (error) {
    const unsound = (error as ShortlistError).problems.map((problem) => `${MANIFEST_FILE}: ${problem}`);
    throw invalidBundle(folder, [...changed, ...unsound], error);
  }
}

/** Versions are looked up by folder and reported by manifest: whoever renames one would serve another than they see. */
function findOtherVersion(folder: string, { version }: Manifest): string[] {
  const name = basename(folder);
  if (!isBundleVersion(name) || name === version) return [];
  return [`${MANIFEST_FILE} says version ${version}, the folder is named ${name}: give it its own name back`];
}

/** The line of the checksum file, which `sha256sum --check` reads. */
export function formatChecksum(manifest: Uint8Array): string {
  return `${createHash('sha256').update(manifest).digest('hex')}  ${MANIFEST_FILE}\n`;
}

async function readOwnFile(
  root: string,
  folder: string,
  { name, access }: { name: string; access: DependencyAccess },
): Promise<Buffer> {
  try {
    return await access.retry('bundle', () => readFile(join(root, name)));
  } catch (cause) {
    throw invalidBundle(folder, [`${name} ${describeFailure(cause)}`], cause);
  }
}

/** Where a listed file lies, or what is wrong with it that is seen without reading it. */
async function findListed(
  root: string,
  expected: { name: string; sha256: string; sizeBytes: number },
  access: DependencyAccess,
): Promise<ListedFile | string> {
  try {
    const path = await access.retry('bundle', () => realpath(join(root, expected.name)));
    if (!path.startsWith(root + sep)) return `leads out of the bundle, to ${path}`;
    const found = await access.retry('bundle', () => stat(path));
    if (!found.isFile()) return 'is not a file';
    if (found.size !== expected.sizeBytes)
      return `has ${found.size} bytes, the manifest says ${expected.sizeBytes}`;
    return { ...expected, path };
  } catch (error) {
    return describeFailure(error);
  }
}

/** The bytes of a file that are what the manifest says, or what is wrong with them. */
async function readVerified(file: ListedFile, access: DependencyAccess): Promise<Uint8Array | string> {
  try {
    const { bytes, sha256 } = await access.retry('bundle', async () => {
      const started = performance.now();
      const read = await readHashed(file);
      const seconds = (performance.now() - started) / 1000;
      access.measure({ source: 'bundle', name: file.name, bytes: file.sizeBytes, seconds });
      return read;
    });
    return sha256 === file.sha256 ? bytes : describeChange(sha256, file);
  } catch (error) {
    return describeFailure(error);
  }
}

async function readHashed({ path, sizeBytes }: ListedFile): Promise<{ bytes: Uint8Array; sha256: string }> {
  const bytes = new Uint8Array(new SharedArrayBuffer(sizeBytes)); // what is read of it, threads share
  const hash = createHash('sha256');
  let offset = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK_BYTES })) {
    bytes.set(chunk as Uint8Array, offset);
    hash.update(chunk as Uint8Array);
    offset += (chunk as Uint8Array).length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

function refuseUnlisted(folder: string, path: string): never {
  throw invalidBundle(folder, [`its manifest does not list ${path}`]);
}

function invalidBundle(folder: string, problems: readonly string[], cause?: unknown): ShortlistError {
  return new ShortlistError('INVALID_BUNDLE', `The bundle at ${folder} is not valid`, { problems, cause });
}

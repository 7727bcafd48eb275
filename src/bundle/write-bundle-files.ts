import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ShortlistError } from '../domain/errors.js';
import { type BundleFiles, formatChecksum } from './bundle-files.js';
import { createBundleVersion, hashContents } from './bundle-version.js';
import {
  exists,
  moveUnlessTaken,
  replaceFolder,
  syncFolder,
  temporarySibling,
  writeDurably,
} from './durable-files.js';
import { CHECKSUM_FILE, FORMAT_VERSION, hashFeatureOrder, type Manifest, MANIFEST_FILE } from './manifest.js';
import { isSafePath, parseManifest } from './parse-manifest.js';

/** One file to write: its bytes, or the file to copy them from; for a table also its rows. */
export type BundleContent = ({ readonly bytes: Uint8Array } | { readonly copyOf: string }) & {
  readonly rows?: number | undefined;
};

/** A manifest without what the writer computes: hashes, sizes and, where it is left out, the version. */
export type ManifestDraft = Omit<Manifest, 'formatVersion' | 'version' | 'ranker' | 'files'> & {
  readonly version?: string;
  readonly ranker: Omit<Manifest['ranker'], 'featureOrderHash'>;
};

type FileEntry = Manifest['files'][string];

/** A bundle to be written. */
export interface BundleDraft {
  readonly manifest: ManifestDraft;
  /** By path inside the bundle. */
  readonly files: ReadonlyMap<string, BundleContent>;
}

/**
 * Writes a bundle folder whole or not at all: into a hidden folder beside it, each file synced to disk, the manifest last,
 * then renamed. A draft without a version gets one from its creation time and the contents of its files.
 *
 * @param options.replace put the new bundle in the place of an old one (by default an existing folder is refused). The
 * old one is moved aside first, so for a moment there is none: right for a training result, not for a published version.
 * @returns the manifest as written
 * @throws ShortlistError INVALID_BUNDLE when the folder exists, or opening what was written would be refused
 */
export async function writeBundleFiles(
  folder: string,
  draft: BundleDraft,
  options: { replace?: boolean } = {},
): Promise<Manifest> {
  const target = resolve(folder);
  const { replace = false } = options;
  if (!replace && (await exists(target))) throw alreadyThere(folder);
  refuseUnsafePaths(draft, folder);
  const temporary = temporarySibling(target);
  try {
    await mkdir(temporary, { recursive: true });
    const manifest = await fillFolder(temporary, draft);
    if (replace) await replaceFolder(temporary, target);
    else if (!(await moveUnlessTaken(temporary, target))) throw alreadyThere(folder);
    await syncFolder(dirname(target));
    return manifest;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

/** The files of an open bundle as contents of another: to publish it, or to write it again with additions. */
export function contentsOf(bundle: BundleFiles): Map<string, BundleContent> {
  const files = Object.entries(bundle.manifest.files);
  return new Map(files.map(([path, { rows }]) => [path, { bytes: bundle.bytesOf(path), rows }]));
}

function refuseUnsafePaths({ files }: BundleDraft, folder: string): void {
  const problems = [...files.keys()]
    .filter((path) => !isSafePath(path))
    .map((path) => `${JSON.stringify(path)} is not a plain path inside the bundle`);
  if (problems.length === 0) return;
  throw new ShortlistError('INVALID_BUNDLE', `The bundle ${folder} cannot be written`, { problems });
}

async function fillFolder(folder: string, draft: BundleDraft): Promise<Manifest> {
  const files: Record<string, FileEntry> = {};
  for (const [path, content] of [...draft.files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    files[path] = await writeContent(join(folder, path), content);
  }
  const manifest = completeManifest(draft.manifest, files);
  const json = `${JSON.stringify(manifest, undefined, 2)}\n`;
  parseManifest(json, MANIFEST_FILE);
  await writeDurably(join(folder, CHECKSUM_FILE), formatChecksum(Buffer.from(json)));
  await writeDurably(join(folder, MANIFEST_FILE), json);
  for (const path of new Set(['.', ...Object.keys(files).map((file) => dirname(file))])) {
    await syncFolder(join(folder, path));
  }
  return manifest;
}

async function writeContent(path: string, content: BundleContent): Promise<FileEntry> {
  const bytes = 'bytes' in content ? content.bytes : await readFile(content.copyOf);
  await mkdir(dirname(path), { recursive: true });
  await writeDurably(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { sha256, sizeBytes: bytes.length, ...(content.rows === undefined ? {} : { rows: content.rows }) };
}

/** Keys come in the same order when a manifest is written again, so that equal manifests have equal bytes. */
function completeManifest(draft: ManifestDraft, files: Manifest['files']): Manifest {
  const version = draft.version ?? createBundleVersion(new Date(draft.createdAt), hashContents(files));
  const featureOrderHash = hashFeatureOrder(draft.ranker.featureOrder);
  return {
    formatVersion: FORMAT_VERSION,
    version,
    ...draft,
    ranker: { ...draft.ranker, featureOrderHash },
    files,
  };
}

function alreadyThere(folder: string): ShortlistError {
  return new ShortlistError(
    'INVALID_BUNDLE',
    `There is already a bundle at ${folder}; remove it first, or write to another folder.`,
  );
}

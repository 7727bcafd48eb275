import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { ShortlistError } from '../domain/errors.js';
import {
  createDependencyAccess,
  isPassing,
  PASSING_STATUSES,
  type DependencyAccess,
} from '../domain/dependency-access.js';
import { openBundleFiles } from './bundle-files.js';
import type { BundleStore } from './bundle-store.js';
import { isBundleVersion } from './bundle-version.js';
import { exists, temporarySibling } from './durable-files.js';
import { CHECKSUM_FILE, MANIFEST_FILE } from './manifest.js';
import { decodeManifest } from './parse-manifest.js';

/** The address of a bucket, and the folder for local copies of its versions. */
export interface S3StoreOptions {
  /** `s3://bucket/prefix`; the prefix may be empty. */
  readonly address: string;
  /** URL of a service that is not Amazon's; '' for Amazon's. */
  readonly endpoint: string;
  /** Folder that versions are fetched into, once each. */
  readonly cacheDir: string;
}

/** After so long without an answer an attempt is given up. */
const ATTEMPT_TIMEOUT_MS = 30_000;

/**
 * A store in a bucket of S3, or of a service that speaks as it does: `<prefix>/<version>/<file>`, `<prefix>/channels/<channel>.json`,
 * and each line of a log as an object of its own, named by when it was written. A version is there once its manifest is, which comes
 * last and goes first. Credentials and region come from where Amazon's tools take them (AWS_ACCESS_KEY_ID, AWS_REGION, profiles, roles).
 *
 * Every operation throws ShortlistError REGISTRY_FAILED when the service cannot be asked.
 * @throws ShortlistError INVALID_CONFIG when the address is none, or the client (@aws-sdk/client-s3) is not installed
 */
export async function createS3Store(
  options: S3StoreOptions,
  access: DependencyAccess = createDependencyAccess(),
): Promise<BundleStore> {
  const { bucket, prefix } = parseAddress(options.address);
  const objects = await openBucket({ ...options, bucket, access });
  const key = (name: string): string => prefix + name;
  const copies = createLocalCopies(options, (name) => objects.find(key(name)));

  return {
    location: options.address,
    listVersions: async () => {
      const manifests = (await objects.list(prefix)).filter((name) => name.endsWith(`/${MANIFEST_FILE}`));
      const versions = manifests.map((name) => name.slice(prefix.length, -MANIFEST_FILE.length - 1));
      return versions.filter(isBundleVersion).sort();
    },
    findVersion: async (version) => (isBundleVersion(version) ? copies.find(version) : undefined),
    addVersion: async ({ folder, manifest, bytesOf }) => {
      const { version, files } = manifest;
      for (const name of Object.keys(files)) await objects.put(key(`${version}/${name}`), bytesOf(name));
      for (const name of [CHECKSUM_FILE, MANIFEST_FILE]) {
        await objects.put(key(`${version}/${name}`), await readFile(join(folder, name)));
      }
    },
    removeVersion: async (version) => {
      const names = await objects.list(key(`${version}/`));
      const manifest = key(`${version}/${MANIFEST_FILE}`);
      for (const name of [manifest, ...names.filter((other) => other !== manifest)])
        await objects.remove(name);
      await copies.remove(version);
    },
    findText: async (name) => (await objects.find(key(name)))?.toString('utf8'),
    replaceText: (name, text) => objects.put(key(name), Buffer.from(text)),
    renewText: async (name, text) => {
      const found = (await objects.find(key(name))) !== undefined;
      if (found) await objects.put(key(name), Buffer.from(text));
      return found;
    },
    removeText: (name) => objects.remove(key(name)),
    listTexts: async (folder) =>
      (await objects.list(key(`${folder}/`))).map((name) => name.slice(key(`${folder}/`).length)),
    appendLine: (log, line) =>
      objects.put(key(`${log}/${new Date().toISOString()}-${randomUUID()}`), Buffer.from(line)),
    readLines: async (log) => {
      const names = await objects.list(key(`${log}/`));
      const lines = await Promise.all(names.sort().map((name) => objects.find(name)));
      return lines.flatMap((line) => (line === undefined ? [] : [line.toString('utf8')]));
    },
  };
}

function parseAddress(address: string): { bucket: string; prefix: string } {
  const [, bucket, path = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(address) ?? [];
  if (bucket === undefined) {
    throw new ShortlistError(
      'INVALID_CONFIG',
      `${JSON.stringify(address)} is not the address of a bucket: write s3://bucket or s3://bucket/prefix.`,
    );
  }
  const folder = path.replaceAll(/^\/+|\/+$/g, '');
  return { bucket, prefix: folder === '' ? '' : `${folder}/` };
}

/** Versions of a bucket in a folder of this machine. */
interface LocalCopies {
  /** Gives the folder of a version, which is fetched when it is not there yet; undefined where the bucket does not have it. */
  find(version: string): Promise<string | undefined>;
  remove(version: string): Promise<void>;
}

/** @param findObject gives what the bucket has under a name below its prefix */
function createLocalCopies(
  options: S3StoreOptions,
  findObject: (name: string) => Promise<Buffer | undefined>,
): LocalCopies {
  const placeOf = (version: string): string => join(cacheFolderOf(options), version);

  async function fetchFiles(
    folder: string,
    { version, manifest }: { version: string; manifest: Buffer },
  ): Promise<void> {
    const { files } = decodeManifest(
      manifest.toString('utf8'),
      `${options.address}/${version}/${MANIFEST_FILE}`,
    );
    for (const name of [MANIFEST_FILE, CHECKSUM_FILE, ...Object.keys(files)]) {
      const bytes = name === MANIFEST_FILE ? manifest : await findObject(`${version}/${name}`);
      // What is missing is told by who opens the bundle, with everything else that is wrong.
      if (bytes === undefined) continue;
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), bytes);
    }
  }

  async function fetchVersion(version: string): Promise<string | undefined> {
    const manifest = await findObject(`${version}/${MANIFEST_FILE}`);
    if (manifest === undefined) return undefined;
    const target = placeOf(version);
    const temporary = temporarySibling(target);
    try {
      await fetchFiles(temporary, { version, manifest });
      // Nothing that is not sound may stay in the cache: it would be found there for ever.
      await openBundleFiles(temporary);
      await rename(temporary, target).catch(async (error: unknown) => {
        // Another process was faster.
        if (!(await exists(target))) throw error;
      });
      return target;
    } finally {
      await rm(temporary, { recursive: true, force: true });
    }
  }

  return {
    find: async (version) => ((await exists(placeOf(version))) ? placeOf(version) : fetchVersion(version)),
    remove: (version) => rm(placeOf(version), { recursive: true, force: true }),
  };
}

/** Buckets have caches of their own: two of them may hold one version, published to both. */
function cacheFolderOf({ cacheDir, address, endpoint }: S3StoreOptions): string {
  const name = createHash('sha256').update(`${endpoint} ${address}`).digest('hex').slice(0, 12);
  return resolve(cacheDir, name);
}

interface OpenBucketOptions {
  readonly bucket: string;
  readonly endpoint: string;
  readonly access: DependencyAccess;
}

/** What is asked of a bucket; names are whole keys. */
interface Bucket {
  find(name: string): Promise<Buffer | undefined>;
  put(name: string, bytes: Uint8Array): Promise<void>;
  remove(name: string): Promise<void>;
  list(prefix: string): Promise<string[]>;
}

async function openBucket({ bucket, endpoint, access }: OpenBucketOptions): Promise<Bucket> {
  const sdk = await loadSdk();
  const client: S3Client = new sdk.S3Client({
    // Attempts are those of the policy of all sources: the client's own would multiply them.
    maxAttempts: 1,
    requestHandler: { requestTimeout: ATTEMPT_TIMEOUT_MS, connectionTimeout: ATTEMPT_TIMEOUT_MS },
    // The manifest has the hash of every file; services of others do not know Amazon's newer checksums.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(endpoint !== '' && { endpoint, forcePathStyle: true }),
  });
  const ask = async <T>(what: string, run: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    try {
      return await access.retry('object_storage', run, { isPassing: isPassingFault });
    } catch (cause) {
      const { name, message } = cause as S3ServiceException;
      throw new ShortlistError(
        'REGISTRY_FAILED',
        `The bucket ${bucket} could not ${what}: ${name}: ${message}. Check the address, the endpoint and the credentials.`,
        { cause },
      );
    }
  };
  return {
    find: (Key) =>
      ask(`give ${Key}`, async (abortSignal) => {
        const started = performance.now();
        try {
          const command = new sdk.GetObjectCommand({ Bucket: bucket, Key });
          const { Body } = await client.send(command, { abortSignal });
          const bytes = Buffer.from(await Body!.transformToByteArray());
          const seconds = (performance.now() - started) / 1000;
          access.measure({ source: 'object_storage', name: Key, bytes: bytes.length, seconds });
          return bytes;
        } catch (error) {
          if (error instanceof sdk.NoSuchKey) return undefined;
          throw error;
        }
      }),
    put: (Key, bytes) =>
      ask(`take ${Key}`, async (abortSignal) => {
        // The client takes no memory that threads share.
        const Body = Buffer.from(bytes);
        await client.send(new sdk.PutObjectCommand({ Bucket: bucket, Key, Body }), { abortSignal });
      }),
    remove: (Key) =>
      ask(`remove ${Key}`, async (abortSignal) => {
        await client.send(new sdk.DeleteObjectCommand({ Bucket: bucket, Key }), { abortSignal });
      }),
    list: (Prefix) =>
      ask(`list ${Prefix}`, async (abortSignal) => {
        const names: string[] = [];
        for await (const page of sdk.paginateListObjectsV2({ client }, { Bucket: bucket, Prefix })) {
          abortSignal.throwIfAborted();
          for (const { Key } of page.Contents ?? []) names.push(Key!);
        }
        return names;
      }),
  };
}

/** What the service, or the way to it, may not say again: it is busy, broken for the moment, or cut off. */
function isPassingFault(error: unknown): boolean {
  const { name, $metadata, $retryable } = error as S3ServiceException;
  if (PASSING_STATUSES.has($metadata?.httpStatusCode ?? 0)) return true;
  return $retryable !== undefined || name === 'TimeoutError' || isPassing(error);
}

async function loadSdk() {
  try {
    return await import('@aws-sdk/client-s3');
  } catch (cause) {
    throw new ShortlistError(
      'INVALID_CONFIG',
      'A registry in a bucket needs @aws-sdk/client-s3, which is not installed here: `npm install @aws-sdk/client-s3`.',
      { cause },
    );
  }
}

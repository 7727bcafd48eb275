import type { BundleFiles } from '../bundle/bundle-files.js';
import type { Manifest } from '../bundle/manifest.js';
import { parseTensorFile, type TensorFile } from '../bundle/tensor-file.js';
import { openVerifiedFile } from '../bundle/verified-file.js';
import { prepareRows } from '../candidates/exact-search.js';
import type { Int8Rows } from '../candidates/int8-rows.js';
import { findItemVectors } from '../candidates/sources.js';
import type { AttributeColumn, Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { Histories } from '../domain/history.js';
import type { DependencyAccess } from '../domain/dependency-access.js';
import { IdIndex } from '../domain/id-index.js';
import type { IdTable } from '../domain/id-table.js';
import type { FeatureObserver } from '../features/feature-observer.js';
import { estimateTableBytes } from '../features/feature-table-size.js';
import { FeatureTable, type TableParts } from '../features/feature-table.js';
import type { FeatureView } from '../features/feature-view.js';
import { loadFeatureTable } from '../features/load-feature-table.js';
import { readCatalogue } from '../features/read-catalogue.js';
import { parseHistories } from '../features/read-histories.js';
import type { ProblemCollector } from './collect-problems.js';

/**
 * The contents of a bundle, verified and in memory: engines of several threads are made of one. Parts that
 * could not be read are absent.
 */
export interface BundleContents {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly catalogue: Catalogue | undefined;
  readonly histories: Histories | undefined;
  /** Of the feature views that are loaded, by name. */
  readonly tables: ReadonlyMap<string, FeatureTable>;
  /** Bytes of the ranker and of the candidate artefacts, by path in the bundle. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What exact searches scan first of the item vectors of candidate artefacts, by path in the bundle. */
  readonly rows: ReadonlyMap<string, Int8Rows>;
}

/** The same as plain data, for a message to another thread: all that is large in it lies in memory that both share. */
export interface PackedContents extends Pick<
  BundleContents,
  'folder' | 'manifest' | 'histories' | 'files' | 'rows'
> {
  readonly catalogue: { readonly ids: IdTable; readonly attributes: readonly AttributeColumn[] };
  readonly tables: readonly {
    readonly view: FeatureView;
    readonly ids: IdTable;
    readonly parts: TableParts;
  }[];
}

/** Options of reading a bundle. */
export interface ReadingOptions {
  /** Views whose table is verified and not loaded, because something else serves them. */
  readonly isLoaded: (view: FeatureView) => boolean;
  /** What the loaded tables may take in memory together. */
  readonly memoryLimitBytes: number;
  readonly observer: FeatureObserver | undefined;
  readonly access: DependencyAccess;
  readonly collected: ProblemCollector;
}

/**
 * Reads a bundle: every file verified and read once.
 * @throws ShortlistError INVALID_BUNDLE when its feature views would not fit the memory limit; problems of single parts
 * are collected
 */
export async function readBundle(files: BundleFiles, options: ReadingOptions): Promise<BundleContents> {
  const { manifest, bytesOf } = files;
  const { collected } = options;
  refuseTooLarge(manifest, options);
  const catalogue = await collected.attempt(manifest.catalogue.file, () =>
    readCatalogue(bytesOf(manifest.catalogue.file), manifest.catalogue),
  );
  const tables = await readViews(files, options);
  const histories = await collected.attempt(manifest.histories.file, () =>
    readHistories(files, tables.get('users'), catalogue),
  );
  const paths = [manifest.ranker.file, ...listArtefacts(manifest)];
  return {
    folder: files.folder,
    manifest,
    catalogue,
    histories,
    tables,
    files: new Map(paths.map((path) => [path, bytesOf(path)])),
    rows: prepareSearches(files),
  };
}

/** @param contents with all of its parts */
export function packContents({ catalogue, tables, ...contents }: BundleContents): PackedContents {
  return {
    ...contents,
    catalogue: { ids: catalogue!.entities.table, attributes: catalogue!.attributes },
    tables: [...tables.values()].map(({ view, entities, parts }) => ({ view, ids: entities.table, parts })),
  };
}

/** The contents that were packed for another thread; nothing large is copied. */
export function unpackContents({ catalogue, tables, ...contents }: PackedContents): BundleContents {
  return {
    ...contents,
    catalogue: { entities: new IdIndex(catalogue.ids), attributes: catalogue.attributes },
    tables: new Map(
      tables.map(({ view, ids, parts }) => [view.name, new FeatureTable(view, new IdIndex(ids), parts)]),
    ),
  };
}

/** By the sizes in the manifest: a table whose rows it does not tell is not refused. */
function refuseTooLarge(
  { views, files }: Manifest,
  { memoryLimitBytes: limitBytes, isLoaded }: ReadingOptions,
): void {
  const problems: string[] = [];
  let total = 0;
  for (const [name, view] of Object.entries(views)) {
    if (!isLoaded(view)) continue;
    const estimate = estimateTableBytes(view, { rows: files[view.file]!.rows ?? 0 });
    total += estimate;
    if (total <= limitBytes) continue;
    problems.push(
      `views.${name} would take ${megabytes(estimate)} MB, with the views before it ${megabytes(total)} MB; ` +
        `the limit is ${megabytes(limitBytes)} MB`,
    );
  }
  if (problems.length === 0) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    'The feature views do not fit the memory limit: raise features.memoryLimitMegabytes, or leave out fields.',
    { problems },
  );
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

/** The tables of the views that are loaded, by name, without those that could not be read. */
async function readViews(
  { manifest, deferredFile }: BundleFiles,
  { isLoaded, observer, collected, access }: ReadingOptions,
): Promise<Map<string, FeatureTable>> {
  const tables = new Map<string, FeatureTable>();
  for (const [name, view] of Object.entries(manifest.views)) {
    if (!isLoaded(view)) {
      await collected.attempt(view.file, () =>
        access.retry('bundle', async () => (await openVerifiedFile(deferredFile(view.file))).verify()),
      );
      continue;
    }
    const started = performance.now();
    const table = await collected.attempt(view.file, () =>
      access.retry('bundle', () =>
        loadFeatureTable({ file: deferredFile(view.file), view, knownUntil: manifest.knownUntil }),
      ),
    );
    if (table === undefined) continue;
    tables.set(name, table);
    const seconds = (performance.now() - started) / 1000;
    const rows = table.entities.size;
    access.measure({
      source: 'bundle',
      name: view.file,
      bytes: deferredFile(view.file).sizeBytes,
      rows,
      seconds,
    });
    observer?.loaded({
      view: name,
      rows,
      bytes: table.sizeBytes,
      seconds,
      newestEventTime: table.newestEventTime,
    });
  }
  return tables;
}

function readHistories(
  { manifest, bytesOf }: BundleFiles,
  users: FeatureTable | undefined,
  catalogue: Catalogue | undefined,
): Histories | undefined {
  if (users === undefined || catalogue === undefined) return undefined;
  const { file, types } = manifest.histories;
  return parseHistories(parseTensorFile(bytesOf(file), file), {
    users: users.entities.size,
    items: catalogue.entities.size,
    name: file,
    types,
  });
}

/** @throws ShortlistError INVALID_BUNDLE when the file, one of those that `readBundle` keeps, holds no tensors */
export function parseArtefact({ files }: BundleContents, file: string): TensorFile {
  return parseTensorFile(files.get(file)!, file);
}

/** Of the sources whose items nothing but an exact search finds. */
function prepareSearches({ manifest, bytesOf }: BundleFiles): Map<string, Int8Rows> {
  const prepared = new Map<string, Int8Rows>();
  for (const [name, { file, index, skipped }] of Object.entries(manifest.sources)) {
    const itemVectors = findItemVectors(name);
    if (itemVectors === undefined || file === undefined || index !== undefined || skipped !== undefined)
      continue;
    const rows = prepareRowsOf(bytesOf(file), { file, tensor: itemVectors });
    if (rows !== undefined) prepared.set(file, rows);
  }
  return prepared;
}

/** Undefined where the file is wrong, which is told when its source is opened, and where there is no memory for the rows. */
function prepareRowsOf(
  bytes: Uint8Array,
  { file, tensor }: { file: string; tensor: string },
): Int8Rows | undefined {
  try {
    const found = parseTensorFile(bytes, file).tensors.get(tensor);
    const dimensions = found?.shape[1];
    if (!(found?.data instanceof Float32Array) || dimensions === undefined) return undefined;
    return prepareRows({ factors: found.data, dimensions });
  } catch (error) {
    if (error instanceof ShortlistError || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What candidate sources, links and contexts are served from. */
function listArtefacts({ sources, followers, context }: Manifest): string[] {
  const served = Object.values(sources).filter(({ skipped }) => skipped === undefined);
  return [...served.flatMap(({ file, model }) => [file, model]), followers?.file, context?.file].filter(
    (file) => file !== undefined,
  );
}

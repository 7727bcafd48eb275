import { openBundleFiles, type BundleFiles } from '../bundle/bundle-files.js';
import { parseTensorFile } from '../bundle/tensor-file.js';
import { openVerifiedFile } from '../bundle/verified-file.js';
import type { CandidateSource } from '../candidates/candidate-source.js';
import { openSource, SOURCES } from '../candidates/sources.js';
import { checkScenario, type ScenarioConfig } from '../config/scenario-config.js';
import type { Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { Histories } from '../domain/history.js';
import type { ItemLinks } from '../domain/item-links.js';
import { createFeatureAssembler, type FeatureAssembler } from '../features/feature-assembler.js';
import type { FeatureObserver } from '../features/feature-observer.js';
import type { FeatureTable } from '../features/feature-table.js';
import type { FeatureStore } from '../features/feature-store.js';
import { estimateTableBytes } from '../features/feature-table-size.js';
import type { FeatureView } from '../features/feature-view.js';
import { alignToCatalogue, type ItemTable } from '../features/item-table.js';
import { loadFeatureTable } from '../features/load-feature-table.js';
import { createMemoryStore } from '../features/memory-store.js';
import type { ItemContexts } from '../features/item-contexts.js';
import { parseItemContexts } from '../features/read-item-contexts.js';
import { parseItemLinks } from '../features/read-item-links.js';
import { parseHistories } from '../features/read-histories.js';
import { readCatalogue } from '../features/read-catalogue.js';
import { openOnnxRanker } from '../ranking/onnx-ranker.js';
import type { Ranker } from '../ranking/ranker.js';
import { RULES } from '../rules/rules.js';
import type { Engine } from './engine.js';
import { createContextReader } from './read-context.js';

/** Opens the stores of those views that are served online, in any order; the bundle serves the others. */
export type OnlineStoresOpener = (views: readonly FeatureView[]) => Promise<readonly FeatureStore[]>;

export interface EngineOptions {
  /** What the tables of the feature views may take in memory together; without it nothing is refused. */
  readonly memoryLimitBytes?: number;
  /**
   * Opens what serves some of the views of users, in any order; without it the bundle serves them all. The table of a view
   * that is served so is verified and not loaded, save that of `users`, whose ids are those of the histories.
   */
  readonly openOnlineStores?: OnlineStoresOpener | undefined;
  /** Is told what is loaded, and what every request reads. */
  readonly observer?: FeatureObserver;
  /** Unix seconds that time to live is judged by; by default the time that the bundle knows things up to. */
  readonly clock?: () => number;
}

/**
 * Opens a bundle folder for serving: every file verified and read once, every part checked against the manifest and
 * against the others, the ranker warmed.
 *
 * @throws ShortlistError BUNDLE_NOT_FOUND; INVALID_BUNDLE with every problem of every part, or when its feature
 * views would not fit the memory limit; INVALID_CONFIG when a scenario
 * names a source, rule or scenario that does not exist
 */
export async function openEngine(
  folder: string,
  scenarios: ReadonlyMap<string, ScenarioConfig>,
  options: EngineOptions = {},
): Promise<Engine> {
  refuseUnknownNames(scenarios);
  const files = await openBundleFiles(folder, { deferViews: true });
  const online = (await options.openOnlineStores?.(listUserViews(files.manifest))) ?? [];
  try {
    return await openFrom(files, { scenarios, online, options });
  } catch (error) {
    for (const store of online) await store.close();
    throw error;
  }
}

async function openFrom(
  files: BundleFiles,
  {
    scenarios,
    online,
    options,
  }: {
    scenarios: ReadonlyMap<string, ScenarioConfig>;
    online: readonly FeatureStore[];
    options: EngineOptions;
  },
): Promise<Engine> {
  const stores = new Map(online.map((store) => [store.view.name, store]));
  const isLoaded = ({ name }: FeatureView): boolean => name === 'users' || !stores.has(name);
  const limitBytes = options.memoryLimitBytes ?? Number.POSITIVE_INFINITY;
  refuseTooLarge(files.manifest, { limitBytes, isLoaded });
  const parts = await openParts(files, { scenarios, isLoaded, observer: options.observer });
  return {
    manifest: files.manifest,
    scenarios,
    catalogue: parts.catalogue,
    users: parts.users.entities,
    histories: parts.histories,
    knownUntil: files.manifest.knownUntil,
    sources: parts.sources,
    assembler: parts.assembler,
    userStores: listUserViews(files.manifest).map(
      ({ name }) => stores.get(name) ?? createMemoryStore(parts.tables.get(name)!),
    ),
    clock: options.clock ?? (() => files.manifest.knownUntil),
    observer: options.observer,
    ranker: parts.ranker,
    readContext: createContextReader(files.manifest.context),
  };
}

interface Parts {
  readonly catalogue: Catalogue;
  /** Of the `users` view, which has the users' indexes. */
  readonly users: FeatureTable;
  /** Of the views that are loaded, by name. */
  readonly tables: ReadonlyMap<string, FeatureTable>;
  readonly histories: Histories;
  readonly sources: ReadonlyMap<string, CandidateSource>;
  readonly assembler: FeatureAssembler;
  readonly ranker: Ranker;
}

/** By the sizes in the manifest: a table whose rows it does not tell is not refused. */
function refuseTooLarge(
  { views, files }: BundleFiles['manifest'],
  { limitBytes, isLoaded }: { limitBytes: number; isLoaded: (view: FeatureView) => boolean },
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

async function openParts(
  files: BundleFiles,
  { scenarios, ...reading }: ViewReading & { scenarios: ReadonlyMap<string, ScenarioConfig> },
): Promise<Parts> {
  const { manifest } = files;
  const collected = createProblemCollector();
  const catalogue = await collected.attempt(manifest.catalogue.file, () =>
    readCatalogue(files.bytesOf(manifest.catalogue.file), manifest.catalogue),
  );
  const tables = await readViews(files, { ...reading, collected });
  const { items, users } = Object.fromEntries(tables);
  const ranker = await collected.attempt(manifest.ranker.file, () => openRanker(files));
  const sources = catalogue && (await openSources(files, { itemCount: catalogue.entities.size, collected }));
  const histories = await collected.attempt(manifest.histories.file, () =>
    readHistories(files, users, catalogue),
  );
  const links = catalogue && (await openLinks(files, { itemCount: catalogue.entities.size, collected }));
  const contexts = await collected.attempt('context', () => readContexts(files, catalogue));
  const assembler = await collected.attempt('features', () => {
    const isWhole = tables.size === Object.values(manifest.views).filter(reading.isLoaded).length;
    if (catalogue === undefined || items === undefined || links === undefined || !isWhole) return undefined;
    refuseOtherItems(items, catalogue, manifest.views.items.file);
    const inputs = {
      catalogue,
      items: listItemTables(tables, items, catalogue),
      users: listUserViews(manifest),
      sourceNames: listServedSources(manifest),
      links,
      contexts,
      observer: reading.observer,
    };
    return createFeatureAssembler(inputs, manifest.ranker.featureOrder);
  });
  collected.problems.push(
    ...listOtherRowCounts(manifest, [
      [manifest.catalogue.file, catalogue?.entities.size],
      ...[...tables.values()].map(({ view, entities }) => [view.file, entities.size] as const),
    ]),
    ...listMissingSources(manifest, scenarios),
  );
  if (catalogue && users && ranker && sources && histories && assembler && collected.problems.length === 0) {
    return { catalogue, users, tables, ranker, sources, histories, assembler };
  }
  await ranker?.close();
  throw new ShortlistError('INVALID_BUNDLE', `The bundle at ${files.folder} cannot be served`, {
    problems: collected.problems,
  });
}

interface ProblemCollector {
  readonly problems: string[];
  /** What `open` gives, or undefined with its problems collected under the name of the part. */
  attempt<T>(part: string, open: () => T | Promise<T>): Promise<T | undefined>;
}

/** Lets every part be opened before the first problem is reported. */
function createProblemCollector(): ProblemCollector {
  const problems: string[] = [];
  return {
    problems,
    attempt: async (part, open) => {
      try {
        return await open();
      } catch (error) {
        if (!(error instanceof ShortlistError)) throw error;
        const found = error.problems.length > 0 ? error.problems : [error.message];
        problems.push(
          ...found.map((problem) => (problem.startsWith(part) ? problem : `${part}: ${problem}`)),
        );
        return undefined;
      }
    },
  };
}

interface ViewReading {
  readonly isLoaded: (view: FeatureView) => boolean;
  readonly observer: FeatureObserver | undefined;
}

/** The tables of the views that are loaded, by name, without those that could not be read. */
async function readViews(
  { manifest, deferredFile }: BundleFiles,
  { isLoaded, observer, collected }: ViewReading & { collected: ProblemCollector },
): Promise<Map<string, FeatureTable>> {
  const tables = new Map<string, FeatureTable>();
  for (const [name, view] of Object.entries(manifest.views)) {
    if (!isLoaded(view)) {
      await collected.attempt(view.file, async () =>
        (await openVerifiedFile(deferredFile(view.file))).verify(),
      );
      continue;
    }
    const started = performance.now();
    const table = await collected.attempt(view.file, () =>
      loadFeatureTable({ file: deferredFile(view.file), view, knownUntil: manifest.knownUntil }),
    );
    if (table === undefined) continue;
    tables.set(name, table);
    observer?.loaded({
      view: name,
      rows: table.entities.size,
      bytes: table.sizeBytes,
      seconds: (performance.now() - started) / 1000,
      newestEventTime: table.newestEventTime,
    });
  }
  return tables;
}

/** The tables of the item views, `items` first. */
function listItemTables(
  tables: ReadonlyMap<string, FeatureTable>,
  items: FeatureTable,
  catalogue: Catalogue,
): [ItemTable, ...ItemTable[]] {
  const others = [...tables.values()].filter(({ view }) => view.entity === 'item' && view.name !== 'items');
  return [{ table: items }, ...others.map((table) => alignToCatalogue(table, catalogue))];
}

function listUserViews({ views }: BundleFiles['manifest']): FeatureView[] {
  return Object.values(views).filter(({ entity }) => entity === 'user');
}

function openRanker({ manifest, bytesOf }: BundleFiles): Promise<Ranker> {
  const { file, featureOrder, inputName, outputName } = manifest.ranker;
  return openOnnxRanker(bytesOf(file), { columns: featureOrder.length, inputName, outputName, name: file });
}

/** The bundle's own sources, and those that need no artefact; without those that could not be opened. */
async function openSources(
  { manifest, bytesOf }: BundleFiles,
  { itemCount, collected }: { itemCount: number; collected: ProblemCollector },
): Promise<Map<string, CandidateSource>> {
  const opened = new Map<string, CandidateSource>();
  for (const name of new Set([...listServedSources(manifest), ...UNTRAINED_SOURCES])) {
    const file = manifest.sources[name]?.file;
    const source = await collected.attempt(file ?? `sources.${name}`, () => {
      const artefact = file === undefined ? undefined : parseTensorFile(bytesOf(file), file);
      return openSource(name, artefact, { itemCount });
    });
    if (source !== undefined) opened.set(name, source);
  }
  return opened;
}

/** What the ranker reads of items and items: the artefact of `similar-items`, and what follows what. */
async function openLinks(
  { manifest, bytesOf }: BundleFiles,
  { itemCount, collected }: { itemCount: number; collected: ProblemCollector },
): Promise<Map<string, ItemLinks>> {
  const filesByName = {
    similar: manifest.sources['similar-items']?.file,
    followers: manifest.followers?.file,
  };
  const opened = new Map<string, ItemLinks>();
  for (const [name, file] of Object.entries(filesByName)) {
    if (file === undefined) continue;
    const links = await collected.attempt(file, () =>
      parseItemLinks(parseTensorFile(bytesOf(file), file), { itemCount, name: file }),
    );
    if (links !== undefined) opened.set(name, links);
  }
  return opened;
}

/** Tables that have other rows than the manifest says; one that could not be read was reported already. */
function listOtherRowCounts(
  { files }: BundleFiles['manifest'],
  tables: readonly (readonly [file: string, found: number | undefined])[],
): string[] {
  return tables.flatMap(([file, found]) => {
    const stated = files[file]?.rows;
    if (found === undefined || stated === undefined || stated === found) return [];
    return [`${file}: it has ${found} rows, the manifest says ${stated}`];
  });
}

/** The sources of the bundle without those that training skipped. */
function listServedSources({ sources }: BundleFiles['manifest']): string[] {
  return Object.keys(sources).filter((name) => sources[name]!.skipped === undefined);
}

/** A source that training skipped is missed by no scenario, unless it is the only one. */
function listMissingSources(
  manifest: BundleFiles['manifest'],
  scenarios: ReadonlyMap<string, ScenarioConfig>,
): string[] {
  const served = new Set([...listServedSources(manifest), ...UNTRAINED_SOURCES]);
  return [...scenarios.values()].flatMap((scenario) => {
    const asked = Object.keys(scenario.sources);
    const unserved = asked.filter((source) => !served.has(source));
    const missing = unserved.filter((source) => manifest.sources[source] === undefined);
    if (missing.length === 0 && unserved.length === asked.length) {
      return unserved.map(
        (source) =>
          `sources: scenario ${scenario.name} has no source left: ${source} was skipped, ${manifest.sources[source]!.skipped!}`,
      );
    }
    return missing.map(
      (source) => `sources: the bundle has no ${source}, which scenario ${scenario.name} asks`,
    );
  });
}

const UNTRAINED_SOURCES = Object.entries(SOURCES).flatMap(([name, source]) =>
  'file' in source ? [] : [name],
);

function readHistories(
  { manifest, bytesOf }: BundleFiles,
  users: FeatureTable | undefined,
  catalogue: Catalogue | undefined,
): Histories | undefined {
  if (users === undefined || catalogue === undefined) return undefined;
  const { file } = manifest.histories;
  return parseHistories(parseTensorFile(bytesOf(file), file), {
    users: users.entities.size,
    items: catalogue.entities.size,
    name: file,
  });
}

function readContexts(
  { manifest, bytesOf }: BundleFiles,
  catalogue: Catalogue | undefined,
): ItemContexts | undefined {
  const { context } = manifest;
  if (context === undefined || catalogue === undefined) return undefined;
  const { file, ...spec } = context;
  const shape = { ...spec, itemCount: catalogue.entities.size, name: file };
  return parseItemContexts(parseTensorFile(bytesOf(file), file), shape);
}

/** The item index is a row of both files: they must hold the same items in the same order. */
function refuseOtherItems(items: FeatureTable, catalogue: Catalogue, file: string): void {
  const row = items.entities.findDifference(catalogue.entities);
  if (row < 0) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `${file}: row ${row + 1} is not the item that the catalogue has there`,
  );
}

function refuseUnknownNames(scenarios: ReadonlyMap<string, ScenarioConfig>): void {
  const known = { sources: Object.keys(SOURCES), rules: [...RULES.keys()], scenarios: [...scenarios.keys()] };
  const problems = [...scenarios.values()].flatMap((scenario) => checkScenario(scenario, known));
  if (problems.length > 0) {
    throw new ShortlistError('INVALID_CONFIG', 'The scenarios cannot be served:', { problems });
  }
}

import type { Manifest } from '../bundle/manifest.js';
import { parseTensorFile, type TensorFile } from '../bundle/tensor-file.js';
import { createAlsSource, parseAls } from '../candidates/als.js';
import type { CandidateSource } from '../candidates/candidate-source.js';
import { openEncoderSource } from '../candidates/onnx-encoder.js';
import { openSource, SOURCES } from '../candidates/sources.js';
import type { VectorEngineOptions } from '../candidates/vector-engine.js';
import type { ScenarioConfig } from '../config/scenario-config.js';
import type { Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { ItemLinks } from '../domain/item-links.js';
import { createFeatureAssembler, type FeatureAssembler } from '../features/feature-assembler.js';
import type { FeatureObserver } from '../features/feature-observer.js';
import type { FeatureStore } from '../features/feature-store.js';
import type { FeatureTable } from '../features/feature-table.js';
import type { FeatureView } from '../features/feature-view.js';
import type { ItemContexts } from '../features/item-contexts.js';
import { alignToCatalogue, type ItemTable } from '../features/item-table.js';
import { createMemoryHistories } from '../features/memory-histories.js';
import { createMemoryStore } from '../features/memory-store.js';
import { parseItemContexts } from '../features/read-item-contexts.js';
import { parseItemLinks } from '../features/read-item-links.js';
import { openOnnxRanker } from '../ranking/onnx-ranker.js';
import type { Ranker } from '../ranking/ranker.js';
import { drawReferenceRows } from '../ranking/synthetic-rows.js';
import { createProblemCollector, type ProblemCollector } from './collect-problems.js';
import { closeSources } from './close-engine.js';
import type { Engine } from '../pipeline/engine.js';
import { openItemSearch } from './open-item-search.js';
import type { BundleContents } from './read-bundle.js';
import { createContextReader } from '../pipeline/read-context.js';

/** The parts of an engine beside the contents of the bundle. */
export interface EngineParts {
  readonly scenarios: ReadonlyMap<string, ScenarioConfig>;
  /** Serve views of users that have no table among the contents, or instead of it. */
  readonly stores: readonly FeatureStore[];
  readonly observer?: FeatureObserver | undefined;
  /** Is asked for the items nearest to a user, in place of the bundle. */
  readonly vectorEngine?: VectorEngineOptions | undefined;
  /** Unix seconds that time to live is judged by. */
  readonly clock: () => number;
  /** Problems that the contents had already. */
  readonly collected?: ProblemCollector;
}

/**
 * Makes an engine of what a bundle holds: every part checked against the manifest and against the others, the ranker
 * opened and tried. Engines share the memory of the contents they are made of.
 * @throws ShortlistError INVALID_BUNDLE with every problem of every part
 */
export async function createEngine(contents: BundleContents, options: EngineParts): Promise<Engine> {
  const { manifest, tables } = contents;
  const { scenarios, observer, clock } = options;
  const parts = await openParts(contents, options);
  const stores = new Map(options.stores.map((store) => [store.view.name, store]));
  return {
    manifest,
    scenarios,
    catalogue: parts.catalogue,
    users: tables.get('users')!.entities,
    histories: createMemoryHistories(tables.get('users')!.entities, contents.histories!),
    knownUntil: manifest.knownUntil,
    sources: parts.sources,
    assembler: parts.assembler,
    userStores: listUserViews(manifest).map(
      ({ name }) => stores.get(name) ?? createMemoryStore(tables.get(name)!),
    ),
    clock,
    observer,
    ranker: parts.ranker,
    readContext: createContextReader(manifest.context),
  };
}

interface Parts {
  readonly catalogue: Catalogue;
  readonly sources: ReadonlyMap<string, CandidateSource>;
  readonly assembler: FeatureAssembler;
  readonly ranker: Ranker;
}

async function openParts(
  contents: BundleContents,
  { scenarios, stores, observer, vectorEngine, collected = createProblemCollector() }: EngineParts,
): Promise<Parts> {
  const { manifest, catalogue, tables, histories } = contents;
  const itemCount = catalogue?.entities.size ?? 0;
  const ranker = await collected.attempt(manifest.ranker.file, () => openRanker(contents));
  const sources = catalogue && (await openSources(contents, { itemCount, vectorEngine, collected }));
  const links = catalogue && (await openLinks(contents, { itemCount, collected }));
  const contexts = await collected.attempt('context', () => readContexts(contents));
  const assembler = await collected.attempt('features', () => {
    const items = tables.get('items');
    if (catalogue === undefined || items === undefined || links === undefined) return undefined;
    if (!isWhole(contents, stores)) return undefined;
    refuseOtherItems(items, catalogue, manifest.views.items.file);
    const inputs = {
      catalogue,
      items: listItemTables(tables, items, catalogue),
      users: listUserViews(manifest),
      sourceNames: listServedSources(manifest),
      links,
      contexts,
      observer,
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
  if (catalogue && ranker && sources && histories && assembler && collected.problems.length === 0) {
    return { catalogue, ranker, sources, assembler };
  }
  await ranker?.close();
  await closeSources(sources ?? new Map());
  throw new ShortlistError('INVALID_BUNDLE', `The bundle at ${contents.folder} cannot be served`, {
    problems: collected.problems,
  });
}

/** Whether every view has a table or a store; one that could not be read was reported already. */
function isWhole({ manifest, tables }: BundleContents, stores: readonly FeatureStore[]): boolean {
  const served = new Set([...tables.keys(), ...stores.map(({ view }) => view.name)]);
  return Object.keys(manifest.views).every((name) => served.has(name));
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

/** The feature views of users that a bundle has. */
export function listUserViews({ views }: Manifest): FeatureView[] {
  return Object.values(views).filter(({ entity }) => entity === 'user');
}

/** Rows that a ranker is tried on where the manifest says what it is asked for. */
const SYNTHETIC_ROWS = 200;

function openRanker(contents: BundleContents): Promise<Ranker> {
  const { ranker, reference } = contents.manifest;
  const { file, featureOrder, inputName, outputName, rows } = ranker;
  return openOnnxRanker(contents.files.get(file)!, {
    columns: featureOrder.length,
    inputName,
    outputName,
    name: file,
    ...(rows !== undefined && { rows }),
    syntheticRows: reference && drawReferenceRows(SYNTHETIC_ROWS, { ...reference, featureOrder }),
  });
}

type SourceOpening = Pick<EngineParts, 'vectorEngine'> & { itemCount: number; collected: ProblemCollector };

/** The bundle's own sources, and those that need no artefact; without those that could not be opened. */
async function openSources(
  contents: BundleContents,
  { itemCount, collected, vectorEngine }: SourceOpening,
): Promise<Map<string, CandidateSource>> {
  const { manifest } = contents;
  const opened = new Map<string, CandidateSource>();
  for (const name of new Set([...listServedSources(manifest), ...UNTRAINED_SOURCES])) {
    const { file, model, index } = manifest.sources[name] ?? {};
    const source = await collected.attempt<CandidateSource>(file ?? `sources.${name}`, async () => {
      const artefact = file === undefined ? undefined : parseArtefact(contents, file);
      if (name === 'als' && artefact !== undefined) {
        const als = parseAls(artefact, { itemCount });
        return createAlsSource(als, await openItemSearch(als, { ...contents, index, vectorEngine }));
      }
      if (artefact === undefined || model === undefined) return openSource(name, artefact, { itemCount });
      const options = { itemCount, userViews: listUserViews(manifest) };
      return openEncoderSource(artefact, contents.files.get(model)!, options);
    });
    if (source !== undefined) opened.set(name, source);
  }
  return opened;
}

/** What the ranker reads of items and items: the artefact of `similar-items`, and what follows what. */
async function openLinks(
  contents: BundleContents,
  { itemCount, collected }: { itemCount: number; collected: ProblemCollector },
): Promise<Map<string, ItemLinks>> {
  const { manifest } = contents;
  const filesByName = {
    similar: manifest.sources['similar-items']?.file,
    followers: manifest.followers?.file,
  };
  const opened = new Map<string, ItemLinks>();
  for (const [name, file] of Object.entries(filesByName)) {
    if (file === undefined) continue;
    const links = await collected.attempt(file, () =>
      parseItemLinks(parseArtefact(contents, file), { itemCount, name: file }),
    );
    if (links !== undefined) opened.set(name, links);
  }
  return opened;
}

function parseArtefact({ files }: BundleContents, file: string): TensorFile {
  return parseTensorFile(files.get(file)!, file);
}

function readContexts(contents: BundleContents): ItemContexts | undefined {
  const { manifest, catalogue } = contents;
  if (manifest.context === undefined || catalogue === undefined) return undefined;
  const { file, ...spec } = manifest.context;
  return parseItemContexts(parseArtefact(contents, file), {
    ...spec,
    itemCount: catalogue.entities.size,
    name: file,
  });
}

/** Tables that have other rows than the manifest says; one that could not be read was reported already. */
function listOtherRowCounts(
  { files }: Manifest,
  tables: readonly (readonly [file: string, found: number | undefined])[],
): string[] {
  return tables.flatMap(([file, found]) => {
    const stated = files[file]?.rows;
    if (found === undefined || stated === undefined || stated === found) return [];
    return [`${file}: it has ${found} rows, the manifest says ${stated}`];
  });
}

/** The sources of the bundle without those that training skipped. */
function listServedSources({ sources }: Manifest): string[] {
  return Object.keys(sources).filter((name) => sources[name]!.skipped === undefined);
}

/** A source that training skipped is missed by no scenario, unless it is the only one. */
function listMissingSources(manifest: Manifest, scenarios: ReadonlyMap<string, ScenarioConfig>): string[] {
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

/** The item index is a row of both files: they must hold the same items in the same order. */
function refuseOtherItems(items: FeatureTable, catalogue: Catalogue, file: string): void {
  const row = items.entities.findDifference(catalogue.entities);
  if (row < 0) return;
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `${file}: row ${row + 1} is not the item that the catalogue has there`,
  );
}

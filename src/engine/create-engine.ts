import type { Manifest } from '../bundle/manifest.js';
import type { CandidateSource } from '../candidates/candidate-source.js';
import type { VectorEngineOptions } from '../candidates/vector-engine.js';
import type { ScenarioConfig } from '../config/scenario-config.js';
import type { Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { FeatureAssembler } from '../features/feature-assembler.js';
import type { FeatureObserver } from '../features/feature-observer.js';
import type { FeatureStore } from '../features/feature-store.js';
import { createMemoryHistories } from '../features/memory-histories.js';
import { createMemoryStore } from '../features/memory-store.js';
import type { Engine } from '../pipeline/engine.js';
import { createContextReader } from '../pipeline/read-context.js';
import type { Ranker } from '../ranking/ranker.js';
import { closeSources } from './close-engine.js';
import { createProblemCollector, type ProblemCollector } from './collect-problems.js';
import { listUserViews } from './list-user-views.js';
import { openAssembler } from './open-assembler.js';
import { openBundleRanker } from './open-bundle-ranker.js';
import { listMissingSources, openCandidateSources } from './open-candidate-sources.js';
import type { BundleContents } from './read-bundle.js';

/** What an engine is made of beside the contents of its bundle. */
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
  const ranker = await collected.attempt(manifest.ranker.file, () => openBundleRanker(contents));
  const sources = catalogue && (await openCandidateSources(contents, { itemCount, vectorEngine, collected }));
  const assembler = await openAssembler(contents, { stores, observer, collected });
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

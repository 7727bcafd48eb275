import type { Manifest } from '../bundle/manifest.js';
import type { CandidateSource } from '../candidates/candidate-source.js';
import type { VectorEngineOptions } from '../candidates/vector-engine.js';
import type { Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { FeatureAssembler } from '../features/feature-assembler.js';
import type { FeatureObserver } from '../features/feature-observer.js';
import type { FeatureStore } from '../features/feature-store.js';
import type { Ranker } from '../ranking/ranker.js';
import type { RuleBook } from '../rules/rule-book.js';
import { closeSources } from './close-engine.js';
import { createProblemCollector, type ProblemCollector } from './collect-problems.js';
import { openAssembler } from './open-assembler.js';
import { openBundleRanker } from './open-bundle-ranker.js';
import { listUnfitFilters } from './list-unfit-filters.js';
import { listMissingSources, openCandidateSources } from './open-candidate-sources.js';
import { openRules, type RuleOptions } from './open-rules.js';
import type { BundleContents } from './read-bundle.js';

/** Options of opening the parts of an engine. */
export interface PartsOptions extends RuleOptions {
  /** Serve views of users that have no table among the contents, or instead of it. */
  readonly stores: readonly FeatureStore[];
  readonly observer?: FeatureObserver | undefined;
  /** Is asked for the items nearest to a user, in place of the bundle. */
  readonly vectorEngine?: VectorEngineOptions | undefined;
  /** Problems that the contents had already. */
  readonly collected?: ProblemCollector;
}

/** The parts of a bundle that answer requests, open and fitting each other. */
export interface EngineParts {
  readonly catalogue: Catalogue;
  readonly sources: ReadonlyMap<string, CandidateSource>;
  readonly assembler: FeatureAssembler;
  readonly ranker: Ranker;
  readonly rules: RuleBook;
}

/**
 * Opens every part of a bundle and checks it against the manifest and against the others.
 * @throws ShortlistError INVALID_BUNDLE with every problem of every part
 */
export async function openParts(
  contents: BundleContents,
  {
    scenarios,
    overrides,
    stores,
    observer,
    vectorEngine,
    collected = createProblemCollector(),
  }: PartsOptions,
): Promise<EngineParts> {
  const { manifest, catalogue, tables, histories } = contents;
  const itemCount = catalogue?.entities.size ?? 0;
  const ranker = await collected.attempt(manifest.ranker.file, () => openBundleRanker(contents));
  const sources = catalogue && (await openCandidateSources(contents, { itemCount, vectorEngine, collected }));
  const assembler = await openAssembler(contents, { stores, observer, collected });
  const opened =
    catalogue &&
    sources &&
    (await collected.attempt('rules', () => openRules(contents, catalogue, { scenarios, overrides })));
  collected.problems.push(
    ...(opened?.problems ?? []),
    ...listOtherRowCounts(manifest, [
      [manifest.catalogue.file, catalogue?.entities.size],
      ...[...tables.values()].map(({ view, entities }) => [view.file, entities.size] as const),
    ]),
    ...listMissingSources(manifest, scenarios),
    ...(catalogue ? listUnfitFilters(catalogue, scenarios) : []),
  );
  if (catalogue && ranker && sources && histories && assembler && opened && collected.problems.length === 0) {
    return { catalogue, ranker, sources, assembler, rules: opened.rules };
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

import type { CandidateSource } from '../candidates/candidate-source.js';
import { openSource } from '../candidates/sources.js';
import type { VectorEngineOptions } from '../candidates/vector-engine.js';
import type { FeatureObserver } from '../features/feature-observer.js';
import { createMemoryHistories } from '../features/memory-histories.js';
import type { FallbackEngine } from '../pipeline/engine.js';
import { LAST_RESORT } from '../pipeline/supply-rules.js';
import { listUserViews } from './list-user-views.js';
import { listItemSearches } from './open-item-search.js';
import { openRules, type RuleOptions } from './open-rules.js';
import { type BundleContents, parseArtefact } from './read-bundle.js';
import { readWorths, weighScenarios } from '../pipeline/weigh-scenarios.js';
import { createContextReader } from '../pipeline/read-context.js';

/**
 * Makes of a bundle what describes it and falls back on its popular items, in a fraction of the time that an engine takes:
 * no model is opened.
 * @param contents of which an engine was made: they are not checked again
 */
export async function createFallbackEngine(
  contents: BundleContents,
  {
    overrides,
    vectorEngine,
    ...options
  }: RuleOptions & {
    vectorEngine?: VectorEngineOptions | undefined;
    clock: () => number;
    observer?: FeatureObserver | undefined;
  },
): Promise<FallbackEngine> {
  const { manifest, catalogue, histories, tables } = contents;
  const sources = new Map<string, CandidateSource>();
  const { file, skipped } = manifest.sources[LAST_RESORT] ?? {};
  if (file !== undefined && skipped === undefined) {
    const opening = { itemCount: catalogue!.entities.size, userViews: listUserViews(manifest) };
    sources.set(LAST_RESORT, await openSource(LAST_RESORT, parseArtefact(contents, file), opening));
  }
  return {
    manifest,
    searches: listItemSearches(contents, vectorEngine),
    catalogue: catalogue!,
    users: tables.get('users')!.entities,
    histories: createMemoryHistories(tables.get('users')!.entities, histories!),
    knownUntil: manifest.knownUntil,
    counting: manifest.interactions,
    rules: openRules(contents, catalogue!, { scenarios: options.scenarios, overrides }).rules,
    sources,
    readContext: createContextReader(manifest.context),
    ...options,
    scenarios: weighScenarios(options.scenarios, readWorths(manifest)),
  };
}

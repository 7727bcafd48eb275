import { createMaskPool } from '../domain/mask-pool.js';
import { createMemoryHistories } from '../features/memory-histories.js';
import { createMemoryStore } from '../features/memory-store.js';
import type { Engine } from '../pipeline/engine.js';
import { readWorths, weighScenarios } from '../pipeline/weigh-scenarios.js';
import { createContextReader } from '../pipeline/read-context.js';
import { listUserViews } from './list-user-views.js';
import { listItemSearches } from './open-item-search.js';
import { openParts, type PartsOptions } from './open-parts.js';
import type { BundleContents } from './read-bundle.js';

/** Options of creating an engine. */
export interface CreationOptions extends PartsOptions {
  /** Unix seconds that time to live is judged by. */
  readonly clock: () => number;
}

/**
 * Makes an engine of what a bundle holds: every part checked against the manifest and against the others, the ranker
 * opened and tried. Engines share the memory of the contents they are made of.
 * @throws ShortlistError INVALID_BUNDLE with every problem of every part
 */
export async function createEngine(contents: BundleContents, options: CreationOptions): Promise<Engine> {
  const { manifest, tables } = contents;
  const { scenarios, observer, clock } = options;
  const parts = await openParts(contents, options);
  const stores = new Map(options.stores.map((store) => [store.view.name, store]));
  return {
    manifest,
    searches: listItemSearches(contents, options.vectorEngine),
    scenarios: weighScenarios(scenarios, readWorths(manifest)),
    rules: parts.rules,
    catalogue: parts.catalogue,
    users: tables.get('users')!.entities,
    histories: createMemoryHistories(tables.get('users')!.entities, contents.histories!),
    knownUntil: manifest.knownUntil,
    masks: createMaskPool(parts.catalogue.entities.size),
    counting: manifest.interactions,
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

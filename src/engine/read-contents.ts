import { openBundleFiles } from '../bundle/bundle-files.js';
import type { Manifest } from '../bundle/manifest.js';
import type { ScenarioConfig } from '../config/scenario-config.js';
import { createDependencyAccess, type DependencyAccess } from '../domain/dependency-access.js';
import type { FeatureObserver } from '../features/feature-observer.js';
import type { FeatureStore } from '../features/feature-store.js';
import type { FeatureView } from '../features/feature-view.js';
import { createProblemCollector } from './collect-problems.js';
import { createEngine } from './create-engine.js';
import { type BundleContents, readBundle } from './read-bundle.js';

/** The bundle that a thread is to read, and how; plain data. */
export interface ContentsRequest {
  readonly folder: string;
  readonly scenarios: ReadonlyMap<string, ScenarioConfig>;
  /** Names of the views that something else serves: their tables are verified and not loaded, save that of `users`. */
  readonly replacedViews: readonly string[];
  /** What the tables of the feature views may take in memory together. */
  readonly memoryLimitBytes: number;
}

/**
 * Reads a bundle folder: every file verified and read once.
 * @throws ShortlistError BUNDLE_NOT_FOUND; INVALID_BUNDLE with every problem of every part, or when its feature views
 * would not fit the memory limit
 */
export async function readContents(
  { folder, scenarios, replacedViews, memoryLimitBytes }: ContentsRequest,
  observer?: FeatureObserver,
  access: DependencyAccess = createDependencyAccess(),
): Promise<BundleContents> {
  const files = await openBundleFiles(folder, { deferViews: true, access });
  const replaced = new Set(replacedViews);
  const isLoaded = ({ name }: FeatureView): boolean => name === 'users' || !replaced.has(name);
  const collected = createProblemCollector();
  const contents = await readBundle(files, { isLoaded, memoryLimitBytes, observer, collected, access });
  if (collected.problems.length > 0) {
    const { manifest } = files;
    const stores = listAbsentStores(manifest, replacedViews);
    // It is refused already; what is wrong with the other parts is told with it.
    await createEngine(contents, { scenarios, stores, clock: () => manifest.knownUntil, collected });
  }
  return contents;
}

/** Stand in for what serves these views, where nothing needs to be served. */
export function listAbsentStores({ views }: Manifest, names: readonly string[]): FeatureStore[] {
  return Object.values(views)
    .filter(({ name }) => names.includes(name))
    .map(createAbsentStore);
}

/** A store that has nothing: stands where the rows of a view come from elsewhere. */
export function createAbsentStore(view: FeatureView): FeatureStore {
  return {
    view,
    getMany: (_ids, { values, statuses }) => {
      values.fill(0);
      statuses.fill(0);
    },
    close: async () => undefined,
  };
}

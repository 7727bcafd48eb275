import { readBundleManifest } from '../bundle/bundle-files.js';
import { checkScenario, type ScenarioConfig } from '../config/scenario-config.js';
import { SOURCES } from '../candidates/sources.js';
import type { VectorEngineOptions } from '../candidates/vector-engine.js';
import { ShortlistError } from '../domain/errors.js';
import type { DependencyAccess } from '../domain/dependency-access.js';
import type { FeatureObserver } from '../features/feature-observer.js';
import type { FeatureStore } from '../features/feature-store.js';
import type { FeatureView } from '../features/feature-view.js';
import type { OverridesInForce } from '../rules/overrides.js';
import { createEngine } from './create-engine.js';
import { listUserViews } from './list-user-views.js';
import type { Engine } from '../pipeline/engine.js';
import type { BundleContents } from './read-bundle.js';
import { readContents } from './read-contents.js';

/** Opens the stores of those views that are served online, in any order; the bundle serves the others. */
export type OnlineStoresOpener = (
  views: readonly FeatureView[],
  options: { dataset: string },
) => Promise<readonly FeatureStore[]>;

/** Options of `openEngine`. */
export interface EngineOptions {
  /** What the tables of the feature views may take in memory together; without it nothing is refused. */
  readonly memoryLimitBytes?: number;
  /**
   * Opens what serves some of the views of users, in any order; without it the bundle serves them all. The table of a view
   * that is served so is verified and not loaded, save that of `users`, whose ids are those of the histories.
   */
  readonly openOnlineStores?: OnlineStoresOpener | undefined;
  /** How the files of the bundle are read, and who is told of it; nobody when not said. */
  readonly access?: DependencyAccess | undefined;
  /** Is told what is loaded, and what every request reads. */
  readonly observer?: FeatureObserver;
  /** Is asked for the items nearest to a user; without it the bundle is searched. */
  readonly vectorEngine?: VectorEngineOptions | undefined;
  /** What is put before the rules of scenarios; nothing when not said. */
  readonly overrides?: OverridesInForce | undefined;
  /** Unix seconds that time to live is judged by; by default the time that the bundle knows things up to. */
  readonly clock?: () => number;
}

/**
 * Opens a bundle folder for serving: every file verified and read once, every part checked against the manifest and
 * against the others, the ranker warmed.
 *
 * @throws ShortlistError BUNDLE_NOT_FOUND; INVALID_BUNDLE with every problem of every part, or when its feature
 * views would not fit the memory limit; INVALID_CONFIG when a scenario
 * names a source or scenario that does not exist
 */
export async function openEngine(
  folder: string,
  scenarios: ReadonlyMap<string, ScenarioConfig>,
  options: EngineOptions = {},
): Promise<Engine> {
  return (await openBundle(folder, scenarios, options)).engine;
}

/** A bundle that is open: engines for other threads are made of its contents. */
export interface OpenedBundle extends OpenContents {
  readonly engine: Engine;
}

/** The same, with what the engine was made of. */
export async function openBundle(
  folder: string,
  scenarios: ReadonlyMap<string, ScenarioConfig>,
  options: EngineOptions = {},
): Promise<OpenedBundle> {
  const opened = await openContents(folder, scenarios, options);
  const { contents, online } = opened;
  try {
    const { observer, vectorEngine, overrides, clock = () => contents.manifest.knownUntil } = options;
    const parts = { scenarios, overrides, stores: online, observer, vectorEngine };
    const engine = await createEngine(contents, { ...parts, clock });
    return { ...opened, engine };
  } catch (error) {
    for (const store of online) await store.close();
    throw error;
  }
}

/** The contents of a bundle that engines are made of. */
export interface OpenContents {
  readonly contents: BundleContents;
  /** Serve views of users in place of their tables; whoever owns them closes them. */
  readonly online: readonly FeatureStore[];
}

/**
 * The contents of a bundle folder, with the stores that serve some of its views.
 * @param options.read how they are read, here or in another thread; in this one by default
 * @throws ShortlistError as `openEngine` does
 */
export async function openContents(
  folder: string,
  scenarios: ReadonlyMap<string, ScenarioConfig>,
  options: EngineOptions & { read?: typeof readContents | undefined },
): Promise<OpenContents> {
  refuseUnknownNames(scenarios);
  const { memoryLimitBytes = Number.POSITIVE_INFINITY, observer, access, read = readContents } = options;
  const manifest = await readBundleManifest(folder);
  const opening = options.openOnlineStores?.(listUserViews(manifest), { dataset: manifest.dataset.name });
  const online = (await opening) ?? [];
  try {
    const replacedViews = online.map(({ view }) => view.name);
    const contents = await read({ folder, scenarios, replacedViews, memoryLimitBytes }, observer, access);
    return { contents, online };
  } catch (error) {
    for (const store of online) await store.close();
    throw error;
  }
}

/**
 * Sources and scenarios that scenarios name and that do not exist, a sentence each.
 * @param names of all scenarios, where there are others than these
 */
export function listUnknownNames(
  scenarios: ReadonlyMap<string, ScenarioConfig>,
  names: Iterable<string> = scenarios.keys(),
): string[] {
  const known = { sources: Object.keys(SOURCES), scenarios: [...names] };
  return [...scenarios.values()].flatMap((scenario) => checkScenario(scenario, known));
}

function refuseUnknownNames(scenarios: ReadonlyMap<string, ScenarioConfig>): void {
  const problems = listUnknownNames(scenarios);
  if (problems.length > 0) {
    throw new ShortlistError('INVALID_CONFIG', 'The scenarios cannot be served:', { problems });
  }
}

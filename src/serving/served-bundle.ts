import type { BundleRegistry } from '../bundle/bundle-registry.js';
import type { ScenarioConfig } from '../config/scenario-config.js';
import { ShortlistError } from '../domain/errors.js';
import type { Engine } from '../pipeline/engine.js';
import { type EngineOptions, openEngine } from '../pipeline/open-engine.js';
import { recommend } from '../pipeline/recommend.js';
import type { BundleDescription, RecommendationService } from './recommendation-service.js';

export interface ServedBundleOptions extends EngineOptions {
  readonly registry: BundleRegistry;
  readonly channel: string;
  readonly scenarios: ReadonlyMap<string, ScenarioConfig>;
}

/** An engine with the requests that run on it: it is closed when it is retired and the last of them has ended. */
interface Tenancy {
  readonly engine: Engine;
  requests: number;
  retired: boolean;
}

/**
 * Serves the bundle that a channel points at. `reload()` opens what the channel points at by then beside the old one and
 * swaps them between two requests; a request keeps the engine it began with.
 */
export function createServedBundle(options: ServedBundleOptions): RecommendationService {
  let current: Tenancy | undefined;
  let reloading: Promise<BundleDescription> | undefined;

  async function openAndSwap(): Promise<BundleDescription> {
    const { version } = await options.registry.readChannel(options.channel);
    const engine = await openWarm(await options.registry.pathOf(version), options);
    const previous = current;
    current = { engine, requests: 0, retired: false };
    await retire(previous);
    return describeEngine(engine);
  }

  return {
    describe: () => (current === undefined ? undefined : describeEngine(current.engine)),
    views: () => current?.engine.manifest.views,
    recommend: async (request) => {
      if (current === undefined) throw new ShortlistError('NOT_READY', 'No bundle is open yet.');
      const tenancy = current;
      tenancy.requests++;
      try {
        return await recommend(request, tenancy.engine);
      } finally {
        tenancy.requests--;
        await closeIfUnused(tenancy);
      }
    },
    reload: () => {
      reloading ??= openAndSwap().finally(() => (reloading = undefined));
      return reloading;
    },
    close: async () => {
      await reloading?.catch(() => undefined);
      const last = current;
      current = undefined;
      await retire(last);
    },
  };
}

/** An engine that has answered already; when that fails, nothing of it stays open. */
async function openWarm(folder: string, options: ServedBundleOptions): Promise<Engine> {
  const engine = await openEngine(folder, options.scenarios, options);
  try {
    await warm(engine);
    return engine;
  } catch (error) {
    await closeEngine(engine);
    throw error;
  }
}

/** Requests that let the compiler see the whole path before a client does: without them the first answer took 40 ms, not 2. */
const WARM_UP_REQUESTS = 50;

/** Answers some known users in every scenario that starts from one, and throws the answers away. */
async function warm(engine: Engine): Promise<void> {
  const count = Math.min(WARM_UP_REQUESTS, engine.users.size);
  const users = Array.from({ length: count }, (_, index) => engine.users.idAt(index));
  const scenarios = [...engine.scenarios.values()].filter(({ basis = 'user' }) => basis === 'user');
  for (const { name: scenario } of scenarios) {
    for (const userId of users) {
      const basis = { kind: 'user', userId } as const;
      await recommend({ basis, scenario, limit: 10, exclude: [], filters: [], explain: 'none' }, engine);
    }
  }
}

async function retire(tenancy: Tenancy | undefined): Promise<void> {
  if (tenancy === undefined) return;
  tenancy.retired = true;
  await closeIfUnused(tenancy);
}

async function closeIfUnused(tenancy: Tenancy): Promise<void> {
  if (!tenancy.retired || tenancy.requests > 0) return;
  await closeEngine(tenancy.engine);
}

async function closeEngine({ ranker, userStores }: Engine): Promise<void> {
  await ranker.close();
  for (const store of userStores) await store.close();
}

function describeEngine({ manifest, catalogue, users, scenarios }: Engine): BundleDescription {
  return {
    version: manifest.version,
    createdAt: manifest.createdAt,
    dataset: manifest.dataset.name,
    items: catalogue.entities.size,
    users: users.size,
    scenarios: [...scenarios.keys()],
    filterableAttributes: catalogue.attributes.filter(({ filterable }) => filterable).map(({ name }) => name),
    contextFields: (manifest.context?.fields ?? []).map(({ name }) => name),
  };
}

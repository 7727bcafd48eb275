import { setImmediate as yieldToOthers } from 'node:timers/promises';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import { processClock } from '../../domain/process-clock.js';
import { closeEngine } from '../../engine/close-engine.js';
import { createFallbackEngine } from '../../engine/create-fallback-engine.js';
import { type EngineOptions, openBundle, openContents } from '../../engine/open-engine.js';
import { packContents } from '../../engine/read-bundle.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';
import { inspect } from '../../pipeline/inspection/inspect.js';
import { recommend } from '../../pipeline/recommend.js';
import type { Compute } from '../compute/compute.js';
import { openComputePool } from '../compute/compute-pool.js';
import { createInspectionThread, outOfTime } from '../compute/inspection-thread.js';
import { RequestQuarantined } from '../compute/quarantine.js';
import { readContentsInThread } from './read-contents-in-thread.js';
import { createRests } from '../compute/polite-pause.js';
import type { ThreadOptions } from '../compute/thread-options.js';
import { fromPipeline, withSubject } from '../stack.js';
import type { OpenBundle } from './open-bundle.js';
import { warm } from '../compute/warm.js';

/** How each bundle of a server is opened. */
export interface OpeningOptions extends EngineOptions {
  readonly scenarios: ReadonlyMap<string, ScenarioConfig>;
  /** Threads that compute; without any, the event loop does. */
  readonly threads?: ThreadOptions;
  /**
   * Before threads open a bundle beside another one, it is tried in a process of its own, and refused when that says nothing
   * for so many milliseconds. Without it a bundle is not tried before.
   */
  readonly rehearsalSilenceMs?: number | undefined;
}

/** Where a bundle is opened, and beside what. */
export interface Opening {
  readonly folder: string;
  /** Whether another bundle answers requests meanwhile, which it should hardly notice. */
  readonly beside: boolean;
  /** Gives up its rehearsal. */
  readonly signal: AbortSignal;
}

/**
 * Opens a bundle that has answered already; when that fails, nothing of it stays open.
 * @throws ShortlistError as `openEngine` does
 */
export async function openServedBundle(opening: Opening, options: OpeningOptions): Promise<OpenBundle> {
  const { threads } = options;
  const bundle = await (threads === undefined
    ? openHere(opening, options)
    : openInThreads(opening, options, threads));
  const pause = opening.beside ? createRests() : undefined;
  const recommender = withSubject(fromPipeline(bundle.compute), bundle);
  const ask = async (request: RecommendationRequest): Promise<void> => {
    try {
      await recommender.recommend(request, {});
    } catch (error) {
      // A request that is held in quarantine says nothing of the bundle.
      if (!(error instanceof RequestQuarantined)) throw error;
    }
  };
  try {
    await warm(bundle.engine, ask, pause);
    return bundle;
  } catch (error) {
    await bundle.close();
    throw error;
  }
}

/** Computes in the thread that asks. */
async function openHere({ folder }: Opening, options: OpeningOptions): Promise<OpenBundle> {
  const { engine, online } = await openBundle(folder, options.scenarios, options);
  const compute: Compute = {
    run: (request, execution) => recommend(request, engine, execution),
    inspect: async (asked, { prefetched, budgetMs }) => {
      const deadline = processClock() + budgetMs;
      const pause = async (): Promise<void> => {
        await yieldToOthers();
        if (processClock() > deadline) throw outOfTime(budgetMs);
      };
      return JSON.stringify(await inspect(asked, engine, { prefetched, pause }));
    },
    close: async () => undefined,
  };
  return { engine, online, compute, close: () => closeEngine(engine) };
}

async function openInThreads(
  { folder, beside, signal }: Opening,
  { scenarios, rehearsalSilenceMs: silenceMs, ...options }: OpeningOptions,
  { rankerGuard, isBackground, ...threads }: ThreadOptions,
): Promise<OpenBundle> {
  const rehearsal = beside && silenceMs !== undefined ? { silenceMs, signal } : undefined;
  const { contents, online } = await openContents(folder, scenarios, {
    ...options,
    read: (request, observer, access) =>
      readContentsInThread({ request, beside, rehearsal }, observer, access),
  });
  const closeStores = async (): Promise<void> => {
    for (const store of online) await store.close();
  };
  try {
    const { observer, vectorEngine, overrides, clock = () => contents.manifest.knownUntil } = options;
    const packed = packContents(contents);
    const own = { contents: packed, scenarios, vectorEngine };
    const task = { ...own, rankerGuard, beside, isBackground };
    const pool = await openComputePool(task, { ...threads, clock, observer, overrides });
    const engine = await createFallbackEngine(contents, {
      scenarios,
      overrides,
      vectorEngine,
      clock,
      observer,
    });
    const inspections = createInspectionThread(own, { clock, overrides });
    const close = async (): Promise<void> => {
      await Promise.all([pool.close(), inspections.close()]);
      await closeStores();
    };
    return { engine, online, compute: { ...pool, inspect: inspections.inspect }, close };
  } catch (error) {
    await closeStores();
    throw error;
  }
}

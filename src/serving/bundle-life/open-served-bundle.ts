import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { FeatureStore } from '../../features/feature-store.js';
import { closeEngine } from '../../engine/close-engine.js';
import { createFallbackEngine } from '../../engine/create-fallback-engine.js';
import type { FallbackEngine } from '../../pipeline/engine.js';
import { type EngineOptions, openBundle, openContents } from '../../engine/open-engine.js';
import { packContents } from '../../engine/read-bundle.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';
import { recommend } from '../../pipeline/recommend.js';
import { COMPUTE, traceWork } from '../../observability/traced-work.js';
import type { RankerGuard } from '../../ranking/guarded-ranker.js';
import type { Compute } from '../compute/compute.js';
import { type ComputePoolOptions, openComputePool } from '../compute/compute-pool.js';
import { prefetchUserRows } from '../online/prefetch-user-rows.js';
import { RequestQuarantined } from '../compute/quarantine.js';
import { readContentsInThread } from './read-contents-in-thread.js';
import { createRests } from '../compute/polite-pause.js';
import { warm } from './warm.js';
import { type DriftOptions, watchDrift } from './watch-drift.js';

export interface OpeningOptions extends EngineOptions {
  readonly scenarios: ReadonlyMap<string, ScenarioConfig>;
  /** Threads that compute; without any, the event loop does. */
  readonly threads?: ThreadOptions;
  /**
   * Before threads open a bundle beside another one, it is tried in a process of its own, and refused when that says nothing
   * for so many milliseconds. Without it a bundle is not tried before.
   */
  readonly trialSilenceMs?: number | undefined;
  /** How what is ranked is compared with training; without it nobody looks. */
  readonly drift?: DriftOptions | undefined;
}

export interface ThreadOptions extends Omit<ComputePoolOptions, 'clock' | 'observer'> {
  /** Without it the ranker is always run, however slow it is. */
  readonly rankerGuard?: RankerGuard | undefined;
  /** The threads let others go first on the processor. */
  readonly isBackground?: boolean;
}

/** A bundle that answers requests. */
export interface OpenServedBundle {
  /** Of the main thread, which computes only where there are no threads. */
  readonly engine: FallbackEngine;
  /** Serve views of users in place of the bundle. */
  readonly online: readonly FeatureStore[];
  readonly compute: Compute;
  /** Waits for what is computed, then frees it all. */
  close(): Promise<void>;
}

/** Where a bundle is opened, and beside what. */
export interface Opening {
  readonly folder: string;
  /** Whether another bundle answers requests meanwhile, which it should hardly notice. */
  readonly beside: boolean;
  /** Gives up its trial. */
  readonly signal: AbortSignal;
}

/**
 * Opens a bundle that has answered already; when that fails, nothing of it stays open.
 * @throws ShortlistError as `openEngine` does
 */
export async function openServedBundle(opening: Opening, options: OpeningOptions): Promise<OpenServedBundle> {
  const { threads } = options;
  const bundle = await (threads === undefined
    ? openHere(opening, options)
    : openInThreads(opening, options, threads));
  const pause = opening.beside ? createRests() : undefined;
  try {
    const ask = (request: RecommendationRequest): Promise<unknown> =>
      bundle.compute.recommend(request, {}).catch(ignoreQuarantine);
    await warm(bundle.engine, ask, pause);
    const { engine, compute } = bundle;
    return options.drift === undefined
      ? bundle
      : { ...bundle, compute: watchDrift(compute, engine.manifest, options.drift) };
  } catch (error) {
    await bundle.close();
    throw error;
  }
}

/** Somebody who is held says nothing of the bundle. */
function ignoreQuarantine(error: unknown): void {
  if (!(error instanceof RequestQuarantined)) throw error;
}

/** Computes in the thread that asks. */
async function openHere({ folder }: Opening, options: OpeningOptions): Promise<OpenServedBundle> {
  const { engine, online } = await openBundle(folder, options.scenarios, options);
  const compute: Compute = {
    recommend: (request, execution) => recommend(request, engine, execution),
    close: async () => undefined,
  };
  return { engine, online, compute, close: () => closeEngine(engine) };
}

async function openInThreads(
  { folder, beside, signal }: Opening,
  { scenarios, trialSilenceMs: silenceMs, ...options }: OpeningOptions,
  { rankerGuard, isBackground, ...threads }: ThreadOptions,
): Promise<OpenServedBundle> {
  const trial = beside && silenceMs !== undefined ? { silenceMs, signal } : undefined;
  const { contents, online } = await openContents(folder, scenarios, {
    ...options,
    read: (request, observer, access) => readContentsInThread({ request, beside, trial }, observer, access),
  });
  const closeStores = async (): Promise<void> => {
    for (const store of online) await store.close();
  };
  try {
    const { observer, vectorEngine, clock = () => contents.manifest.knownUntil } = options;
    const packed = packContents(contents);
    const task = { contents: packed, scenarios, rankerGuard, vectorEngine, beside, isBackground };
    const pool = await openComputePool(task, { ...threads, clock, observer });
    const engine = await createFallbackEngine(contents, { scenarios, clock, observer });
    const compute: Compute = {
      recommend: async (request, execution) => {
        const prefetched = await prefetchUserRows(request, execution.prefetched, { engine, online });
        return traceWork(COMPUTE, () => pool.recommend(request, { ...execution, prefetched }));
      },
      findProblem: () => pool.findProblem?.(),
      close: () => pool.close(),
    };
    const close = async (): Promise<void> => {
      await pool.close();
      await closeStores();
    };
    return { engine, online, compute, close };
  } catch (error) {
    await closeStores();
    throw error;
  }
}

import { readBundleManifest } from '../../bundle/bundle-files.js';
import type { BundleRegistry } from '../../bundle/bundle-registry.js';
import type { Manifest } from '../../bundle/manifest.js';
import { hasTrait, ShortlistError } from '../../domain/errors.js';
import { processClock } from '../../domain/process-clock.js';
import type { FallbackEngine } from '../../pipeline/engine.js';
import type { Execution, Prefetched } from '../../pipeline/execution.js';
import { fallBack } from '../../pipeline/fall-back.js';
import type { SlateReport, RecommendationRequest } from '../../pipeline/recommendation-request.js';
import { collectGarbage } from './collect-garbage.js';
import { joinReloads } from './join-reloads.js';
import { type OpeningOptions, type OpenServedBundle, openServedBundle } from './open-served-bundle.js';
import { prefetchUserRows } from '../online/prefetch-user-rows.js';
import type { BundleDescription, RecommendationService } from '../recommendation-service.js';
import { chooseRequestExamples, type RequestExamples } from './request-examples.js';
import {
  type SlateAnswer,
  type SlateCache,
  type SlateForm,
  type SlateQuestion,
  writeRecord,
} from '../cache/slate-cache.js';
import { createSlateKeys, type SlateKeys } from '../cache/slate-key.js';

export interface ServedBundleOptions extends OpeningOptions {
  readonly registry: BundleRegistry;
  readonly channel: string;
  /**
   * The dataset whose bundles are served, where there is one already: a bundle of another one is refused. Undefined, or '', is that of the
   * first bundle that is opened.
   */
  readonly dataset?: (() => string | undefined) | undefined;
  /** Milliseconds that a request has; only threads can keep to it. */
  readonly deadlineMs?: number;
  /**
   * Another bundle answers requests in this process already: this one opens so that it is hardly noticed, and throws what it
   * cannot answer, for the other to answer, in place of what most people chose.
   */
  readonly isTrial?: boolean;
  /** Keeps answers; it is closed with the service. Without one every answer is computed. */
  readonly cache?: SlateCache | undefined;
}

/** A bundle with the requests that run on it: it is closed when it is retired and the last of them has ended. */
interface Tenancy {
  readonly bundle: OpenServedBundle;
  requests: number;
  retired: boolean;
  /** Chosen when they are first asked for. */
  examples?: RequestExamples;
}

/** A request to the cache on the bundle that it began with. */
interface Asked extends Pick<SlateQuestion, 'form' | 'deadline'> {
  readonly tenancy: Tenancy;
  /** Others may join the computation: its deadline is the longest that any request has. */
  readonly execution: Execution & { readonly deadline: number };
}

/**
 * Serves the bundle that a channel points at. `reload()` opens what the channel points at by then beside the old one and
 * swaps them between two requests; a request keeps the engine it began with.
 */
export function createServedBundle(options: ServedBundleOptions): RecommendationService {
  const { cache, isTrial = false, deadlineMs: longestMs = Number.POSITIVE_INFINITY } = options;
  const meet = isTrial ? rethrow : fallBackOver;
  const askCache = cache && createCacheAsker(cache, { keyOf: createSlateKeys(options.scenarios), meet });
  let current: Tenancy | undefined;
  let reloading: Promise<BundleDescription> | undefined;
  const closing = new AbortController();
  async function openAndSwap(ifMoved: boolean): Promise<BundleDescription> {
    if (closing.signal.aborted) throw new ShortlistError('NOT_READY', 'The server stops.');
    const { version } = await options.registry.readChannel(options.channel);
    const opened = current?.bundle.engine;
    if (ifMoved && opened?.manifest.version === version) return describeEngine(opened);
    const beside = isTrial || opened !== undefined;
    const dataset = options.dataset?.() || opened?.manifest.dataset.name;
    const bundle = await openPointed(version, { beside, signal: closing.signal, dataset }, options);
    const previous = current;
    current = { bundle, requests: 0, retired: false };
    await retire(previous);
    return describeEngine(bundle.engine);
  }

  const reload = joinReloads(({ ifMoved }) => (reloading = openAndSwap(ifMoved)));

  const service: RecommendationService = {
    describe: () => (current === undefined ? undefined : describeEngine(current.bundle.engine)),
    views: () => current?.bundle.engine.manifest.views,
    findProblem: () => current?.bundle.compute.findProblem?.(),
    examples: () => current && findExamples(current),
    recommend: async (request, { timeoutMs = longestMs, capture } = {}) => {
      const deadline = processClock() + Math.min(timeoutMs, longestMs);
      const tenancy = requireOpen(current);
      return hold(tenancy, async () => {
        try {
          return await tenancy.bundle.compute.recommend(request, { deadline, capture });
        } catch (error) {
          return meet(error, request, tenancy);
        }
      });
    },
    answer: (request, { form, timeoutMs = longestMs, capture }) => {
      if (askCache === undefined) {
        const computed = service.recommend(request, { timeoutMs, capture });
        return computed.then((record) => writeRecord(record, form, 'off'));
      }
      const tenancy = requireOpen(current);
      const { engine, online } = tenancy.bundle;
      const arrivedAt = processClock();
      const deadline = arrivedAt + Math.min(timeoutMs, longestMs);
      const ask = (prefetched: Prefetched | undefined): SlateAnswer | Promise<SlateAnswer> => {
        const execution = { deadline: arrivedAt + longestMs, prefetched, capture };
        return askCache(request, { tenancy, form: formOf(form, tenancy), deadline, execution });
      };
      const prefetched = prefetchUserRows(request, undefined, { engine, online });
      if (!(prefetched instanceof Promise)) return ask(prefetched);
      return hold(tenancy, async () => ask(await prefetched));
    },
    reload,
    close: async () => {
      closing.abort();
      await reloading?.catch(() => undefined);
      const last = current;
      current = undefined;
      await retire(last);
      cache?.close();
    },
  };
  return service;
}

/** Asks the cache; what it lacks is computed, or met with `meet`. */
function createCacheAsker(
  cache: SlateCache,
  { keyOf, meet }: { keyOf: SlateKeys; meet: typeof fallBackOver },
): (request: RecommendationRequest, asked: Asked) => SlateAnswer | Promise<SlateAnswer> {
  return (request, asked) => {
    const { tenancy, form, deadline, execution } = asked;
    const nameKey = (): string => keyOf(request, tenancy.bundle.engine, execution.prefetched);
    const key = nameKey();
    const kept = cache.find(key);
    if (kept !== undefined) return kept;
    const question = {
      form,
      deadline,
      computeDeadline: execution.deadline,
      key,
      isSame: () => nameKey() === key,
      compute: () => tenancy.bundle.compute.recommend(request, execution),
      // Held by itself: it goes on for others when the request that it began with has ended.
      run: (flight: () => Promise<SlateAnswer>) => hold(tenancy, flight),
    };
    const computeAndKeep = async (): Promise<SlateAnswer> => {
      try {
        return await cache.answer(question);
      } catch (error) {
        return writeRecord(await meet(error, request, tenancy), form, 'miss');
      }
    };
    return hold(tenancy, computeAndKeep);
  };
}

/** Opens a version that the channel points at, or what it points at by then where that version was removed meanwhile. */
async function openPointed(
  version: string,
  { dataset, ...opening }: { beside: boolean; signal: AbortSignal; dataset: string | undefined },
  options: ServedBundleOptions,
): Promise<OpenServedBundle> {
  const { registry, channel } = options;
  try {
    const folder = await registry.pathOf(version);
    refuseOtherDataset(await readBundleManifest(folder), { channel, served: dataset });
    return await openServedBundle({ ...opening, folder }, options);
  } catch (error) {
    const pointed = await registry.readChannel(channel).catch(() => undefined);
    if (pointed === undefined || pointed.version === version || opening.signal.aborted) throw error;
    return openPointed(pointed.version, { dataset, ...opening }, options);
  }
}

function refuseOtherDataset(
  { version, dataset }: Manifest,
  { channel, served }: { channel: string; served: string | undefined },
): void {
  if (served === undefined || served === dataset.name) return;
  throw new ShortlistError(
    'OTHER_DATASET',
    `The channel ${channel} points at ${version}, a bundle of ${dataset.name}, and this server serves ${served}. Point the channel back ` +
      `(\`shortlist rollback --channel ${channel} --allow-dataset-change\`); or, where the other dataset is to be served, start the server again.`,
  );
}

function findExamples(tenancy: Tenancy): RequestExamples {
  return (tenancy.examples ??= chooseRequestExamples(tenancy.bundle.engine));
}

/** An answer that was kept counts only where it is of the bundle that answers. */
function formOf(form: SlateForm, { bundle }: Tenancy): SlateForm {
  const { version } = bundle.engine.manifest;
  return {
    ...form,
    isWritten: (body, facts) => facts.bundle === version && form.isWritten(body, facts),
  };
}

function requireOpen(tenancy: Tenancy | undefined): Tenancy {
  if (tenancy === undefined) throw new ShortlistError('NOT_READY', 'No bundle is open yet.');
  return tenancy;
}

/** Runs what needs a bundle, which stays open for as long. */
async function hold<T>(tenancy: Tenancy, use: () => Promise<T>): Promise<T> {
  tenancy.requests++;
  try {
    return await use();
  } finally {
    tenancy.requests--;
    await closeIfUnused(tenancy);
  }
}

async function rethrow(error: unknown): Promise<never> {
  throw error;
}

/** @throws `error`, when it is none to be met with the fallback */
async function fallBackOver(
  error: unknown,
  request: RecommendationRequest,
  { bundle }: Tenancy,
): Promise<SlateReport> {
  if (!hasTrait(error, 'slateFallback')) throw error;
  return fallBack(request, bundle.engine, error);
}

async function retire(tenancy: Tenancy | undefined): Promise<void> {
  if (tenancy === undefined) return;
  tenancy.retired = true;
  await closeIfUnused(tenancy);
}

async function closeIfUnused(tenancy: Tenancy): Promise<void> {
  if (!tenancy.retired || tenancy.requests > 0) return;
  await tenancy.bundle.close();
  // Not before this call has let go of the bundle.
  setImmediate(collectGarbage);
}

function describeEngine({ manifest, catalogue, users, scenarios }: FallbackEngine): BundleDescription {
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

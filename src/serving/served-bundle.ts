import { readBundleManifest } from '../bundle/bundle-files.js';
import type { BundleRegistry } from '../bundle/bundle-registry.js';
import type { Manifest } from '../bundle/manifest.js';
import { type ErrorCode, ShortlistError } from '../domain/errors.js';
import type { FallbackEngine } from '../pipeline/engine.js';
import { fallBack } from '../pipeline/fall-back.js';
import type { RecommendationRecord, RecommendationRequest } from '../pipeline/recommendation-request.js';
import { bringUserRows } from './bring-user-rows.js';
import { collectGarbage } from './collect-garbage.js';
import { joinReloads } from './join-reloads.js';
import { type OpeningOptions, type OpenServedBundle, openServedBundle } from './open-served-bundle.js';
import type { BundleDescription, RecommendationService } from './recommendation-service.js';
import { chooseRequestExamples, type RequestExamples } from './request-examples.js';
import {
  type SlateAnswer,
  type SlateCache,
  type SlateForm,
  type SlateQuestion,
  writeRecord,
} from './slate-cache.js';
import { createSlateKeys } from './slate-key.js';

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

/** What a request is answered with the fallback for: a dependency failed as a whole, or time ran out. */
const FALL_BACK_ON: ReadonlySet<ErrorCode> = new Set([
  'SOURCE_FAILED',
  'DEADLINE_EXCEEDED',
  'COMPUTE_FAILED',
]);

/** A bundle with the requests that run on it: it is closed when it is retired and the last of them has ended. */
interface Tenancy {
  readonly bundle: OpenServedBundle;
  requests: number;
  retired: boolean;
  /** Chosen when they are first asked for. */
  examples?: RequestExamples;
}

/** A request to the cache on the bundle that it began with. */
interface Asked extends Pick<SlateQuestion, 'form' | 'deadline' | 'computeDeadline'> {
  readonly tenancy: Tenancy;
}

/**
 * Serves the bundle that a channel points at. `reload()` opens what the channel points at by then beside the old one and
 * swaps them between two requests; a request keeps the engine it began with.
 */
export function createServedBundle(options: ServedBundleOptions): RecommendationService {
  const { cache, isTrial = false, deadlineMs: longestMs = Number.POSITIVE_INFINITY } = options;
  const meet = isTrial ? rethrow : fallBackOver;
  const keyOf = createSlateKeys(options.scenarios);
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

  function askCache(
    cache: SlateCache,
    request: RecommendationRequest,
    asked: Asked,
  ): SlateAnswer | Promise<SlateAnswer> {
    const { tenancy, form } = asked;
    const nameKey = (): string => keyOf(request, tenancy.bundle.engine);
    const key = nameKey();
    const kept = cache.find(key);
    if (kept !== undefined) return kept;
    const question = {
      ...asked,
      key,
      isSame: () => nameKey() === key,
      compute: () => tenancy.bundle.compute.recommend(request, { deadline: asked.computeDeadline }),
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
  }

  const service: RecommendationService = {
    describe: () => (current === undefined ? undefined : describeEngine(current.bundle.engine)),
    views: () => current?.bundle.engine.manifest.views,
    findProblem: () => current?.bundle.compute.findProblem?.(),
    examples: () => current && findExamples(current),
    recommend: async (request, { timeoutMs = longestMs } = {}) => {
      const deadline = performance.now() + Math.min(timeoutMs, longestMs);
      const tenancy = requireOpen(current);
      return hold(tenancy, async () => {
        try {
          return await tenancy.bundle.compute.recommend(request, { deadline });
        } catch (error) {
          return meet(error, request, tenancy);
        }
      });
    },
    answer: (request, { form, timeoutMs = longestMs }) => {
      if (cache === undefined) {
        return service.recommend(request, { timeoutMs }).then((record) => writeRecord(record, form, 'off'));
      }
      const tenancy = requireOpen(current);
      const { engine, online } = tenancy.bundle;
      const asked = { tenancy, form: formOf(form, tenancy), ...startDeadlines(timeoutMs, longestMs) };
      const brought = bringUserRows(request, engine, online);
      if (!(brought instanceof Promise)) return askCache(cache, brought, asked);
      return hold(tenancy, async () => askCache(cache, await brought, asked));
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

/** Opens a version that the channel points at, or what it points at by then where that version was removed meanwhile. */
async function openPointed(
  version: string,
  { dataset, ...opening }: { beside: boolean; signal: AbortSignal; dataset: string | undefined },
  options: ServedBundleOptions,
): Promise<OpenServedBundle> {
  const { registry, channel } = options;
  try {
    const folder = await registry.pathOf(version);
    refuseOtherDataset(await readBundleManifest(folder), dataset);
    return await openServedBundle({ ...opening, folder }, options);
  } catch (error) {
    const pointed = await registry.readChannel(channel).catch(() => undefined);
    if (pointed === undefined || pointed.version === version || opening.signal.aborted) throw error;
    return openPointed(pointed.version, { dataset, ...opening }, options);
  }
}

function refuseOtherDataset({ version, dataset }: Manifest, served: string | undefined): void {
  if (served === undefined || served === dataset.name) return;
  throw new ShortlistError(
    'OTHER_DATASET',
    `The channel points at ${version}, a bundle of ${dataset.name}, and this server serves ${served}. Point the channel back ` +
      '(`shortlist rollback --allow-dataset-change`); or, where the other dataset is to be served, start the server again.',
  );
}

/** When a client has waited for long enough, and when everybody who may join it has. */
function startDeadlines(timeoutMs: number, longestMs: number): Pick<Asked, 'deadline' | 'computeDeadline'> {
  const arrivedAt = performance.now();
  return { deadline: arrivedAt + Math.min(timeoutMs, longestMs), computeDeadline: arrivedAt + longestMs };
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
): Promise<RecommendationRecord> {
  if (!(error instanceof ShortlistError && FALL_BACK_ON.has(error.code))) throw error;
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

import { readBundleManifest } from '../../bundle/bundle-files.js';
import type { BundleRegistry } from '../../bundle/bundle-registry.js';
import { findEvaluationSummary } from '../../bundle/evaluation-summary.js';
import type { Manifest } from '../../bundle/manifest.js';
import { ShortlistError } from '../../domain/errors.js';
import type { ForgottenUsers } from '../../domain/forgetting.js';
import { searchItems } from '../../pipeline/inspection/search-items.js';
import type { FallbackEngine } from '../../pipeline/engine.js';
import type { BundleAdmin, BundleDescription, EvaluationFigures } from '../bundle-admin.js';
import type { SlateCache } from '../cache/slate-cache.js';
import { createSlateKeys } from '../cache/slate-key.js';
import { type DriftOptions, openDriftWindow } from '../drift/drift-window.js';
import type { LiveOptions } from '../online/prefetch-subject.js';
import type { Recommender } from '../recommender.js';
import { chooseRequestExamples, chooseUsers, type RequestExamples } from '../request-examples.js';
import { fromLease, inspectBundle } from '../stack.js';
import { type BundleLease, leaseBundle } from './bundle-lease.js';
import { joinReloads } from './join-reloads.js';
import type { OpenBundle } from './open-bundle.js';
import { type OpeningOptions, openServedBundle } from './open-served-bundle.js';

/** Which bundles are opened, and the layers around each. */
export interface ServedBundleOptions extends OpeningOptions, LiveOptions {
  readonly registry: BundleRegistry;
  readonly channel: string;
  /**
   * The dataset whose bundles are served, where there is one already: a bundle of another one is refused. Undefined, or '', is that of the
   * first bundle that is opened.
   */
  readonly dataset?: (() => string | undefined) | undefined;
  /**
   * Another bundle answers requests in this process already: this one opens so that it is hardly noticed, and throws what it
   * cannot answer, for the other to answer, in place of what most people chose.
   */
  readonly isExperiment?: boolean;
  /** Says who asked to be forgotten. */
  readonly forgotten?: ForgottenUsers | undefined;
  /** Keeps answers; it is closed with the bundle. Without one every answer is computed. */
  readonly cache?: SlateCache | undefined;
  /** Compares what is ranked with training; without it nothing is sampled. */
  readonly drift?: DriftOptions | undefined;
}

/** Answers by the bundle of a channel, and opens another one when the channel points at another one. */
export type ServedBundle = Recommender & BundleAdmin;

/**
 * Serves the bundle that a channel points at. `reload()` opens what the channel points at by then beside the old one and
 * swaps them between two requests; a request keeps the engine it began with.
 */
export function createServedBundle(options: ServedBundleOptions): ServedBundle {
  const { cache, liveHistories, liveMetrics, shownCounts, forgotten, isExperiment = false } = options;
  const kept = cache && { slates: cache, keyOf: createSlateKeys(options.scenarios) };
  let current: BundleLease | undefined;
  let description: BundleDescription | undefined;
  let examples: RequestExamples | undefined;
  let reloading: Promise<BundleDescription> | undefined;
  const closing = new AbortController();

  function swapIn(bundle: OpenBundle): Promise<void> | undefined {
    const previous = current;
    const drift = options.drift && openDriftWindow(bundle.engine.manifest, options.drift);
    current = leaseBundle(bundle, {
      cache: kept,
      drift,
      liveHistories,
      shownCounts,
      liveMetrics,
      forgotten,
      isExperiment,
    });
    examples = undefined;
    description = describeEngine(bundle.engine);
    return previous?.retire();
  }

  async function openAndSwap(ifMoved: boolean): Promise<BundleDescription> {
    if (closing.signal.aborted) throw new ShortlistError('NOT_READY', 'The server stops.');
    const { version } = await options.registry.readChannel(options.channel);
    const opened = current?.bundle.engine;
    if (ifMoved && opened?.manifest.version === version) return description!;
    const beside = isExperiment || opened !== undefined;
    const dataset = options.dataset?.() || opened?.manifest.dataset.name;
    const bundle = await openPointed(version, { beside, signal: closing.signal, dataset }, options);
    await swapIn(bundle);
    return description!;
  }

  return {
    ...fromLease(() => current),
    // Where answers are kept a request has to be read: what is kept is answered while all else is refused.
    refuses: (budgetMs) => cache === undefined && current?.bundle.compute.refuses?.(budgetMs) === true,
    describe: () => description,
    views: () => current?.bundle.engine.manifest.views,
    findProblem: () => current?.bundle.compute.findProblem?.(),
    checkOverrides: async (document) => {
      return requireOpen(current).bundle.engine.rules.check(document);
    },
    inspect: (asked) => {
      const { bundle, hold } = requireOpen(current);
      const facts = { liveHistories, shownCounts, forgotten, budgetMs: INSPECTION_MS };
      return hold(() => inspectBundle(asked, bundle, facts));
    },
    findItems: async (search) => {
      const { manifest, catalogue } = requireOpen(current).bundle.engine;
      return { bundle: manifest.version, items: searchItems(catalogue, search) };
    },
    // Chosen when they are first asked for.
    examples: () => (examples ??= current && chooseRequestExamples(current.bundle.engine)),
    reload: joinReloads(({ ifMoved }) => (reloading = openAndSwap(ifMoved))),
    close: async () => {
      closing.abort();
      await reloading?.catch(() => undefined);
      const last = current;
      current = undefined;
      examples = undefined;
      description = undefined;
      await last?.retire();
      cache?.close();
    },
  };
}

/** Milliseconds that an inspection may compute. */
const INSPECTION_MS = 2000;

function requireOpen(lease: BundleLease | undefined): BundleLease {
  if (lease === undefined) throw new ShortlistError('NOT_READY', 'No bundle is open yet.');
  return lease;
}

/** Opens a version that the channel points at, or what it points at by then where that version was removed meanwhile. */
async function openPointed(
  version: string,
  { dataset, ...opening }: { beside: boolean; signal: AbortSignal; dataset: string | undefined },
  options: ServedBundleOptions,
): Promise<OpenBundle> {
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

function describeEngine({
  manifest,
  catalogue,
  users,
  histories,
  scenarios,
  searches,
}: FallbackEngine): BundleDescription {
  const [user] = chooseUsers(histories.table);
  const evaluation = findFigures(manifest);
  return {
    version: manifest.version,
    createdAt: manifest.createdAt,
    dataset: manifest.dataset.name,
    items: catalogue.entities.size,
    users: users.size,
    scenarios: [...scenarios.keys()],
    filterableAttributes: catalogue.attributes.filter(({ filterable }) => filterable).map(({ name }) => name),
    contextFields: (manifest.context?.fields ?? []).map(({ name }) => name),
    searches,
    ...(user !== undefined && { exampleUserId: users.idAt(user) }),
    ...(evaluation && { evaluation }),
  };
}

function findFigures(manifest: Manifest): EvaluationFigures | undefined {
  const summary = findEvaluationSummary(manifest);
  if (summary === undefined) return undefined;
  const { protocol, k, queries, ndcg, twoStage, bestSingle, candidateRecall } = summary;
  return {
    protocol,
    k,
    queries: queries.count,
    ndcg: ndcg[twoStage] ?? 0,
    bestSingle: { source: bestSingle, ndcg: ndcg[bestSingle] ?? 0 },
    candidateRecall,
  };
}

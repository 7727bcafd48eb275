import type { Logger } from 'pino';
import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { Settings } from '../../config/settings.js';
import { ShortlistError } from '../../domain/errors.js';
import type { ExperimentRelease } from '../../domain/release.js';
import { createMetrics, type Metrics } from '../../observability/metrics/metrics.js';
import type { BundleAdmin, ExperimentDescription } from '../bundle-admin.js';
import { createServedBundle, type ServedBundleOptions } from '../bundle-life/served-bundle.js';
import type { ThreadOptions } from '../compute/thread-options.js';
import { createOnlineStoresOpener, type OnlineStoresParts } from '../online/online-stores-opener.js';
import type { Recommender } from '../recommender.js';
import { withCanary } from '../stack.js';
import { createExperiment, type Experiment, type ExperimentOptions } from './experiment.js';
import { administerExperiments } from './experiments-admin.js';
import { createShadow, type Shadow } from './shadow.js';

interface ServerParts {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What requests read from Redis, whichever bundle answers. */
  readonly openReads?: OnlineStoresParts['openReads'];
}

/** A server's recommender, with everything that administers it. */
export interface OpenRecommender {
  readonly recommender: Recommender;
  readonly admin: BundleAdmin;
  /** Scores requests once they are answered; undefined where none is to be. */
  readonly shadow: Shadow | undefined;
}

/** A shadow has this many times the deadline of a request: nobody waits for it, on a processor that others use first. */
const SHADOW_PATIENCE = 10;

/**
 * Creates the recommender over the bundle of the server's channel and those that `canary` and `shadow` of the settings try beside it.
 * Nothing is open before the first `reload` of its admin.
 * @throws ShortlistError INVALID_CONFIG when an experiment names a scenario that is none, or does not start from a user
 */
export function openRecommender(options: ServedBundleOptions, parts: ServerParts): OpenRecommender {
  const { settings, metrics } = parts;
  refuseScenarios(settings, options.scenarios);
  const stable = createServedBundle(options);
  const dataset = (): string | undefined => stable.describe()?.dataset;
  const open = (
    release: ExperimentRelease,
    deriveOptions: (options: ServedBundleOptions, parts: ServerParts) => ServedBundleOptions,
  ): Experiment | undefined => {
    if (!isTried(settings[release])) return undefined;
    const { channel, share, scenarios } = settings[release];
    const derived = deriveOptions(options, parts);
    return createExperiment({
      release,
      channel,
      share,
      scenarios,
      registry: options.registry,
      createRecommender: (told) => createServedBundle(watchThreads({ ...derived, channel, dataset }, told)),
      onChange: (experiment, err) => {
        report(experiment, err, parts);
        admin.changed();
      },
    });
  };
  const canary = open('canary', canaryOptions);
  const shadow = open('shadow', shadowOptions);
  const experiments = [canary, shadow].filter((experiment) => experiment !== undefined);
  const admin = administerExperiments(stable, experiments);
  return {
    recommender: canary ? withCanary(stable, canary, createObserver('canary', parts)) : stable,
    admin,
    shadow:
      shadow &&
      createShadow(shadow, {
        maxUnderWay: settings.compute.maxBatch,
        deadlineMs: shadowDeadlineMs(settings),
        observer: {
          ...createObserver('shadow', parts),
          dropped: () => metrics.releases.countExperimentRequest('shadow', 'dropped'),
        },
      }),
  };
}

function shadowDeadlineMs({ compute }: Settings): number {
  return SHADOW_PATIENCE * compute.deadlineMs;
}

function isTried({ channel, share }: Settings['canary']): boolean {
  return channel !== '' && share > 0;
}

function refuseScenarios(settings: Settings, known: ReadonlyMap<string, ScenarioConfig>): void {
  const names = [...known.values()].filter(({ basis = 'user' }) => basis === 'user').map(({ name }) => name);
  const tried = (['canary', 'shadow'] as const).filter((group) => isTried(settings[group]));
  const problems = tried.flatMap((group) =>
    settings[group].scenarios
      .filter((name) => !names.includes(name))
      .map((name) => `${group}.scenarios has "${name}", allowed are ${names.join(', ')}`),
  );
  if (problems.length > 0)
    throw new ShortlistError('INVALID_CONFIG', 'The settings cannot be used:', { problems });
}

/** Threads by its share of the users; the stable bundle keeps all of its own, since it may have to answer everybody. */
function canaryOptions(options: ServedBundleOptions, parts: ServerParts): ServedBundleOptions {
  const { cache } = options;
  const { share } = parts.settings.canary;
  return experimentOptions(options, parts, {
    threads: options.threads && {
      ...options.threads,
      workers: Math.max(1, Math.round(options.threads.workers * share)),
    },
    // Keys have the version of the bundle; who made the cache closes it.
    cache: cache && { ...cache, close: () => undefined },
  });
}

/** One thread, which ranks in full or not at all: a slate that was cut short is nothing to compare with. */
function shadowOptions(options: ServedBundleOptions, parts: ServerParts): ServedBundleOptions {
  const { compute } = parts.settings;
  return experimentOptions(options, parts, {
    threads: options.threads && {
      ...options.threads,
      workers: 1,
      isBackground: true,
      maxWaiting: compute.maxBatch,
      minDepth: 1,
      rankerGuard: {
        budgetMs: compute.rankerBudgetShare * shadowDeadlineMs(parts.settings),
        probeAfterMs: compute.rankerProbeAfterMs,
      },
    },
    cache: undefined,
  });
}

/** What is measured without the label `release` is measured of the bundle in service alone. */
function experimentOptions(
  options: ServedBundleOptions,
  { settings, logger, openReads }: ServerParts,
  { threads, ...changes }: Pick<ServedBundleOptions, 'cache'> & { threads: ThreadOptions | undefined },
): ServedBundleOptions {
  const { observer: _features, drift: _drift, liveMetrics: _live, threads: _threads, ...shared } = options;
  const unseen = createMetrics({ processMetrics: false });
  return {
    ...shared,
    ...changes,
    ...(threads && {
      threads: { ...threads, onBatch: undefined, onAnswered: undefined, onThreads: undefined },
    }),
    isExperiment: true,
    openOnlineStores: createOnlineStoresOpener(settings, { logger, metrics: unseen.features, openReads }),
  };
}

function watchThreads(
  options: ServedBundleOptions,
  { onHung, onDeserted }: Parameters<ExperimentOptions['createRecommender']>[0],
): ServedBundleOptions {
  const { threads } = options;
  if (threads?.watch === undefined) return options;
  const desertion = threads.desertion && { ...threads.desertion, onDeserted };
  return { ...options, threads: { ...threads, watch: { ...threads.watch, onHung }, desertion } };
}

function report(experiment: ExperimentDescription, err: unknown, { logger, metrics }: ServerParts): void {
  const { release, state, channel, bundle } = experiment;
  metrics.releases.showExperiment(release, state === 'same' ? undefined : state === 'open');
  const facts = { release, channel, version: bundle?.version };
  if (state === 'refused')
    logger.warn({ ...facts, err }, 'the bundle that was to be tried is not; the others serve on');
  if (state === 'open') logger.info(facts, 'a bundle is tried');
  if (state === 'same') logger.info(facts, 'nothing is tried: the channel points at the bundle in service');
}

/** Counts what becomes of requests to an experiment; of what fails, at most one in ten seconds is logged, with how many were not. */
function createObserver(release: ExperimentRelease, { logger, metrics }: ServerParts) {
  let quietUntil = 0;
  let untold = 0;
  return {
    answered: () => metrics.releases.countExperimentRequest(release, 'answered'),
    failed: (err: unknown) => {
      metrics.releases.countExperimentRequest(release, 'failed');
      if (performance.now() < quietUntil) {
        untold++;
        return;
      }
      logger.warn({ release, err, untold }, 'a request to a bundle that is tried failed');
      quietUntil = performance.now() + QUIET_MS;
      untold = 0;
    },
  };
}

const QUIET_MS = 10_000;

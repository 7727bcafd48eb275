import type { Logger } from 'pino';
import type { ScenarioConfig } from '../config/scenario-config.js';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import type { TrialRelease } from '../domain/release.js';
import { createMetrics, type Metrics } from '../observability/metrics/metrics.js';
import { createOnlineStoresOpener } from '../serving/online/online-stores-opener.js';
import type { ThreadOptions } from '../serving/bundle-life/open-served-bundle.js';
import type { RecommendationService, TrialDescription } from '../serving/recommendation-service.js';
import { createReleases } from '../serving/experiments/releases.js';
import { createServedBundle, type ServedBundleOptions } from '../serving/bundle-life/served-bundle.js';
import { createShadow, type Shadow } from '../serving/experiments/shadow.js';
import { createTrial, type Trial, type TrialOptions } from '../serving/experiments/experiment.js';

interface ReleaseParts {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** How much longer a shadow has than who waits for an answer: nobody waits for it, on a processor that others use first. */
const SHADOW_PATIENCE = 10;

/**
 * Makes the service over the bundle of the server's channel and what `canary` and `shadow` of the settings try beside it.
 * @throws ShortlistError INVALID_CONFIG when a trial names a scenario that is none, or does not start from a user
 */
export function openReleases(
  options: ServedBundleOptions,
  parts: ReleaseParts,
): { service: RecommendationService; shadow: Shadow | undefined } {
  const { settings, metrics } = parts;
  refuseScenarios(settings, options.scenarios);
  let changed = (): void => undefined;
  const stable = createServedBundle(options);
  const dataset = (): string | undefined => stable.describe()?.dataset;
  const open = (release: TrialRelease, describe: typeof describeCanary): Trial | undefined => {
    if (!isTried(settings[release])) return undefined;
    const { channel, share, scenarios } = settings[release];
    const trialOptions = describe(options, parts);
    return createTrial({
      release,
      channel,
      share,
      scenarios,
      registry: options.registry,
      createService: (told) => createServedBundle(watchThreads({ ...trialOptions, channel, dataset }, told)),
      onChange: (trial, err) => {
        tellOf(trial, err, parts);
        changed();
      },
    });
  };
  const canary = open('canary', describeCanary);
  const shadow = open('shadow', describeShadow);
  const { deadlineMs } = settings.compute;
  const releases = createReleases({
    stable,
    canary,
    shadow,
    deadlineMs,
    observer: createTrialObserver('canary', parts),
  });
  changed = releases.changed;
  const scored =
    shadow &&
    createShadow(shadow, {
      maxUnderWay: settings.compute.maxBatch,
      observer: {
        ...createTrialObserver('shadow', parts),
        dropped: () => metrics.releases.countTrialRequest('shadow', 'dropped'),
      },
    });
  return { service: releases.service, shadow: scored };
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
function describeCanary(options: ServedBundleOptions, parts: ReleaseParts): ServedBundleOptions {
  const { cache } = options;
  const { share } = parts.settings.canary;
  return describeTrial(options, parts, {
    threads: options.threads && {
      ...options.threads,
      workers: Math.max(1, Math.round(options.threads.workers * share)),
    },
    // Keys have the version of the bundle; who made the cache closes it.
    cache: cache && { ...cache, close: () => undefined },
  });
}

/** One thread, which ranks in full or not at all: a slate that was cut short is nothing to compare with. */
function describeShadow(options: ServedBundleOptions, parts: ReleaseParts): ServedBundleOptions {
  const { compute } = parts.settings;
  const deadlineMs = SHADOW_PATIENCE * compute.deadlineMs;
  return describeTrial(options, parts, {
    deadlineMs,
    threads: options.threads && {
      ...options.threads,
      workers: 1,
      isBackground: true,
      maxWaiting: compute.maxBatch,
      minDepth: 1,
      rankerGuard: {
        budgetMs: compute.rankerBudgetShare * deadlineMs,
        probeAfterMs: compute.rankerProbeAfterMs,
      },
    },
    cache: undefined,
  });
}

/** What is measured without the label `release` is measured of the bundle in service alone. */
function describeTrial(
  options: ServedBundleOptions,
  { settings, logger }: ReleaseParts,
  {
    threads,
    ...changes
  }: Pick<ServedBundleOptions, 'cache' | 'deadlineMs'> & { threads: ThreadOptions | undefined },
): ServedBundleOptions {
  const { observer: _features, drift: _drift, threads: _threads, ...shared } = options;
  const unseen = createMetrics({ processMetrics: false });
  return {
    ...shared,
    ...changes,
    ...(threads && { threads: { ...threads, onBatch: undefined, onThreads: undefined } }),
    isTrial: true,
    openOnlineStores: createOnlineStoresOpener(settings, { logger, metrics: unseen.features }),
  };
}

function watchThreads(
  options: ServedBundleOptions,
  { onHung, onDeserted }: Parameters<TrialOptions['createService']>[0],
): ServedBundleOptions {
  const { threads } = options;
  if (threads?.watch === undefined) return options;
  const desertion = threads.desertion && { ...threads.desertion, onDeserted };
  return { ...options, threads: { ...threads, watch: { ...threads.watch, onHung }, desertion } };
}

function tellOf(trial: TrialDescription, err: unknown, { logger, metrics }: ReleaseParts): void {
  const { release, state, channel, bundle } = trial;
  metrics.releases.showTrial(release, state === 'same' ? undefined : state === 'open');
  const facts = { release, channel, version: bundle?.version };
  if (state === 'refused')
    logger.warn({ ...facts, err }, 'the bundle that was to be tried is not; the others serve on');
  if (state === 'open') logger.info(facts, 'a bundle is tried');
  if (state === 'same') logger.info(facts, 'nothing is tried: the channel points at the bundle in service');
}

/** Counts what becomes of requests to a trial; of what fails, at most one in ten seconds is logged, with how many were not. */
function createTrialObserver(release: TrialRelease, { logger, metrics }: ReleaseParts) {
  let quietUntil = 0;
  let untold = 0;
  return {
    answered: () => metrics.releases.countTrialRequest(release, 'answered'),
    failed: (err: unknown) => {
      metrics.releases.countTrialRequest(release, 'failed');
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

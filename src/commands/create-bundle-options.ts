import type { Logger } from 'pino';
import type { BundleRegistry } from '../bundle/bundle-registry.js';
import { toVectorEngineOptions } from '../candidates/vector-engine.js';
import type { ScenarioConfig } from '../config/scenario-config.js';
import type { Settings } from '../config/settings.js';
import type { DependencyAccess } from '../domain/dependency-access.js';
import type { ForgottenUsers } from '../domain/forgetting.js';
import type { LiveHistories } from '../events/live-histories.js';
import type { OverrideStore } from '../overrides/override-store.js';
import type { Metrics } from '../observability/metrics/metrics.js';
import type { ServedBundleOptions } from '../serving/bundle-life/served-bundle.js';
import type { SlateCache } from '../serving/cache/slate-cache.js';
import type { Quarantine } from '../serving/compute/quarantine.js';
import { createThreadOptions } from '../serving/compute/thread-options.js';
import { createFeatureObserver } from '../serving/online/create-feature-observer.js';
import { createShownCounts } from '../serving/online/shown-counts.js';
import { createOnlineStoresOpener, type OnlineStoresParts } from '../serving/online/online-stores-opener.js';
import type { CommandContext } from './command-context.js';

/** How a server opens the bundle of its channel, as settings say. */
export function createBundleOptions(
  settings: Settings,
  parts: {
    context: CommandContext;
    registry: BundleRegistry;
    scenarios: ReadonlyMap<string, ScenarioConfig>;
    overrides: OverrideStore;
    dependencies: DependencyAccess;
    cache: SlateCache | undefined;
    forgotten: ForgottenUsers;
    quarantine: Quarantine | undefined;
    liveHistories: LiveHistories | undefined;
    logger: Logger;
    metrics: Metrics;
    openReads: OnlineStoresParts['openReads'];
  },
): ServedBundleOptions {
  const { context, registry, dependencies, cache, forgotten, quarantine, scenarios, overrides } = parts;
  const { liveHistories, logger, metrics, openReads } = parts;
  const { memoryLimitMegabytes, minLoadMegabytesPerSecond } = settings.features;
  const clock = (): number => context.now().getTime() / 1000;
  const observed = { logger, metrics: metrics.features };
  return {
    registry,
    channel: settings.bundle.channel,
    dataset: () => settings.bundle.dataset,
    scenarios,
    shownCounts: createShownCounts(scenarios),
    overrides: {
      current: () => overrides.current(),
      onIneffective: (ineffective, version) =>
        logger.warn({ ineffective, version }, 'overrides do nothing with this bundle'),
    },
    memoryLimitBytes: memoryLimitMegabytes * 1e6,
    access: dependencies,
    observer: createFeatureObserver({ ...observed, clock }, { minLoadMegabytesPerSecond }),
    clock,
    threads: createThreadOptions(settings, { logger, metrics: metrics.compute, quarantine }),
    rehearsalSilenceMs: settings.bundle.trialSilenceMs || undefined,
    openOnlineStores: createOnlineStoresOpener(settings, { ...observed, openReads }),
    vectorEngine: settings.vectorEngine.enabled ? toVectorEngineOptions(settings) : undefined,
    liveHistories,
    liveMetrics: metrics.events,
    drift: { ...settings.drift, onWindow: (drifts) => metrics.drift.showDrift(drifts) },
    cache,
    forgotten,
  };
}

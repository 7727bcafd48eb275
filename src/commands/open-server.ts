import { join } from 'node:path';
import { toVectorEngineOptions } from '../candidates/vector-engine.js';
import { readScenarios } from '../config/scenario-config.js';
import type { Settings } from '../config/settings.js';
import type { OpenedThings } from '../domain/opened-things.js';
import type { ServerParts } from '../http/app-parts.js';
import { createMetrics } from '../observability/metrics/metrics.js';
import { openDependencyAccess } from '../observability/dependency-observer.js';
import { openListeners } from '../serving/after-answer/open-listeners.js';
import type { BundleDescription } from '../serving/bundle-admin.js';
import { openSlateCache } from '../serving/cache/open-slate-cache.js';
import { openQuarantine, type Quarantine, type QuarantineChange } from '../serving/compute/quarantine.js';
import { createThreadOptions } from '../serving/compute/thread-options.js';
import { openRecommender } from '../serving/experiments/open-recommender.js';
import { createFeatureObserver } from '../serving/online/create-feature-observer.js';
import { createOnlineStoresOpener } from '../serving/online/online-stores-opener.js';
import type { CommandContext } from './command-context.js';
import { openChannelWatch } from './open-channel-watch.js';
import { openListenerParts } from './open-listener-parts.js';
import { openRegistry } from './open-registry.js';
import { openServerLog } from './open-server-log.js';
import { openTracing } from './open-tracing.js';
import { PLACE_VARIABLE } from './supervise.js';

/** What a server is made of, open and ready to listen. */
export interface OpenServer {
  readonly parts: ServerParts;
  /** The bundle in service. */
  readonly bundle: BundleDescription;
  readonly quarantine: Quarantine | undefined;
}

/**
 * Opens everything that a server serves with, from its log to its bundle.
 * @param options.opened takes care of each thing from the moment that it is open; the caller closes them when something fails
 * @param options.onHeld is told of requests that other processes should not meet
 * @throws ShortlistError INVALID_CONFIG, INVALID_BUNDLE, BUNDLE_NOT_FOUND, REGISTRY_FAILED
 */
export async function openServer(
  settings: Settings,
  context: CommandContext,
  { opened, onHeld }: { opened: OpenedThings; onHeld?: (change: QuarantineChange) => void },
): Promise<OpenServer> {
  const place = context.env[PLACE_VARIABLE];
  const metrics = createMetrics({
    processMetrics: true,
    ...(place !== undefined && { labels: { process: place } }),
  });
  const logger = openServerLog(settings, { metrics: metrics.telemetry, process: place });
  const observed = { logger, metrics };
  const online = { logger, metrics: metrics.features };
  const dependencies = openDependencyAccess(settings.sources, { logger, metrics: metrics.dependencies });
  const registry = await openRegistry(settings.bundle, context, dependencies);
  const release = context.codeVersion;
  const cache = await openSlateCache(settings, { logger, metrics: metrics.cache, release });
  opened.add(cache, () => cache?.close());
  const quarantine = openQuarantine(settings, metrics.compute, onHeld);
  const { memoryLimitMegabytes, minLoadMegabytesPerSecond } = settings.features;
  const clock = (): number => context.now().getTime() / 1000;
  const { recommender, admin, shadow } = openRecommender(
    {
      registry,
      channel: settings.bundle.channel,
      dataset: () => settings.bundle.dataset,
      scenarios: readScenarios(join(context.configsDir, 'scenarios')),
      memoryLimitBytes: memoryLimitMegabytes * 1e6,
      access: dependencies,
      observer: createFeatureObserver({ ...online, clock }, { minLoadMegabytesPerSecond }),
      clock,
      threads: createThreadOptions(settings, { logger, metrics: metrics.compute, quarantine }),
      trialSilenceMs: settings.bundle.trialSilenceMs || undefined,
      openOnlineStores: createOnlineStoresOpener(settings, online),
      vectorEngine: settings.vectorEngine.enabled ? toVectorEngineOptions(settings) : undefined,
      drift: { ...settings.drift, onWindow: (drifts) => metrics.drift.showDrift(drifts) },
      cache,
    },
    { settings, ...observed },
  );
  opened.add(admin, () => admin.close());
  const bundle = await admin.reload();
  logger.info({ bundle }, 'bundle open');
  const afterAnswer = opened.add(openListeners(settings, { ...observed, shadow }), (all) => all.close());
  const tracing = opened.add(
    await openTracing(settings, { logger, metrics: metrics.telemetry, version: release }),
    (traces) => traces?.close(),
  );
  // In a group the supervisor watches, and has one process after the other open a bundle.
  const watch =
    place === undefined
      ? openChannelWatch(settings, {
          registry,
          logger,
          metrics: metrics.bundle,
          descriptions: () => [admin.describe()!],
          reload: () => admin.reload({ ifMoved: true }),
        })
      : undefined;
  opened.add(watch, () => watch?.stop());
  return {
    parts: {
      recommender,
      bundleAdmin: admin,
      afterAnswer,
      settings,
      ...observed,
      tracing,
      watch,
      ...openListenerParts({ settings, bundleAdmin: admin, metrics, dependencies }),
    },
    bundle,
    quarantine,
  };
}

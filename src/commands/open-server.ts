import type { Logger } from 'pino';
import type { BundleRegistry } from '../bundle/bundle-registry.js';
import type { Settings } from '../config/settings.js';
import type { OpenedThings } from '../domain/opened-things.js';
import { openForgottenUsers } from '../events/forgotten/open-forgotten-users.js';
import { readsOptionsOf, shareRedisReads } from '../features/redis-reads.js';
import { openEventStore } from '../events/open-event-store.js';
import type { ServerParts } from '../http/app-parts.js';
import type { OverrideStore } from '../overrides/override-store.js';
import { createMetrics, type Metrics } from '../observability/metrics/metrics.js';
import { openDependencyAccess } from '../observability/dependency-observer.js';
import { openListeners } from '../serving/after-answer/open-listeners.js';
import type { BundleAdmin, BundleDescription } from '../serving/bundle-admin.js';
import type { ChannelWatch } from '../serving/bundle-life/watch-channels.js';
import { openSlateCache } from '../serving/cache/open-slate-cache.js';
import { openQuarantine, type Quarantine, type QuarantineChange } from '../serving/compute/quarantine.js';
import { openRecommender } from '../serving/experiments/open-recommender.js';
import { createBundleOptions } from './create-bundle-options.js';
import type { CommandContext } from './command-context.js';
import { openChannelWatch } from './open-channel-watch.js';
import { openListenerParts } from './open-listener-parts.js';
import { openOverriddenScenarios } from './open-overridden-scenarios.js';
import { openRegistry } from './open-registry.js';
import { openServerLog } from './open-server-log.js';
import { openTracing } from './open-tracing.js';
import { PLACE_VARIABLE } from './supervise.js';

/** The parts of a server, open and ready to listen. */
export interface OpenServer {
  readonly parts: ServerParts;
  /** The bundle in service. */
  readonly bundle: BundleDescription;
  readonly quarantine: Quarantine | undefined;
  readonly overrides: OverrideStore;
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
  const dependencies = openDependencyAccess(settings.sources, { logger, metrics: metrics.dependencies });
  const registry = await openRegistry(settings.bundle, context, dependencies);
  const cache = await openSlateCache(settings, {
    logger,
    metrics: metrics.cache,
    release: context.codeVersion,
  });
  opened.add(cache, () => cache?.close());
  const quarantine = openQuarantine(settings, metrics.compute, onHeld);
  const clock = (): number => context.now().getTime() / 1000;
  const forgotten = await openForgottenUsers(settings, { logger, metrics: metrics.forgetting, clock });
  opened.add(forgotten, () => forgotten.close());
  // In a group the supervisor refuses what is wrong: a process that is started anew is to go on with what the others have.
  const isAlone = place === undefined;
  const overridden = await openOverriddenScenarios(settings, context, {
    opened,
    ...observed,
    isStrict: isAlone,
  });
  const openReads = shareRedisReads(readsOptionsOf(settings.redis));
  const events = opened.add(
    await openEventStore(settings, { logger, metrics: metrics.events, clock, openReads }),
    (open) => open?.store.close(),
  );
  const options = createBundleOptions(settings, {
    openReads,
    context,
    registry,
    ...overridden,
    dependencies,
    cache,
    forgotten,
    quarantine,
    liveHistories: events?.liveHistories,
    ...observed,
  });
  const { recommender, admin, shadow } = openRecommender(options, { settings, ...observed, openReads });
  opened.add(admin, () => admin.close());
  const bundle = await admin.reload();
  logger.info({ bundle }, 'bundle open');
  const afterAnswer = opened.add(openListeners(settings, { ...options, ...observed, shadow, clock }), (all) =>
    all.close(),
  );
  const tracing = opened.add(
    await openTracing(settings, { logger, metrics: metrics.telemetry, version: context.codeVersion }),
    (traces) => traces?.close(),
  );
  // In a group the supervisor watches, and has one process after the other open a bundle.
  const watch = isAlone ? watchChannels(settings, { registry, ...observed, admin }) : undefined;
  opened.add(watch, () => watch?.stop());
  return {
    parts: {
      recommender,
      bundleAdmin: admin,
      afterAnswer,
      events: events?.store,
      settings,
      ...observed,
      tracing,
      watch,
      ...openListenerParts({ settings, bundleAdmin: admin, metrics, dependencies, forgotten, ...overridden }),
    },
    bundle,
    quarantine,
    overrides: overridden.overrides,
  };
}

function watchChannels(
  settings: Settings,
  parts: { registry: BundleRegistry; logger: Logger; metrics: Metrics; admin: BundleAdmin },
): ChannelWatch | undefined {
  const { registry, logger, metrics, admin } = parts;
  return openChannelWatch(settings, {
    registry,
    logger,
    metrics: metrics.bundle,
    descriptions: () => [admin.describe()!],
    reload: () => admin.reload({ ifMoved: true }),
  });
}

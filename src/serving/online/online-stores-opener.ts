import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import type { FeatureStore } from '../../features/feature-store.js';
import { readsOptionsOf, type RedisReads, shareRedisReads } from '../../features/redis-reads.js';
import { openRedisStores, type RedisStoreObserver } from '../../features/redis-store.js';
import type { GenerationFault } from '../../features/watch-generation.js';
import type { FeatureMetrics } from '../../observability/metrics/feature-metrics.js';
import { traceWork } from '../../observability/traced-work.js';
import type { OnlineStoresOpener } from '../../engine/open-engine.js';

/** What an opener of online stores tells, and reads by. */
export interface OnlineStoresParts {
  readonly logger: Logger;
  readonly metrics: FeatureMetrics;
  /** Gives the reads that the stores share with whatever else a request asks Redis for; with each other alone when not said. */
  readonly openReads?: (() => Promise<RedisReads>) | undefined;
}

/** What `features` and `redis` of the settings ask for; undefined where the bundle serves every view. */
export function createOnlineStoresOpener(
  { features, redis }: Pick<Settings, 'features' | 'redis'>,
  { logger, metrics, openReads = shareRedisReads(readsOptionsOf(redis)) }: OnlineStoresParts,
): OnlineStoresOpener | undefined {
  if (!features.online) return undefined;
  const showGeneration = createGenerationObserver({ logger, metrics });
  return async (views, { dataset }) => {
    const online = views.filter((view) => view.online === 'redis');
    if (online.length === 0) return [];
    const stores = await openRedisStores(online, {
      reads: await openReads(),
      dataset,
      observer: {
        ...createObserver(
          online.map(({ name }) => name),
          { logger, metrics },
        ),
        generationChanged: showGeneration,
      },
    });
    return stores.map(traceReads);
  };
}

/** One line per change, whichever bundle's stores saw it. */
function createGenerationObserver({
  logger,
  metrics,
}: {
  logger: Logger;
  metrics: FeatureMetrics;
}): RedisStoreObserver['generationChanged'] {
  const faults = new Map<string, GenerationFault>();
  return (view, fault) => {
    metrics.showFeatureGeneration(view, fault === undefined);
    if (faults.get(view) === fault) return;
    if (fault === undefined) {
      faults.delete(view);
      logger.info({ view }, 'Redis has the rows of the view: users have their values');
    } else {
      faults.set(view, fault);
      logger.warn(
        { view, fault },
        'Redis does not have the rows of the view: users without one have the declared defaults until `shortlist materialise` has run',
      );
    }
  };
}

function traceReads(store: FeatureStore): FeatureStore {
  const { view } = store;
  const getMany: FeatureStore['getMany'] = (ids, rows, options) =>
    traceWork(`redis ${view.name}`, async () => store.getMany(ids, rows, options));
  return { view, getMany, close: () => store.close() };
}

function createObserver(
  views: readonly string[],
  { logger, metrics }: { logger: Logger; metrics: FeatureMetrics },
): Omit<RedisStoreObserver, 'generationChanged'> {
  const showAvailability = (available: boolean): void => {
    for (const view of views) metrics.showFeatureStore(view, available);
  };
  showAvailability(true);
  return {
    rowRefused: (view, reason) => metrics.countRefusedRow(view, reason),
    newestEvent: (view, eventTime) => metrics.showNewestEvent(view, eventTime),
    availabilityChanged: (available) => {
      showAvailability(available);
      if (available) logger.info({ views }, 'Redis answers again: users have their values');
      else logger.warn({ views }, 'Redis fails: users have the declared defaults until it answers');
    },
  };
}

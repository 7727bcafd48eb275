import type { Logger } from 'pino';
import type { Settings } from '../../config/settings.js';
import { breakerOptionsOf } from '../../features/circuit-breaker.js';
import type { CacheMetrics } from '../../observability/metrics/cache-metrics.js';
import { openRedisSlates } from './redis-slates.js';
import { createSlateCache, type SharedSlates, type SlateCache } from './slate-cache.js';

interface CacheParts {
  readonly logger: Logger;
  readonly metrics: CacheMetrics;
  /** Version of the program. */
  readonly release: string;
}

/** The cache that `cache` of the settings asks for; undefined where no answer is to be kept. Redis may be away. */
export async function openSlateCache(
  settings: Pick<Settings, 'cache' | 'redis'>,
  parts: CacheParts,
): Promise<SlateCache | undefined> {
  const { enabled, ttlSeconds, jitterShare, maxMegabytes, redis } = settings.cache;
  if (!enabled) return undefined;
  const { metrics } = parts;
  const ttlMs = ttlSeconds * 1000;
  const longestLifeMs = Math.ceil(ttlMs * (1 + jitterShare));
  return createSlateCache({
    maxBytes: maxMegabytes * 1e6,
    ttlMs,
    jitterShare,
    shared: redis ? await openShared(settings.redis, { ...parts, longestLifeMs }) : undefined,
    observer: {
      lookedUp: (layer, outcome) => metrics.countSlateLookup(layer, outcome),
      joined: () => metrics.countSlateJoin(),
      notKept: (reason) => metrics.countSlateNotKept(reason),
      sized: (size) => metrics.showSlateCache(size),
    },
  });
}

function openShared(
  redis: Settings['redis'],
  { logger, metrics, release, longestLifeMs }: CacheParts & { longestLifeMs: number },
): Promise<SharedSlates> {
  metrics.showSlateStore(true);
  return openRedisSlates({
    redis,
    release,
    longestLifeMs,
    breaker: breakerOptionsOf(redis),
    observer: {
      slateRefused: (reason) => metrics.countRefusedSlate(reason),
      slateFailed: () => metrics.countFailedSlate(),
      availabilityChanged: (available) => {
        metrics.showSlateStore(available);
        if (available) logger.info('Redis answers again: slates are shared');
        else logger.warn('Redis fails: each process keeps its own slates until it answers');
      },
    },
  });
}

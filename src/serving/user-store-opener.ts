import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import type { FeatureStore } from '../features/feature-store.js';
import type { FeatureView } from '../features/feature-view.js';
import type { Freshness } from '../features/freshness.js';
import { openRedisStore, type RedisStoreObserver } from '../features/redis-store.js';
import type { Metrics } from '../observability/metrics.js';

/** Opens what serves a user view of a bundle; undefined where the bundle itself serves it. */
export type UserStoreOpener = (view: FeatureView) => Promise<FeatureStore | undefined>;

/**
 * What `features` and `redis` of the settings ask for; undefined where the bundle itself serves. The opener throws
 * ShortlistError INVALID_CONFIG when the settings name a field that the view does not have.
 */
export function createUserStoreOpener(
  { features, redis }: Pick<Settings, 'features' | 'redis'>,
  { logger, metrics }: { logger: Logger; metrics: Metrics },
): UserStoreOpener | undefined {
  if (features.users === 'bundle') return undefined;
  return async (view) => {
    if (view.name !== 'users') return undefined;
    refuseUnknownFields(features.usersFieldTimeToLiveSeconds, view);
    return openRedisStore(view, {
      redis,
      breaker: {
        calls: redis.breakerCalls,
        failureShare: redis.breakerFailureShare,
        probeAfterMs: redis.breakerProbeAfterMs,
      },
      freshness: freshnessOf(features),
      observer: createObserver(logger, metrics),
    });
  };
}

function freshnessOf(features: Settings['features']): Freshness {
  const orNever = (seconds: number): number => (seconds === 0 ? Number.POSITIVE_INFINITY : seconds);
  const fields = Object.entries(features.usersFieldTimeToLiveSeconds);
  return {
    timeToLiveSeconds: orNever(features.usersTimeToLiveSeconds),
    fieldTimeToLiveSeconds: new Map(fields.map(([name, seconds]) => [name, orNever(seconds)])),
    whenStale: features.usersWhenStale,
  };
}

function refuseUnknownFields(timesToLive: Readonly<Record<string, number>>, view: FeatureView): void {
  const known = view.fields.map(({ name }) => name);
  const unknown = Object.keys(timesToLive).filter((name) => !known.includes(name));
  if (unknown.length === 0) return;
  throw new ShortlistError('INVALID_CONFIG', 'The time to live of some fields cannot be used:', {
    problems: unknown.map(
      (name) =>
        `features.usersFieldTimeToLiveSeconds: the users view has no field ${name}; it has ${known.join(', ')}`,
    ),
  });
}

function createObserver(logger: Logger, metrics: Metrics): RedisStoreObserver {
  metrics.showFeatureStore(true);
  return {
    rowRefused: (reason) => metrics.countRefusedRow(reason),
    availabilityChanged: (available) => {
      metrics.showFeatureStore(available);
      if (available) logger.info('Redis answers again: users have their values');
      else logger.warn('Redis fails: users have the declared defaults until it answers');
    },
  };
}

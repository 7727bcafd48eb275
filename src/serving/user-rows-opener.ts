import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import { VALUE_STATUS } from '../features/feature-store.js';
import type { FeatureView } from '../features/feature-view.js';
import type { Freshness } from '../features/freshness.js';
import { openRedisStore, type RedisStoreObserver } from '../features/redis-store.js';
import { createUserRows, type UserRows } from '../features/user-rows.js';
import type { Metrics } from '../observability/metrics.js';

/** Opens what serves the values of a bundle's users view. */
export type UserRowsOpener = (view: FeatureView) => Promise<UserRows>;

/**
 * What `features` and `redis` of the settings ask for; undefined where the bundle itself serves. The opener throws
 * ShortlistError INVALID_CONFIG when the settings name a field that the view does not have.
 */
export function createUserRowsOpener(
  { features, redis }: Pick<Settings, 'features' | 'redis'>,
  { logger, metrics, now }: { logger: Logger; metrics: Metrics; now: () => Date },
): UserRowsOpener | undefined {
  if (features.users === 'bundle') return undefined;
  return async (view) => {
    refuseUnknownFields(features.usersFieldTimeToLiveSeconds, view);
    const store = await openRedisStore(view, {
      redis,
      breaker: {
        calls: redis.breakerCalls,
        failureShare: redis.breakerFailureShare,
        probeAfterMs: redis.breakerProbeAfterMs,
      },
      freshness: freshnessOf(features),
      observer: createObserver(logger, metrics),
    });
    return createUserRows(store, () => now().getTime() / 1000);
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

const STATUS_NAMES = new Map(
  Object.entries(VALUE_STATUS).map(([name, status]) => [status, name.toLowerCase()]),
);

function createObserver(logger: Logger, metrics: Metrics): RedisStoreObserver {
  metrics.showFeatureStore(true);
  return {
    rowRefused: (reason) => metrics.countRefusedRow(reason),
    valuesRead: (status, count) => metrics.countFeatureValues('users', STATUS_NAMES.get(status)!, count),
    availabilityChanged: (available) => {
      metrics.showFeatureStore(available);
      if (available) logger.info('Redis answers again: users have their values');
      else logger.warn('Redis fails: users have the declared defaults until it answers');
    },
  };
}

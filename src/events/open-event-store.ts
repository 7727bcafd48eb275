import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import type { UserEvent } from '../domain/event.js';
import { breakerOptionsOf } from '../features/circuit-breaker.js';
import { readsOptionsOf, type RedisReads, shareRedisReads } from '../features/redis-reads.js';
import type { EventMetrics, EventOutcome } from '../observability/metrics/event-metrics.js';
import type { EventStore, OpenEvents } from './event-store.js';
import type { EventStoreFailure, EventStoreObserver } from './event-store-observer.js';
import { openLocalEvents } from './local/open-local-events.js';
import { openRedisEvents } from './redis/open-redis-events.js';

/** What `openEventStore` tells, and reads by. */
export interface EventStoreParts {
  readonly logger: Logger;
  readonly metrics: EventMetrics;
  /** Unix seconds. */
  readonly clock: () => number;
  /** Gives what requests read from Redis by; of its own when not said. */
  readonly openReads?: (() => Promise<RedisReads>) | undefined;
}

/**
 * The store that `events` of the settings asks for, with its metrics, and the histories that are read of it; undefined where events are not
 * taken. One that cannot keep events now, or give histories, is an error in the log, and another line when it can again: recommendations do
 * not depend on it.
 * @throws ShortlistError INVALID_CONFIG when the folder can never be used: it is on a network file system
 */
export async function openEventStore(
  settings: Pick<Settings, 'events' | 'redis'>,
  parts: EventStoreParts,
): Promise<OpenEvents | undefined> {
  const { enabled, store: kind } = settings.events;
  if (!enabled) return undefined;
  parts.metrics.showEventStoreUp(kind, true);
  const { store, liveHistories } = await (kind === 'local' ? openLocal : openInRedis)(settings, parts);
  return { store: countKeeping(store, parts.metrics), liveHistories };
}

function openLocal(
  { events: { folder, syncMs, history } }: Pick<Settings, 'events'>,
  { logger, metrics, clock }: EventStoreParts,
): Promise<OpenEvents> {
  const tellHistories = createHistoriesTeller(logger, { folder });
  const observer = {
    ...createObserver('local', { logger, metrics, place: { folder } }),
    begun: () => logger.info({ folder }, 'a new file of events is begun'),
  };
  return openLocalEvents({ folder, syncMs, observer, ...history, clock, onHistories: tellHistories });
}

function openInRedis(
  { events, redis }: Pick<Settings, 'events' | 'redis'>,
  { logger, metrics, clock, openReads = shareRedisReads(readsOptionsOf(redis)) }: EventStoreParts,
): Promise<OpenEvents> {
  const { durability, syncMs, syncTimeoutMs, history } = events;
  const place = { keyPrefix: redis.keyPrefix };
  const tellHistories = createHistoriesTeller(logger, place);
  metrics.showEventDurability(true);
  const observer: EventStoreObserver = {
    ...createObserver('redis', { logger, metrics, place }),
    begun: () => undefined,
    durabilityChanged: (loss) => {
      metrics.showEventDurability(loss === undefined);
      if (loss === undefined) logger.info(place, 'Redis has events on its disk again when it says so');
      else logger.warn({ ...place, ...loss }, 'events may be lost in a crash of Redis');
    },
    historiesChanged: (failure) => {
      if (failure === undefined) logger.info(place, 'events get into histories again');
      else logger.error({ ...place, ...failure }, 'events are kept, and do not get into histories');
    },
  };
  return openRedisEvents({
    redis,
    breaker: breakerOptionsOf(redis),
    durability,
    syncMs,
    syncTimeoutMs,
    knownDays: daysOfIds(events),
    history,
    observer,
    openReads,
    clock,
    onReads: (available) =>
      tellHistories(
        available ? undefined : { reason: 'Redis fails and is not asked', advice: 'It goes on by itself.' },
      ),
  });
}

/** An id is known for as long as its event counts in histories, and for as long as the same event would not be refused for its age. */
export function daysOfIds({ maxAgeDays, history }: Settings['events']): number {
  return Math.max(history.days, maxAgeDays + 1);
}

function createHistoriesTeller(
  logger: Logger,
  place: object,
): (failure: EventStoreFailure | undefined) => void {
  return (failure) => {
    if (failure === undefined) logger.info(place, 'what users did lately is read again');
    else logger.error({ ...place, ...failure }, 'what users did lately cannot be read');
  };
}

function createObserver(
  store: Settings['events']['store'],
  { logger, metrics, place }: Pick<EventStoreParts, 'logger' | 'metrics'> & { place: object },
): Omit<EventStoreObserver, 'begun'> {
  return {
    committed: (commit) => metrics.observeCommit(commit),
    measured: (figures) => figures && metrics.showEventStore(figures),
    changed: (failure) => {
      metrics.showEventStoreUp(store, failure === undefined);
      if (failure === undefined) logger.info(place, 'events are kept again');
      else logger.error({ ...place, ...failure }, 'events cannot be kept');
    },
  };
}

/** Counts what becomes of events. What is refused never gets here. */
function countKeeping(store: EventStore, metrics: EventMetrics): EventStore {
  return {
    close: () => store.close(),
    keep: async (events) => {
      try {
        const keeping = await store.keep(events);
        countTypes(events, metrics, (index) => keeping[index]!);
        return keeping;
      } catch (error) {
        if (error instanceof ShortlistError && error.code === 'EVENTS_UNAVAILABLE')
          countTypes(events, metrics, () => 'unavailable');
        throw error;
      }
    },
  };
}

/** Once for each type and outcome of a request: its events are mostly of one. */
function countTypes(
  events: readonly UserEvent[],
  metrics: EventMetrics,
  outcomeOf: (index: number) => EventOutcome,
): void {
  const counts: Record<EventOutcome, Map<string, number>> = {
    accepted: new Map(),
    duplicate: new Map(),
    refused: new Map(),
    unavailable: new Map(),
  };
  for (const [index, { type }] of events.entries()) {
    const types = counts[outcomeOf(index)];
    types.set(type, (types.get(type) ?? 0) + 1);
  }
  for (const [outcome, types] of Object.entries(counts))
    for (const [type, count] of types) metrics.countEvents(type, outcome as EventOutcome, count);
}

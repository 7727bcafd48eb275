import type { Logger } from 'pino';
import type { Settings } from '../config/settings.js';
import { ShortlistError } from '../domain/errors.js';
import type { UserEvent } from '../domain/event.js';
import type { EventMetrics, EventOutcome } from '../observability/metrics/event-metrics.js';
import type { EventStore, OpenEvents } from './event-store.js';
import type { EventStoreObserver } from './event-store-observer.js';
import { openLocalEvents } from './local/open-local-events.js';

/**
 * The store that `events` of the settings asks for, with its metrics, and the histories that are read of it; undefined where events are not
 * taken. One that cannot keep events now, or give histories, is an error in the log, and another line when it can again: recommendations do
 * not depend on it.
 * @param parts.clock Unix seconds
 * @throws ShortlistError INVALID_CONFIG when the folder can never be used: it is on a network file system
 */
export async function openEventStore(
  { events: settings }: Pick<Settings, 'events'>,
  { logger, metrics, clock }: { logger: Logger; metrics: EventMetrics; clock: () => number },
): Promise<OpenEvents | undefined> {
  if (!settings.enabled) return undefined;
  const { folder, syncMs, history } = settings;
  metrics.showEventStoreUp(true);
  const observer: EventStoreObserver = {
    committed: (commit) => metrics.observeCommit(commit),
    measured: (figures) => figures && metrics.showEventStore(figures),
    begun: () => logger.info({ folder }, 'a new file of events is begun'),
    changed: (failure) => {
      metrics.showEventStoreUp(failure === undefined);
      if (failure === undefined) logger.info({ folder }, 'events are kept again');
      else logger.error({ folder, ...failure }, 'events cannot be kept');
    },
  };
  const { store, liveHistories } = await openLocalEvents({
    folder,
    syncMs,
    observer,
    ...history,
    clock,
    onHistories: (failure) => {
      if (failure === undefined) logger.info({ folder }, 'what users did lately is read again');
      else logger.error({ folder, ...failure }, 'what users did lately cannot be read');
    },
  });
  return { store: countKeeping(store, metrics), liveHistories };
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

import { packError } from '../../domain/packed-error.js';
import { type BreakerOptions, createBreaker } from '../../features/circuit-breaker.js';
import {
  answerWithin,
  isRedisFault,
  openRedis,
  reconnect,
  type RedisClient,
  type RedisConnectionOptions,
  RedisFault,
} from '../../features/redis-connection.js';
import { createCommitQueue, type Insertion } from '../commit-queue.js';
import { type EventStore, eventsUnavailable } from '../event-store.js';
import type { EventStoreObserver } from '../event-store-observer.js';
import { createEventKeys, type EventKeys } from './event-keys.js';
import {
  createLogWriter,
  type LogWriter,
  type PackedRequest,
  packRequest,
  type Written,
} from './log-writer.js';
import { measureStreams } from './measure-streams.js';
import { describeRedisFault, type RedisEventFault } from './redis-event-fault.js';
import { type HistoryLimits, writeHistories } from './write-histories.js';

/** Options of `openRedisEventStore`. */
export interface RedisEventStoreOptions {
  readonly redis: RedisConnectionOptions;
  readonly breaker: BreakerOptions;
  /** Whether events are kept at all where Redis cannot say that they are on its disk. */
  readonly durability: 'required' | 'memory';
  /** How long the first of those that wait waits for others, to be written together. */
  readonly syncMs: number;
  /** How long Redis has to sync its disk. */
  readonly syncTimeoutMs: number;
  /** The id of an event is known for so long, at least. */
  readonly knownDays: number;
  readonly history: HistoryLimits;
  readonly observer: EventStoreObserver;
}

/** All that may wait: a sync of Redis may take a second, and those who wait for it share it. */
const MAX_COMMIT_EVENTS = 50_000;

/** How often the figures of the streams are read, and what Redis is set to. */
const MEASURE_MS = 5000;

/**
 * Keeps events in Redis, which many machines share: a log of streams, and from it the latest events of each user and session. What waits at
 * once is written together, and answered when each server that was written to has it on its disk. Redis may be away when it opens, and
 * whenever else: `keep` says why until it is back, and the observer is told.
 */
export async function openRedisEventStore(options: RedisEventStoreOptions): Promise<EventStore> {
  const { redis, syncMs, syncTimeoutMs, observer } = options;
  // A sync is waited for in silence.
  const patienceMs = syncTimeoutMs + redis.socketTimeoutMs;
  const client = await openRedis({ ...redis, commandTimeoutMs: patienceMs, socketTimeoutMs: patienceMs });
  const keys = createEventKeys(redis.keyPrefix);
  const writer = createLogWriter(client, {
    keys,
    syncTimeoutMs,
    answerMs: redis.socketTimeoutMs,
    knownDays: options.knownDays,
  });
  const keeper = createKeeper(client, { ...options, keys, writer });
  const measure = async (): Promise<void> => {
    writer.forget();
    observer.measured(await measureStreams(client, keys).catch(() => undefined));
  };
  await measure();
  const measuring = setInterval(() => void measure(), MEASURE_MS).unref();
  const queue = createCommitQueue<PackedRequest>({
    syncMs,
    maxCommitEvents: MAX_COMMIT_EVENTS,
    pack: (events) => packRequest(events, keys),
    commit: (requests, events) => keeper.commit(requests, events),
  });
  let isOpen = true;
  return {
    keep: (events) => queue.add(events),
    close: async () => {
      clearInterval(measuring);
      await queue.close();
      if (isOpen) client.disconnect();
      isOpen = false;
    },
  };
}

interface KeeperOptions extends RedisEventStoreOptions {
  readonly keys: EventKeys;
  readonly writer: LogWriter;
}

/** Writes what waits, and tells what is wrong when that changes. */
interface Keeper {
  /** @throws ShortlistError EVENTS_UNAVAILABLE */
  commit(requests: readonly PackedRequest[], events: number): Promise<readonly Insertion[]>;
}

function createKeeper(client: RedisClient, options: KeeperOptions): Keeper {
  const { redis, durability, observer, keys, writer, history } = options;
  const tellFailure = createTeller((failure) => observer.changed(failure));
  const tellLoss = createTeller((loss) => observer.durabilityChanged?.(loss));
  const tellHistories = createTeller((failure) => observer.historiesChanged?.(failure));
  const breaker = createBreaker(options.breaker, {
    probe: () =>
      client.exists(keys.compaction).catch((error: unknown) => {
        reconnect(client);
        throw new RedisFault(error);
      }),
    onChange: () => undefined,
    isFault: isRedisFault,
    isFailure: (written) => (written as readonly Written[]).every(({ fault }) => fault?.kind === 'away'),
    refusal: () => new RedisFault(new Error('it has failed too often and is not asked')),
  });

  async function write(requests: readonly PackedRequest[]): Promise<readonly Written[]> {
    try {
      return await breaker.run(() => writer.write(requests));
    } catch (error) {
      if (!isRedisFault(error)) throw error;
      const fault = describeRedisFault(error);
      tellFailure(fault);
      throw eventsUnavailable(fault.reason);
    }
  }

  /** The log has them: whoever waits is not told where this fails. */
  async function addToHistories(
    requests: readonly PackedRequest[],
    written: readonly Written[],
  ): Promise<void> {
    const logged = requests.flatMap(({ events }, index) => {
      const { kept } = written[index]!;
      return findRefusal(written[index]!)
        ? []
        : events.map((event, place) => ({ event, isKnown: kept[place] === 0 }));
    });
    if (logged.length === 0) return;
    try {
      await answerWithin(redis.socketTimeoutMs, writeHistories(logged, client, { keys, limits: history }));
      tellHistories(undefined);
    } catch (error) {
      if (!isRedisFault(error)) throw error;
      tellHistories(describeRedisFault(error));
    }
  }

  function findRefusal({ fault, loss }: Written): RedisEventFault | undefined {
    return fault ?? (durability === 'required' ? loss : undefined);
  }

  return {
    commit: async (requests, events) => {
      const startedAt = performance.now();
      const written = await write(requests);
      const refusals = written.map(findRefusal);
      tellLoss(written.find(({ loss }) => loss !== undefined)?.loss);
      tellFailure(refusals.find((refusal) => refusal !== undefined));
      await addToHistories(requests, written);
      observer.committed({ events, seconds: (performance.now() - startedAt) / 1000 });
      return written.map(({ kept }, index) => {
        const refusal = refusals[index];
        return refusal === undefined ? kept : packError(eventsUnavailable(refusal.reason));
      });
    },
  };
}

/** Tells of a failure once, and of its end: what it says may have numbers that differ each time. */
function createTeller(
  tell: (failure: RedisEventFault | undefined) => void,
): (failure: RedisEventFault | undefined) => void {
  let told: RedisEventFault['kind'] | undefined;
  return (failure) => {
    if (failure?.kind === told) return;
    told = failure?.kind;
    tell(failure);
  };
}

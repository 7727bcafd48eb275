import type { Settings } from '../config/settings.js';
import { type BreakerOptions, breakerOptionsOf, createBreaker } from './circuit-breaker.js';
import {
  answerWithin,
  isRedisFault,
  openRedis,
  reconnect,
  type RedisClient,
  type RedisConnectionOptions,
  RedisFault,
} from './redis-connection.js';

/**
 * What requests read from Redis. It goes over one connection with one breaker, whoever asks: all that is asked in one turn of the event loop
 * takes one round trip.
 */
export interface RedisReads {
  /** What every key begins with. */
  readonly keyPrefix: string;
  /** To ask with, inside of `ask`. */
  readonly client: RedisClient;
  /**
   * Asks, unless Redis has failed too often of late.
   * @throws RedisFault when it is not asked, or has no answer in time; what `question` throws, which tells the breaker of Redis by a RedisFault
   */
  ask<T>(question: () => Promise<T>): Promise<T>;
  /** Tells when Redis is not asked any more, or again; at once where it is not now. @returns what ends that */
  watch(onChange: (available: boolean) => void): () => void;
  /** Ends this use; the connection ends with the last one. */
  close(): void;
}

/** Options of `shareRedisReads`. */
export interface RedisReadsOptions {
  readonly redis: RedisConnectionOptions;
  readonly breaker: BreakerOptions;
}

/** The connection and the breaker that `redis` of the settings asks for. */
export function readsOptionsOf(settings: Settings['redis']): RedisReadsOptions {
  return { redis: settings, breaker: breakerOptionsOf(settings) };
}

/**
 * Makes what gives the reads of a process to all who open them. They connect when they are first opened. Redis may be away then, and
 * whenever else.
 */
export function shareRedisReads(options: RedisReadsOptions): () => Promise<RedisReads> {
  let shared: Promise<Omit<RedisReads, 'close'>> | undefined;
  let uses = 0;
  return async () => {
    uses++;
    shared ??= openReads(options);
    const reads = await shared;
    let isOpen = true;
    return {
      ...reads,
      close: () => {
        if (!isOpen) return;
        isOpen = false;
        uses--;
        if (uses > 0) return;
        reads.client.disconnect();
        shared = undefined;
      },
    };
  };
}

async function openReads({ redis, breaker }: RedisReadsOptions): Promise<Omit<RedisReads, 'close'>> {
  const client = await openRedis(redis);
  const watchers = new Set<(available: boolean) => void>();
  let isAvailable = true;
  const guard = createBreaker(breaker, {
    probe: () =>
      client.exists(`${redis.keyPrefix}probe`).catch((error: unknown) => {
        reconnect(client);
        throw new RedisFault(error);
      }),
    onChange: (available) => {
      isAvailable = available;
      for (const tell of watchers) tell(available);
    },
    isFault: isRedisFault,
    refusal: () => new RedisFault(new Error('it has failed too often and is not asked')),
  });
  return {
    keyPrefix: redis.keyPrefix,
    client,
    ask: (question) => guard.run(() => answerWithin(redis.commandTimeoutMs, question())),
    watch: (onChange) => {
      // Of one's own: a function that watches twice is told twice.
      const tell = (available: boolean): void => onChange(available);
      watchers.add(tell);
      if (!isAvailable) tell(false);
      return () => void watchers.delete(tell);
    },
  };
}

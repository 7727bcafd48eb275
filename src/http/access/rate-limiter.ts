import rateLimit, { normalizeIP } from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ShortlistError } from '../../domain/errors.js';
import { breakerOptionsOf, createBreaker } from '../../features/circuit-breaker.js';
import { encodePart } from '../../features/redis-keys.js';
import { isRedisFault, reconnect, type RedisClient, RedisFault } from '../../features/redis-connection.js';
import type { AppParts } from '../app-parts.js';
import { MonotonicStore } from './monotonic-store.js';
import type { HttpApp } from '../create-http-app.js';
import { findClientAddress } from './client-address.js';

/** Counts a request; writes the `ratelimit-` headers. @throws ShortlistError RATE_LIMITED when its client had enough */
export type RateLimiter = (request: FastifyRequest, reply: FastifyReply) => Promise<void>;

type Count = ReturnType<HttpApp['createRateLimit']>;

/** Clients that a process remembers; the one that asked least recently is forgotten first. */
const MOST_CLIENTS = 20_000;

/** The plugin makes its store by itself, with options of its own. */
class StoreOfProcess extends MonotonicStore {
  constructor() {
    super({ cache: MOST_CLIENTS });
  }
}

/**
 * Limits what each client may ask per window, as `rateLimit` says; undefined where there is no limit. A limit that cannot be
 * shared, because Redis is away, is kept by each process: no request waits or fails for it.
 */
export function addRateLimiter(app: HttpApp, parts: AppParts): RateLimiter | undefined {
  const { requests, windowSeconds, store } = parts.settings.rateLimit;
  if (requests === 0) return undefined;
  const limits = { global: false, max: requests, timeWindow: windowSeconds * 1000, keyGenerator: nameClient };
  const alone = addCounter(app, async () => ({ ...limits, store: StoreOfProcess }));
  const count = store === 'redis' ? addSharedCounter(app, parts, { limits, alone }) : alone;
  return async (request, reply) => {
    const standing = await count(request);
    if (standing.isAllowed) return;
    const { max, remaining, ttlInSeconds, isExceeded } = standing;
    reply
      .header('ratelimit-limit', max)
      .header('ratelimit-remaining', remaining)
      .header('ratelimit-reset', ttlInSeconds);
    if (!isExceeded) return;
    reply.header('retry-after', ttlInSeconds);
    throw new ShortlistError(
      'RATE_LIMITED',
      `More than ${max} requests in ${windowSeconds} s. Try again in ${ttlInSeconds} s.`,
    );
  };
}

/** Who its requests are counted by: who it says it is, or else where it comes from. */
function nameClient(request: FastifyRequest): string {
  return request.principal?.countedAs ?? `ip:${normalizeIP(findClientAddress(request))}`;
}

type CounterOptions = Parameters<typeof rateLimit>[1];

/** One counter per scope of the app: the plugin gives each scope a store of its own. */
function addCounter(app: HttpApp, readOptions: () => Promise<CounterOptions>): Count {
  let count: Count;
  app.register(async (scope) => {
    await scope.register(rateLimit, await readOptions());
    count = scope.createRateLimit();
  });
  return (request) => count(request);
}

function addSharedCounter(
  app: HttpApp,
  { bundleAdmin, settings: { redis }, logger, metrics, connectRateLimits }: AppParts,
  { limits, alone }: { limits: CounterOptions; alone: Count },
): Count {
  const nameSpace = `${redis.keyPrefix}rate:`;
  // Clients of two shops may have one name.
  const nameInShop = async (request: FastifyRequest): Promise<string> =>
    `${encodePart(bundleAdmin.describe()?.dataset ?? '')}:${await limits.keyGenerator!(request)}`;
  let client: RedisClient;
  const shared = addCounter(app, async () => {
    client = await connectRateLimits();
    app.addHook('onClose', async () => client.disconnect());
    return { ...limits, keyGenerator: nameInShop, redis: client, nameSpace };
  });
  metrics.http.showRateLimitStore(true);
  const breaker = createBreaker(breakerOptionsOf(redis), {
    probe: () =>
      client.get(`${nameSpace}probe`).catch((error: unknown) => {
        reconnect(client);
        throw new RedisFault(error);
      }),
    onChange: (available) => {
      metrics.http.showRateLimitStore(available);
      if (available) logger.info('Redis answers again: rate limits are shared');
      else logger.warn('Redis fails: each process keeps its own rate limits until it answers');
    },
    isFault: isRedisFault,
    refusal: () => new RedisFault(new Error('it has failed too often')),
  });
  return async (request) => {
    try {
      return await breaker.run(() =>
        shared(request).catch((error: unknown) => Promise.reject(new RedisFault(error))),
      );
    } catch {
      return alone(request);
    }
  };
}

import { Redis } from 'ioredis';
import { ShortlistError } from '../domain/errors.js';

/** How to reach Redis, and how long to wait for it. */
export interface RedisConnectionOptions {
  /** `redis://` or `rediss://`, with user, password and database where there are any. */
  readonly url: string;
  readonly connectTimeoutMs: number;
  /** Longest wait for the reply to one command. */
  readonly commandTimeoutMs: number;
  /** A connection that is silent for so long with replies owing is dropped. */
  readonly socketTimeoutMs: number;
}

/**
 * A connection that fails fast and reconnects by itself. With the client's own defaults requests wait for as long as
 * Redis is away, and what they asked meanwhile is sent when it returns: a stopped Redis collected 42,750 commands
 * (91 MB), and got stale writes when it went on. Here nothing is queued and nothing is sent twice.
 * @returns when it is connected, or when the first attempt failed and the later ones have begun
 */
export async function openRedis(options: RedisConnectionOptions): Promise<Redis> {
  const client = createClient(options);
  await client.connect().catch(() => undefined);
  return client;
}

/**
 * The same for work that makes no sense without Redis.
 * @throws ShortlistError FEATURES_FAILED when it cannot be reached
 */
export async function requireRedis(options: RedisConnectionOptions): Promise<Redis> {
  const client = createClient(options);
  let reason: unknown;
  client.once('error', (error) => (reason = error));
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.disconnect();
    throw new ShortlistError(
      'FEATURES_FAILED',
      `Redis at ${new URL(options.url).host} cannot be reached (${((reason ?? error) as Error).message}). ` +
        'Start it, or set REDIS_URL.',
      { cause: error },
    );
  }
}

function createClient(options: RedisConnectionOptions): Redis {
  const client = new Redis(options.url, {
    lazyConnect: true,
    connectTimeout: options.connectTimeoutMs,
    commandTimeout: options.commandTimeoutMs,
    socketTimeout: options.socketTimeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
    retryStrategy: delayRetry,
  });
  // Each failure also rejects the commands it concerns; without a listener it would end the process.
  client.on('error', () => undefined);
  return client;
}

const LONGEST_RETRY_MS = 500;

/** Half to all of a delay that doubles up to half a second, so that many servers do not come back in step. */
function delayRetry(attempt: number): number {
  return Math.min(LONGEST_RETRY_MS, 25 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
}

/** What a command's rejection is to those who asked. */
export function toFeaturesFailed(cause: unknown): ShortlistError {
  return new ShortlistError('FEATURES_FAILED', `Redis cannot be asked: ${(cause as Error).message}`, {
    cause,
  });
}

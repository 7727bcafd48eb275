import { Cluster, Redis, type RedisOptions as AnyRedisOptions } from 'ioredis';
import { describeRedisAddress, parseRedisUrl, type RedisAddress } from '../config/parse-redis-url.js';
import { ShortlistError } from '../domain/errors.js';
import { isPassing } from '../domain/dependency-access.js';

/** The address of Redis, and the limits on waiting for it. */
export interface RedisConnectionOptions {
  /** One server, Sentinels or a cluster, in the forms of `redis.url`. */
  readonly url: string;
  /** What every key that is written over it begins with. */
  readonly keyPrefix: string;
  readonly connectTimeoutMs: number;
  /** Longest wait for the reply to one command. */
  readonly commandTimeoutMs: number;
  /** A connection that is silent for so long with replies owing is dropped. */
  readonly socketTimeoutMs: number;
}

/** A client of one Redis server (or of the master behind Sentinels), or of a cluster. */
export type RedisClient = Redis | Cluster;

type RedisOptions = Omit<AnyRedisOptions, 'replyMapping'>;

/**
 * A connection that fails fast and reconnects by itself. With the client's own defaults requests wait for as long as
 * Redis is away, and what they asked meanwhile is sent when it returns: a stopped Redis collected 42,750 commands
 * (91 MB), and got stale writes when it went on. Here nothing is queued and nothing is sent twice.
 * @returns when it is connected, or when the first attempt failed or took too long and the later ones have begun
 */
export async function openRedis(options: RedisConnectionOptions): Promise<RedisClient> {
  const client = createClient(parseRedisUrl(options.url), options);
  await connectOnce(client, options).catch(() => undefined);
  return client;
}

/**
 * The same for work that makes no sense without Redis.
 * @throws ShortlistError FEATURES_FAILED when it cannot be reached
 */
export async function requireRedis(options: RedisConnectionOptions): Promise<RedisClient> {
  const address = parseRedisUrl(options.url);
  const client = createClient(address, options);
  try {
    await connectOnce(client, options);
    return client;
  } catch (error) {
    client.disconnect();
    throw new ShortlistError(
      'FEATURES_FAILED',
      `${describeRedisAddress(address)} cannot be reached (${(error as Error).message}). Start it, or set REDIS_URL.`,
      { cause: error },
    );
  }
}

/** Every server that takes writes: the one, or each master of a cluster. */
export function mastersOf(client: RedisClient): Redis[] {
  return client instanceof Cluster ? client.nodes('master') : [client];
}

/**
 * Makes what finds the connection to the server that has a key. What is sent over that is sent once: a cluster that has moved the key says so.
 * @throws of what it makes: RedisFault where that cannot be told now
 */
export function createNodeFinder(client: RedisClient): (key: string) => Promise<Redis> {
  if (!(client instanceof Cluster)) return () => Promise.resolve(client);
  const slots = new Map<string, number>();
  return async (key) => {
    try {
      const slot = slots.get(key) ?? (await client.cluster('KEYSLOT', key));
      slots.set(key, slot);
      const name = client.slots[slot]?.[0];
      const node = mastersOf(client).find(({ options }) => `${options.host}:${options.port}` === name);
      if (node !== undefined) return node;
    } catch (error) {
      throw new RedisFault(error);
    }
    throw new RedisFault(new Error('no node of the cluster is known to have the key'));
  };
}

function createClient(address: RedisAddress, options: RedisConnectionOptions): RedisClient {
  const client =
    address.kind === 'cluster' ? createCluster(address, options) : new Redis(optionsOf(address, options));
  // Each failure also rejects the commands it concerns; without a listener it would end the process.
  client.on('error', () => undefined);
  return client;
}

function createCluster(address: RedisAddress, options: RedisConnectionOptions): Cluster {
  const client = new Cluster([...address.hosts], {
    lazyConnect: true,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    // Waiting for a failover is the breaker's part, not that of a request.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: 0,
    maxRedirections: 2,
    slotsRefreshTimeout: options.connectTimeoutMs,
    clusterRetryStrategy: delayRetry,
    redisOptions: failFast(address, options),
    // A certificate is for a name: nodes are asked for by the name that the cluster announces.
    ...(address.tls ? { dnsLookup: (name, callback) => callback(null, name) } : {}),
  });
  // With its own interval, a client that is closed while it asks goes on for good and keeps the process alive.
  const refresh = setInterval(() => client.refreshSlotsCache(), SLOTS_REFRESH_MS).unref();
  client.once('end', () => clearInterval(refresh));
  return client;
}

const SLOTS_REFRESH_MS = 1000;

function optionsOf(address: RedisAddress, options: RedisConnectionOptions): RedisOptions {
  const common: RedisOptions = {
    ...failFast(address, options),
    db: address.database,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: delayRetry,
  };
  if (address.kind === 'single') return { ...common, ...address.hosts[0]! };
  return {
    ...common,
    sentinels: [...address.hosts],
    name: address.masterName!,
    ...(address.sentinelPassword === undefined ? {} : { sentinelPassword: address.sentinelPassword }),
    ...(address.tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
    sentinelCommandTimeout: options.connectTimeoutMs,
    sentinelRetryStrategy: delayRetry,
    // With its detector, ioredis 6.0.0 ends for good when it hears of a failover while it connects. Sentinels close the
    // connections of a master that they replace, and one that hangs is dropped for its silence.
    failoverDetector: false,
  };
}

function failFast({ tls, username, password }: RedisAddress, options: RedisConnectionOptions): RedisOptions {
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
    connectTimeout: options.connectTimeoutMs,
    commandTimeout: options.commandTimeoutMs,
    socketTimeout: options.socketTimeoutMs,
    enableAutoPipelining: true,
    // A server that hangs does not answer the end of a connection either.
    disconnectTimeout: options.commandTimeoutMs,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    maxLoadingRetryTime: LONGEST_RETRY_MS,
  };
}

const LONGEST_RETRY_MS = 500;

/** Half to all of a delay that doubles up to half a second, so that many servers do not come back in step. */
function delayRetry(attempt: number): number {
  return Math.min(LONGEST_RETRY_MS, 25 * 2 ** Math.min(attempt, 10)) * (0.5 + Math.random() / 2);
}

/**
 * The client itself tries for ever, behind Sentinels or while Redis loads its file, and a cluster that is not whole yet
 * leaves the promise of its `connect` open: this tells of the first failure, or of readiness within the time.
 */
function connectOnce(client: RedisClient, { connectTimeoutMs }: RedisConnectionOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (error?: Error): void => {
      clearTimeout(timer);
      client.off('error', end).off('ready', ready);
      if (error === undefined) resolve();
      else reject(error);
    };
    const ready = (): void => void connectNodes(client).then(() => end());
    const timer = setTimeout(
      () => end(new Error(`it was not ready within ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    client.once('error', end).once('ready', ready);
    client.connect().catch(end);
  });
}

/** A cluster connects to its nodes when they are first asked, and refuses what else it is asked until that is done. */
async function connectNodes(client: RedisClient): Promise<void> {
  if (client instanceof Cluster) await Promise.allSettled(mastersOf(client).map((node) => node.ping()));
}

/**
 * Gives a connection up for a new one. A reply that announces more bytes than ever come swallows all later replies, and
 * these keep the silence from being noticed.
 */
export function reconnect(client: RedisClient): void {
  // A server that hangs does not answer the end of it, and until then the client takes it for ready.
  if (client.status !== 'ready' || ending.has(client)) return;
  ending.add(client);
  client.once('close', () => ending.delete(client));
  client.disconnect(true);
}

const ending = new WeakSet<RedisClient>();

/** What a Redis that answers says when another attempt may be answered otherwise: it loads its file, or a failover is under way. */
const PASSING_REPLY = /^(LOADING|BUSY|CLUSTERDOWN|MASTERDOWN|READONLY|TRYAGAIN)\b/;

/** True for a failure that may be over in a moment: Redis is away or not ready. */
export function isPassingRedisFault(error: unknown): boolean {
  if (!(error instanceof ShortlistError) || error.code !== 'FEATURES_FAILED') return false;
  const { name, message, code } = error.cause as NodeJS.ErrnoException;
  if (name === 'ReplyError') return PASSING_REPLY.test(message);
  return code === undefined || isPassing(error.cause);
}

/** Redis did not answer a command, or refused it. It has no code: what it means is for whoever asked to say. */
export class RedisFault extends Error {
  /** @param cause what the client rejected the command with */
  constructor(cause: unknown) {
    super(describeFault(cause), { cause });
    this.name = 'RedisFault';
  }
}

function describeFault(cause: unknown): string {
  return `Redis cannot be asked: ${(cause as Error).message}`;
}

/** True for a Redis that did not answer. Anything else is a mistake of ours. */
export function isRedisFault(error: unknown): error is RedisFault {
  return error instanceof RedisFault;
}

/** The FEATURES_FAILED error for a command that Redis rejected. */
export function toFeaturesFailed(error: unknown): ShortlistError {
  const cause = isRedisFault(error) ? error.cause : error;
  return new ShortlistError('FEATURES_FAILED', describeFault(cause), { cause });
}

/**
 * The client's own limit is for one command, and a command may have to wait for the reply to another.
 * @throws RedisFault when there is no answer within the limit; what `answer` rejects with
 */
export async function answerWithin<T>(limitMs: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new RedisFault(new Error(`no answer within ${limitMs} ms`))), limitMs);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

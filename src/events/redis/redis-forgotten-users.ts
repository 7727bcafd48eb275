import { setTimeout as wait } from 'node:timers/promises';
import { digestOfUser } from '../../domain/forgetting.js';
import {
  answerWithin,
  createNodeFinder,
  isRedisFault,
  openRedis,
  type RedisClient,
  type RedisConnectionOptions,
  RedisFault,
} from '../../features/redis-connection.js';
import {
  forgettingFailed,
  type ForgottenUserObserver,
  type ForgottenUserStore,
} from '../forgotten/forgotten-user-store.js';
import { createSyncGuards, type Reply } from './durability.js';
import { createEventKeys } from './event-keys.js';
import { closeCommand } from './keep-script.js';
import { describeRedisFault } from './redis-event-fault.js';
import { BLOCK_MS, createStreamList, DIGEST_FIELD, type StreamList } from './stream-list.js';

/** Options of `openRedisForgottenUsers`. */
export interface RedisForgottenUsersOptions {
  readonly redis: RedisConnectionOptions;
  /** Whether a user counts as taken in where Redis cannot say that the entry is on its disk. */
  readonly durability: 'required' | 'memory';
  /** How long Redis has to sync its disk. */
  readonly syncTimeoutMs: number;
  readonly observer: ForgottenUserObserver;
}

/** Between two attempts while Redis is away. */
const RETRY_MS = 250;

/**
 * Keeps the list as a stream of Redis, `<prefix>forgotten`, whose ids are the times: machines share it, and one clock. Each process has all of it in
 * memory, and waits at Redis for the next entry, so that it knows one within a moment. While Redis is away it goes on with what it knows, and
 * the observer is told.
 */
export async function openRedisForgottenUsers(
  options: RedisForgottenUsersOptions,
): Promise<ForgottenUserStore> {
  const { redis, syncTimeoutMs, observer } = options;
  const patienceMs = redis.socketTimeoutMs + Math.max(syncTimeoutMs, BLOCK_MS);
  // Each waits in silence: one for entries, the other one for a disk.
  const patient = { ...redis, commandTimeoutMs: patienceMs, socketTimeoutMs: patienceMs };
  const [reader, writer] = await Promise.all([openRedis(patient), openRedis(patient)]);
  const key = `${redis.keyPrefix}forgotten`;
  const list = createStreamList(key);
  const write = createWriting(writer, key, options);
  const tell = createTeller(list, observer);
  const follower = followStream(reader, list, tell);
  await follower.begun(redis.socketTimeoutMs);
  return {
    find: (userId) => list.entries().find(userId),
    size: () => list.entries().size(),
    entries: () => list.entries().entries(),
    latest: () => list.entries().latest(),
    add: async (userId) => {
      const problem = list.problem();
      if (problem !== undefined) throw forgettingFailed(problem);
      try {
        await write(digestOfUser(userId));
        await list.read(writer);
      } catch (error) {
        if (!isRedisFault(error)) throw error;
        throw forgettingFailed(describe(error), { cause: error });
      }
      tell();
      return list.entries().find(userId)!;
    },
    close: () => {
      follower.end();
      reader.disconnect();
      writer.disconnect();
    },
  };
}

/** @returns writes an entry, which is on the disk of Redis when the promise resolves. It throws RedisFault; ShortlistError FORGETTING_FAILED */
function createWriting(
  client: RedisClient,
  key: string,
  { redis, durability, syncTimeoutMs }: RedisForgottenUsersOptions,
): (digest: string) => Promise<void> {
  const closing = createEventKeys(redis.keyPrefix).closing(key);
  const guards = createSyncGuards({ syncTimeoutMs });
  const findNode = createNodeFinder(client);
  return async (digest) => {
    const node = await findNode(key);
    const guard = await guards.find(node);
    // Over one connection: what is waited for is what it wrote.
    const replies = await node
      .pipeline([closeCommand(closing), ['xadd', key, '*', DIGEST_FIELD, digest], ...guard.commands])
      .exec()
      .catch((error: unknown) => {
        throw new RedisFault(error);
      });
    const [closed, written, ...synced] = replies as readonly Reply[];
    const failure = closed![0] ?? written![0];
    if (failure !== null) throw new RedisFault(failure);
    const loss = guard.judge(synced);
    if (loss === undefined || durability === 'memory') return;
    throw forgettingFailed(`${loss.reason}. ${loss.advice} The entry is there all the same, and may be lost`);
  };
}

/** Tells what the list has, and its problem or that of Redis, once for each change. */
function createTeller(list: StreamList, observer: ForgottenUserObserver): (failure?: string) => void {
  let told: { size?: number; problem?: string | undefined } = {};
  return (problem = list.problem()) => {
    const size = list.entries().size();
    if (told.size !== size) observer.sized(size);
    if (told.problem !== problem) observer.changed(problem);
    told = { size, problem };
  };
}

interface Follower {
  /** Ends when the list was read once, or that failed or took too long. */
  begun(limitMs: number): Promise<void>;
  end(): void;
}

function followStream(client: RedisClient, list: StreamList, tell: (failure?: string) => void): Follower {
  const ending = new AbortController();
  const { signal } = ending;

  async function follow(): Promise<void> {
    while (!signal.aborted) {
      try {
        await list.wait(client);
        tell();
      } catch (error) {
        if (signal.aborted) return;
        if (!isRedisFault(error)) throw error;
        tell(describe(error));
        await wait(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
  }

  return {
    begun: async (limitMs) => {
      try {
        await answerWithin(limitMs, list.read(client));
        tell();
      } catch (error) {
        if (!isRedisFault(error)) throw error;
        tell(describe(error));
      }
      void follow();
    },
    end: () => ending.abort(),
  };
}

function describe(error: unknown): string {
  const { reason, advice } = describeRedisFault(error);
  return `${reason}. ${advice}`;
}

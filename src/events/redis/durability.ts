import type { Redis } from 'ioredis';
import { mastersOf, type RedisClient, RedisFault } from '../../features/redis-connection.js';
import type { RedisCommand } from './keep-script.js';
import { createRedisFault, type RedisEventFault } from './redis-event-fault.js';

/** Says whether what a server was told is on its disk. */
export interface SyncGuard {
  /** Commands to be sent right after the writes, over their connection, and what their replies mean. */
  readonly commands: readonly RedisCommand[];
  /** What is wrong, of their replies; undefined where the writes are on the disk of the server and stay there. */
  judge(replies: readonly Reply[]): RedisEventFault | undefined;
}

/** A reply, as the client gives it in a pipeline. */
export type Reply = readonly [error: Error | null, reply: unknown];

/** Knows the guard of each server by its connection. */
export interface SyncGuards {
  /** @throws RedisFault when the server does not answer */
  find(node: Redis): Promise<SyncGuard>;
  /** Asks each server again when it is next needed: its settings may have changed. */
  forget(): void;
}

/** Guards of connections: each asks its server once what it can do, and again after it was lost. @param options.syncTimeoutMs that a server has to sync */
export function createSyncGuards({ syncTimeoutMs }: { syncTimeoutMs: number }): SyncGuards {
  let known = new WeakMap<Redis, Promise<SyncGuard>>();
  const watched = new WeakSet<Redis>();

  function watch(node: Redis): void {
    if (watched.has(node)) return;
    watched.add(node);
    node.on('close', () => known.delete(node));
  }

  return {
    find: (node) => {
      const before = known.get(node);
      if (before !== undefined) return before;
      watch(node);
      const found = askGuard(node, syncTimeoutMs);
      known.set(node, found);
      found.catch(() => known.delete(node));
      return found;
    },
    forget: () => {
      known = new WeakMap();
    },
  };
}

/** Asks every server that takes writes whether what the client wrote is on its disk. @returns what is wrong with the first one that has it not */
export async function findLoss(
  client: RedisClient,
  guards: SyncGuards,
): Promise<RedisEventFault | undefined> {
  const losses = await Promise.all(
    mastersOf(client).map(async (node) => {
      const guard = await guards.find(node);
      return guard.judge((await node.pipeline([...guard.commands]).exec()) as Reply[]);
    }),
  );
  return losses.find((loss) => loss !== undefined);
}

async function askGuard(node: Redis, syncTimeoutMs: number): Promise<SyncGuard> {
  const replies = (await node
    .pipeline([
      ['call', 'WAITAOF', 0, 0, 1],
      ['info', 'memory'],
      ['info', 'persistence'],
    ])
    .exec()) as Reply[];
  const lost = replies.find(([error]) => error !== null && error.name !== 'ReplyError');
  if (lost !== undefined) throw new RedisFault(lost[0]);
  const [waiting, memory, persistence] = replies;
  const eviction = findEviction(String(memory![1]));
  const guard = waiting![0] === null ? waitForSync(syncTimeoutMs) : trustPolicy(String(persistence![1]));
  return { ...guard, judge: (answers) => eviction ?? guard.judge(answers) };
}

/** A server of 7.2 or newer tells when it has synced what its connection wrote. */
function waitForSync(syncTimeoutMs: number): SyncGuard {
  return {
    commands: [['call', 'WAITAOF', 1, 0, syncTimeoutMs]],
    judge: ([waited]) => {
      const [error, reply] = waited!;
      if (error === null && (reply as readonly [disks: number, replicas: number])[0] >= 1) return undefined;
      if (error === null)
        return createRedisFault('unsynced', `Redis has not synced its disk within ${syncTimeoutMs} ms`);
      if (error.name !== 'ReplyError') throw new RedisFault(error);
      return createRedisFault('unsynced', `Redis keeps no file of its writes (${error.message})`);
    },
  };
}

/** An older one has synced them before it answers, where its settings say so; they are asked each time, since anybody may change them. */
function trustPolicy(persistence: string): SyncGuard {
  const names = ['appendonly', 'appendfsync', 'no-appendfsync-on-rewrite'];
  return {
    commands: names.map((name) => ['config', 'GET', name]),
    judge: (replies) => {
      const failed = replies.find(([error]) => error !== null)?.[0];
      if (failed && failed.name !== 'ReplyError') throw new RedisFault(failed);
      if (failed) return createRedisFault('unsynced', describeSecrecy(persistence, failed));
      const [appendonly, appendfsync, pause] = replies.map(([, reply]) => (reply as string[])[1]);
      if (appendonly !== 'yes')
        return createRedisFault('unsynced', 'Redis keeps no file of its writes (appendonly is no)');
      if (appendfsync !== 'always' || pause === 'yes') {
        const named =
          appendfsync === 'always' ? `no-appendfsync-on-rewrite is yes` : `appendfsync is ${appendfsync}`;
        return createRedisFault(
          'unsynced',
          `Redis syncs its disk later than it answers (${named}), and is too old to tell when`,
        );
      }
      return undefined;
    },
  };
}

/** Its settings may be nobody's to ask; whether it keeps a file at all `INFO` says as well. */
function describeSecrecy(persistence: string, { message }: Error): string {
  if (/^aof_enabled:0/m.test(persistence)) return 'Redis keeps no file of its writes (aof_enabled is 0)';
  return `Redis is too old to tell when it has synced its disk, and does not say how it does (${message})`;
}

/** A server that removes what was not used for long removes events, which are used once. Where it says nothing, nothing is assumed. */
function findEviction(memory: string): RedisEventFault | undefined {
  const policy = /^maxmemory_policy:(allkeys-\w+)/m.exec(memory)?.[1];
  if (policy === undefined || /^maxmemory:0\s*$/m.test(memory)) return undefined;
  return createRedisFault(
    'evicting',
    `Redis removes events when its memory is full (maxmemory-policy is ${policy})`,
  );
}

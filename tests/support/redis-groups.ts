import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import {
  type RedisServer,
  startClusterNode,
  startRedisServer,
  startSentinel,
  type Teardown,
} from './redis-server.js';

/** Three masters without replicas, each with a third of the slots; users of two go on being served when one is away. */
export interface RedisCluster {
  readonly url: string;
  readonly nodes: readonly RedisServer[];
}

/** A master and its replica, which one Sentinel promotes when the master is away. */
export interface WatchedRedis {
  readonly url: string;
  readonly master: RedisServer;
  readonly replica: RedisServer;
}

const SLOTS = 16_384;
const NODES = 3;

/** @param dir an empty folder */
export async function startRedisCluster(t: Teardown, dir: string): Promise<RedisCluster> {
  const nodes = await Promise.all(
    Array.from({ length: NODES }, async (_, index) => {
      const own = join(dir, String(index));
      await mkdir(own, { recursive: true });
      return startClusterNode(t, own);
    }),
  );
  for (const [index, node] of nodes.entries()) {
    await ask(node, async (client) => {
      const first = Math.ceil((SLOTS * index) / NODES);
      const last = Math.ceil((SLOTS * (index + 1)) / NODES) - 1;
      await client.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
      await client.call('CLUSTER', 'MEET', '127.0.0.1', nodes[0]!.port, nodes[0]!.busPort);
    });
  }
  for (const node of nodes) await until(node, 'CLUSTER INFO', /cluster_state:ok[^]*cluster_known_nodes:3/);
  return { url: `redis-cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`, nodes };
}

/** @param dir an empty folder */
export async function startWatchedRedis(t: Teardown, dir: string): Promise<WatchedRedis> {
  const master = await startRedisServer(t);
  const replica = await startRedisServer(t, '--replicaof', '127.0.0.1', String(master.port));
  await until(replica, 'INFO replication', /master_link_status:up/);
  const file = join(dir, 'sentinel.conf');
  await writeFile(
    file,
    [
      `sentinel monitor features 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds features 300',
      'sentinel failover-timeout features 2000',
      '',
    ].join('\n'),
  );
  const sentinel = await startSentinel(t, file);
  await until(sentinel, 'SENTINEL REPLICAS features', new RegExp(`${replica.port}`));
  return { url: `redis-sentinel://127.0.0.1:${sentinel.port}/features`, master, replica };
}

async function ask<T>(server: RedisServer, question: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(server.url);
  try {
    return await question(client);
  } finally {
    client.disconnect();
  }
}

/** Asks until the answer fits; the test's own time limit ends it otherwise. */
async function until(server: RedisServer, command: string, answer: RegExp): Promise<void> {
  await ask(server, async (client) => {
    const [name, ...rest] = command.split(' ');
    while (!answer.test(String(await client.call(name!, ...rest)))) await wait(20);
  });
}

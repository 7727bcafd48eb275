import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import {
  type RedisServer,
  startClusterNode,
  startRedisServer,
  startSentinel,
  type Teardown,
} from './redis-server.js';
import { untilTrue } from './until.js';

type ClusterNode = RedisServer & { readonly busPort: number };

/** Three masters without replicas, each with a third of the slots; users of two go on being served when one is away. */
export interface RedisCluster {
  readonly url: string;
  readonly nodes: readonly RedisServer[];
  /** Waits until every node serves its slots and takes those of the others for served. */
  untilWhole(): Promise<void>;
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
    const first = Math.ceil((SLOTS * index) / NODES);
    const last = Math.ceil((SLOTS * (index + 1)) / NODES) - 1;
    await ask(node, (client) => client.call('CLUSTER', 'ADDSLOTSRANGE', first, last));
  }
  await Promise.all(nodes.map((node) => introduce(node, nodes)));
  const untilWhole = async (): Promise<void> => {
    for (const node of nodes) await until(node, 'CLUSTER INFO', WHOLE);
  };
  await untilWhole();
  return {
    url: `redis-cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`,
    nodes,
    untilWhole,
  };
}

const WHOLE = new RegExp(
  `cluster_state:ok[^]*cluster_slots_ok:${SLOTS}[^]*cluster_known_nodes:${NODES}[^]*cluster_size:${NODES}\\b`,
);

/** Makes a node meet the others. Nodes drop a handshake that takes over a second and do not try it again: they are told until they know each other. */
async function introduce(node: ClusterNode, nodes: readonly ClusterNode[]): Promise<void> {
  await ask(node, (client) =>
    untilTrue(
      `the node at ${node.port} knows those at ${nodes.map(({ port }) => port).join(', ')}`,
      async () => {
        const lines = String(await client.call('CLUSTER', 'NODES')).split('\n');
        const known = lines.filter((line) => !/handshake|noaddr/.test(line));
        const unknown = nodes.filter(({ port }) => !known.some((line) => line.includes(`:${port}@`)));
        for (const { port, busPort } of unknown) {
          await client.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort);
        }
        return unknown.length === 0;
      },
    ),
  );
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
      // A busy machine may not look dead, or the replica takes over before the test kills anything.
      `sentinel monitor features 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds features 2000',
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

async function until(server: RedisServer, command: string, answer: RegExp): Promise<void> {
  const [name, ...rest] = command.split(' ');
  await ask(server, (client) =>
    untilTrue(`${command} of ${server.url} says ${answer.source}`, async () =>
      answer.test(String(await client.call(name!, ...rest))),
    ),
  );
}

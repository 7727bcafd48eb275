import { setTimeout as wait } from 'node:timers/promises';
import type { Cluster } from 'ioredis';
import t from 'tap';
import type { FeatureStore } from '../../src/features/feature-store.js';
import { materialiseView } from '../../src/features/materialise-view.js';
import { pushRows } from '../../src/features/push-rows.js';
import { mastersOf, openRedis, requireRedis } from '../../src/features/redis-connection.js';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { startRedisCluster, startWatchedRedis } from '../support/redis-groups.js';
import { createRedisServer, REDIS_MISSING } from '../support/redis-server.js';
import {
  impatient,
  LOADED_AT,
  openStore,
  openStores,
  patient,
  readOne,
  rowSource,
  SPACE,
  USERS,
} from '../support/redis-view.js';
import { untilAnswered, untilTrue } from '../support/until.js';

const LOADING = { space: SPACE, version: '1', expirySeconds: 3600 };
const PUSHING = { view: USERS, space: SPACE, expirySeconds: 3600 };
const USER_COUNT = 60;
const ids = Array.from({ length: USER_COUNT }, (_, user) => `u${user}`);
const pushed = (id: string, age: number): Parameters<typeof pushRows>[0] => [
  { id, eventTime: LOADED_AT + age, values: [age, 1, Number.NaN] },
];

t.test('a cluster', { skip: REDIS_MISSING }, async (t) => {
  const cluster = await startRedisCluster(t, t.testdir());
  const client = await requireRedis(patient(cluster.url));
  t.teardown(() => client.disconnect());
  const keys = createRedisKeys(USERS, SPACE);

  await t.test('takes what is loaded and pushed on every node, and serves it', async (t) => {
    t.match(await materialiseView(rowSource(USER_COUNT), client, LOADING), {
      written: USER_COUNT,
      resumed: 0,
    });
    t.same(await pushRows([...pushed('u7', 30), ...pushed('u8', 31)], client, PUSHING), {
      written: 2,
      older: 0,
    });
    t.same(await pushRows(pushed('u7', 29), client, PUSHING), { written: 0, older: 1 });
    const sizes = await Promise.all(mastersOf(client).map((node) => node.dbsize()));
    t.equal(sizes.length, 3);
    t.ok(
      sizes.every((size) => size > 5),
      `keys per node: ${sizes.join(', ')}`,
    );

    const { store } = await openStore(t, cluster.url, { redis: patient(cluster.url) });
    const ages = await Promise.all(ids.map(async (id) => (await readOne(store, id))[0]![0]));
    t.same(
      ages,
      ids.map((id) => (id === 'u7' ? 30 : id === 'u8' ? 31 : 20)),
    );
  });

  await t.test('lets the rows of all views of a user lie on one node', async (t) => {
    const others = { ...USERS, name: 'moods' };
    const [moods, slots] = [createRedisKeys(others, SPACE), (key: string) => client.cluster('KEYSLOT', key)];
    const rows = [keys.loaded('1', 'u1'), keys.pushed('u1'), moods.loaded('2', 'u1'), moods.pushed('u1')];
    t.equal(new Set(await Promise.all(rows.map(slots))).size, 1);
    await pushRows(pushed('u1', 50), client, { ...PUSHING, view: others });
    const { stores } = await openStores(t, cluster.url, { views: [USERS, others] });
    const [inUsers, inMoods] = await Promise.all(stores.map((store) => readOne(store, 'u1')));
    t.same([inUsers![0]![0], inMoods![0]![0]], [20, 50]);
  });

  await t.test('finds rows of ids that have braces', async (t) => {
    const { store } = await openStore(t, cluster.url, { redis: patient(cluster.url) });
    for (const id of ['{', '}', '{}', '}{', 'a}b', 'x{y}z', '\0}']) {
      await pushRows(pushed(id, 40), client, PUSHING);
      t.equal((await readOne(store, id))[0]![0], 40, JSON.stringify(id));
    }
  });

  await t.test('retires an old generation on every node', async (t) => {
    const old = (await client.get(keys.pointer))!;
    const { generation } = await materialiseView(rowSource(USER_COUNT), client, { ...LOADING, version: '2' });
    const times = await Promise.all(ids.map((id) => client.ttl(keys.loaded(old, id))));
    t.ok(
      times.every((seconds) => seconds <= 60),
      'all of it',
    );
    t.ok((await client.ttl(keys.loaded(generation, 'u3'))) > 60);
  });

  await t.test(
    'goes on serving the users of other nodes when one is killed, and all when it is back',
    async (t) => {
      // What is killed refuses connections at once: no time limit has to pass.
      const { store, changes } = await openStore(t, cluster.url, { redis: patient(cluster.url) });
      for (const id of ids) await untilAnswered(() => readOne(store, id));
      // The node that knows the generation in service: what was last known has to do.
      const holder = await client.cluster('KEYSLOT', keys.pointer);
      const killed = cluster.nodes[Math.floor((3 * holder) / 16_384)]!;
      const onKilled = await Promise.all(
        ids.map(async (id) => {
          const slot = await client.cluster('KEYSLOT', keys.pushed(id));
          return cluster.nodes[Math.floor((3 * slot) / 16_384)] === killed;
        }),
      );
      await killed.kill();
      for (const [user, id] of ids.entries()) {
        if (onKilled[user]!) await t.rejects(readOne(store, id), { code: 'FEATURES_FAILED' });
        else
          t.same(
            (await readOne(store, id))[0],
            [id === 'u7' ? 30 : id === 'u8' ? 31 : 20, 'PRESENT'],
            `${id} of another node`,
          );
      }
      t.same(changes, [], 'a part of the users is no reason to ask for nobody');
      await t.rejects(
        pushRows(
          ids.flatMap((id) => pushed(id, 1)),
          client,
          PUSHING,
        ),
        { code: 'FEATURES_FAILED' },
      );

      await killed.start();
      await cluster.untilWhole();
      for (const id of ids) t.match((await untilAnswered(() => readOne(store, id)))[0]![1], 'PRESENT');
      t.same(await untilAnswered(() => pushRows(pushed('u0', 90), client, PUSHING)), {
        written: 1,
        older: 0,
      });
    },
  );

  await t.test('is used again after all of it was away', async (t) => {
    const { store, changes } = await openStore(t, cluster.url, { redis: patient(cluster.url) });
    await untilAnswered(() => readOne(store, 'u1'));
    await Promise.all(cluster.nodes.map((node) => node.kill()));
    await untilGivenUp(store, changes);
    await Promise.all(cluster.nodes.map((node) => node.start()));
    await cluster.untilWhole();
    t.equal((await untilAnswered(() => readOne(store, 'u1')))[0]![1], 'PRESENT');
    t.same(changes, [false, true]);
  });
});

t.test(
  'a client that is closed while it asks a cluster for its slots asks no more',
  { skip: REDIS_MISSING },
  async (t) => {
    const cluster = await startRedisCluster(t, t.testdir());
    const client = (await requireRedis(patient(cluster.url))) as Cluster;
    const refresh = client.refreshSlotsCache.bind(client);
    let asked = 0;
    client.refreshSlotsCache = (done) => {
      asked++;
      refresh(done);
      client.disconnect();
    };
    await untilTrue('the slots are asked for', () => asked > 0);
    await wait(2500);
    t.equal(asked, 1, 'or a process that is done with it would never end');
  },
);

t.test('a master behind a Sentinel', { skip: REDIS_MISSING }, async (t) => {
  const watched = await startWatchedRedis(t, t.testdir());
  const client = await requireRedis(patient(watched.url));
  t.teardown(() => client.disconnect());
  const { generation } = await materialiseView(rowSource(USER_COUNT), client, LOADING);
  await pushRows(pushed('u7', 30), client, PUSHING);
  const { store, changes } = await openStore(t, watched.url, { redis: patient(watched.url) });
  t.equal((await untilAnswered(() => readOne(store, 'u7')))[0]![0], 30);
  await client.wait(1, 0);

  await watched.master.kill();
  await untilGivenUp(store, changes);
  t.equal((await untilAnswered(() => readOne(store, 'u7')))[0]![0], 30, 'the replica took over');
  t.equal((await readOne(store, 'u8'))[0]![0], 20);
  t.same(changes, [false, true]);
  t.same(await untilAnswered(() => pushRows(pushed('u7', 31), client, PUSHING)), { written: 1, older: 0 });
  t.equal((await readOne(store, 'u7'))[0]![0], 31, 'and takes writes');
  await materialiseView(rowSource(USER_COUNT), client, { ...LOADING, version: '2' });
  t.ok((await client.ttl(createRedisKeys(USERS, SPACE).loaded(generation, 'u1'))) <= 60);
});

t.test('Sentinels or nodes that are all away are named, and do not hold up a start', async (t) => {
  const { port } = await createRedisServer(t);
  for (const [url, message] of [
    [
      `redis-sentinel://:pw@127.0.0.1:${port}/m`,
      new RegExp(`^Redis m of the Sentinels at 127.0.0.1:${port} cannot`),
    ],
    [`redis-cluster://:pw@127.0.0.1:${port}`, new RegExp(`^The Redis cluster at 127.0.0.1:${port} cannot`)],
  ] as const) {
    await t.rejects(requireRedis(impatient(url)), { code: 'FEATURES_FAILED', message });
    const client = await openRedis(impatient(url));
    await t.rejects(client.get('x'), 'and asking fails at once');
    client.disconnect();
  }
});

/** Asks until the store asks no more. */
async function untilGivenUp(store: FeatureStore, changes: readonly boolean[]): Promise<void> {
  await untilTrue('the store gives up asking', async () => {
    await readOne(store, 'u1').catch(() => undefined);
    return changes.length > 0;
  });
}

import t from 'tap';
import { materialiseView } from '../../src/features/materialise-view.js';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { connect, LOADED_AT, openStore, rowSource, UNKNOWN, readOne, USERS } from '../support/redis-view.js';

const HOUR = 3600;
const keys = createRedisKeys(USERS);

t.test('materialise', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const client = await connect(t, server.url);
  t.beforeEach(() => client.flushall());

  await t.test('readers see the old rows or the new ones, never some of each', async (t) => {
    const { store } = await openStore(t, server.url);
    const users = 2500;
    await materialiseView(rowSource(users, { age: 1 }), client, { generation: '1', expirySeconds: HOUR });
    const ids = [0, 1, 999, 1000, 1500, 2499].map((user) => `u${user}`);
    const seen = new Set<number>();
    const load = { done: false };
    const reader = (async () => {
      while (!load.done) {
        const rows = { values: new Float32Array(18), statuses: new Uint8Array(18) };
        await store.getMany(ids, rows, { now: LOADED_AT });
        const ages = new Set(ids.map((_, row) => rows.values[3 * row]!));
        if (ages.size > 1) t.fail(`ages ${[...ages].join(', ')} in one read`);
        seen.add([...ages][0]!);
      }
    })();
    for (let age = 2; age <= 6; age++) {
      const generation = String(age);
      await materialiseView(rowSource(users, { age }), client, { generation, expirySeconds: HOUR });
    }
    load.done = true;
    await reader;
    t.equal((await readOne(store, 'u7'))[0]![0], 6);
    t.ok(seen.size > 1, `${seen.size} generations were seen`);
  });

  await t.test('half of a generation serves nobody, and loading goes on where it stopped', async (t) => {
    const { store } = await openStore(t, server.url);
    const source = rowSource(2500);
    const options = { generation: '1', expirySeconds: HOUR };
    const stopping = {
      ...source,
      fillRow: (row: number, values: Float64Array) => {
        if (row === 2200) throw new RangeError('stopped');
        source.fillRow(row, values);
      },
    };
    await t.rejects(materialiseView(stopping, client, options), new RangeError('stopped'));
    t.same(await readOne(store, 'u0'), UNKNOWN);
    t.ok((await client.ttl(keys.progress('1'))) > 0);

    const steps: number[] = [];
    const onRows = (count: number): number => steps.push(count);
    t.same(await materialiseView(source, client, { ...options, onRows }), { written: 500, resumed: 2000 });
    t.same(steps, [2000, 500]);
    t.equal((await readOne(store, 'u0'))[0]![1], 'PRESENT');
    t.equal((await readOne(store, 'u2499'))[0]![1], 'PRESENT');
    t.equal(await client.exists(keys.progress('1')), 0);
  });

  await t.test(
    'the generation that went out of service is gone soon, the one in service stays',
    async (t) => {
      await materialiseView(rowSource(1200), client, { generation: '1', expirySeconds: HOUR });
      await materialiseView(rowSource(1200), client, { generation: '2', expirySeconds: HOUR });
      for (const user of ['u0', 'u999', 'u1199']) {
        t.ok((await client.ttl(keys.loaded('1', user))) <= 60);
        t.ok((await client.ttl(keys.loaded('2', user))) > 60);
      }
      const again = await materialiseView(rowSource(1200), client, { generation: '2', expirySeconds: HOUR });
      t.same(again, { written: 1200, resumed: 0 }, 'the same again is written again, to live longer');
      t.ok((await client.ttl(keys.loaded('2', 'u0'))) > 60);
    },
  );

  await t.test(
    'a generation that went out of service half renewed is loaded whole when it comes back',
    async (t) => {
      const options = { generation: '1', expirySeconds: HOUR };
      await materialiseView(rowSource(2500), client, options);
      await client.set(keys.progress('1'), 2000);
      await materialiseView(rowSource(2500), client, { ...options, generation: '2' });
      t.same(await materialiseView(rowSource(2500), client, options), { written: 2500, resumed: 0 });
    },
  );

  await t.test('a view without rows comes into service too', async (t) => {
    t.same(await materialiseView(rowSource(0), client, { generation: '3', expirySeconds: HOUR }), {
      written: 0,
      resumed: 0,
    });
    t.equal(await client.get(keys.pointer), '3');
  });
});

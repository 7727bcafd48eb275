import t from 'tap';
import { materialiseView } from '../../src/features/materialise-view.js';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import {
  connect,
  LOADED_AT,
  openStore,
  rowSource,
  UNKNOWN,
  readOne,
  SPACE,
  USERS,
} from '../support/redis-view.js';

const HOUR = 3600;
const keys = createRedisKeys(USERS, SPACE);

t.test('materialise', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const client = await connect(t, server.url);
  t.beforeEach(() => client.flushall());

  await t.test('readers see the old rows or the new ones, never some of each', async (t) => {
    const { store } = await openStore(t, server.url);
    const users = 2500;
    await materialiseView(rowSource(users, { age: 1 }), client, {
      space: SPACE,
      version: '1',
      expirySeconds: HOUR,
    });
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
      const options = { space: SPACE, version: String(age), expirySeconds: HOUR };
      await materialiseView(rowSource(users, { age }), client, options);
    }
    load.done = true;
    await reader;
    t.equal((await readOne(store, 'u7'))[0]![0], 6);
    t.ok(seen.size > 1, `${seen.size} generations were seen`);
  });

  await t.test('half of a generation serves nobody, and loading goes on where it stopped', async (t) => {
    const { store } = await openStore(t, server.url);
    const source = rowSource(2500);
    const options = { space: SPACE, version: '1', expirySeconds: HOUR };
    const stopping = {
      ...source,
      fillRow: (row: number, values: Float64Array) => {
        if (row === 2200) throw new RangeError('stopped');
        source.fillRow(row, values);
      },
    };
    await t.rejects(materialiseView(stopping, client, options), new RangeError('stopped'));
    await t.rejects(readOne(store, 'u0'), { code: 'FEATURES_NOT_LOADED' });
    t.ok((await client.ttl(keys.progress('1'))) > 0);

    const steps: number[] = [];
    const onRows = (count: number): number => steps.push(count);
    t.match(await materialiseView(source, client, { ...options, onRows }), { written: 500, resumed: 2000 });
    t.same(steps, [2000, 500]);
    t.equal((await readOne(store, 'u0'))[0]![1], 'PRESENT');
    t.equal((await readOne(store, 'u2499'))[0]![1], 'PRESENT');
    t.equal(await client.exists(keys.progress('1')), 0);
  });

  await t.test(
    'the generation that went out of service is gone soon, the one in service stays',
    async (t) => {
      const load = (version: string) =>
        materialiseView(rowSource(1200), client, { space: SPACE, version, expirySeconds: HOUR });
      const [one, two] = [await load('1'), await load('2')];
      for (const user of ['u0', 'u999', 'u1199']) {
        t.ok((await client.ttl(keys.loaded(one.generation, user))) <= 60);
        t.ok((await client.ttl(keys.loaded(two.generation, user))) > 60);
      }
      const again = await load('2');
      t.match(again, { written: 1200, resumed: 0 }, 'the same again is written again, to live longer');
      t.ok((await client.ttl(keys.loaded(again.generation, 'u0'))) > 60);
    },
  );

  await t.test(
    'a version that comes back is loaded whole, and removing it before touches none of it',
    async (t) => {
      const options = { space: SPACE, version: '1', expirySeconds: HOUR };
      const before = await materialiseView(rowSource(2500), client, options);
      await materialiseView(rowSource(2500), client, { ...options, version: '2' });
      const again = await materialiseView(rowSource(2500), client, options);
      t.match(again, { written: 2500, resumed: 0 });
      t.not(again.generation, before.generation);
      t.ok((await client.ttl(keys.loaded(before.generation, 'u0'))) <= 60);
      t.ok((await client.ttl(keys.loaded(again.generation, 'u0'))) > 60);
    },
  );

  await t.test('a view without rows comes into service too', async (t) => {
    const options = { space: SPACE, version: '3', expirySeconds: HOUR };
    const { generation, ...counts } = await materialiseView(rowSource(0), client, options);
    t.same(counts, { written: 0, resumed: 0 });
    t.equal(await client.get(keys.pointer), generation);
    const { store } = await openStore(t, server.url);
    t.same(await readOne(store, 'u0'), UNKNOWN, 'nobody has a row, and that is known');
  });
});

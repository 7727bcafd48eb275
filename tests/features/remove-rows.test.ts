import t from 'tap';
import type { Redis } from 'ioredis';
import { type MaterialiseOptions, materialiseView } from '../../src/features/materialise-view.js';
import { pushRows } from '../../src/features/push-rows.js';
import { requireRedis } from '../../src/features/redis-connection.js';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { removeRows } from '../../src/features/remove-rows.js';
import { forgottenAt } from '../support/forgotten-list.js';
import { startRedisCluster } from '../support/redis-groups.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import {
  connect,
  LOADED_AT,
  openStore,
  patient,
  readOne,
  rowSource,
  SPACE,
  UNKNOWN,
  USERS,
} from '../support/redis-view.js';

t.test('rows of a user', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const client = await connect(t, server.url);
  t.beforeEach(() => client.flushall());

  const load = (count: number, options: Partial<MaterialiseOptions> = {}) =>
    materialiseView(rowSource(count), client, { space: SPACE, version: '1', expirySeconds: 600, ...options });
  const push = (id: string, options: { view?: typeof USERS; space?: typeof SPACE } = {}) =>
    pushRows([{ id, eventTime: LOADED_AT + 1, values: [99, 1, 0] }], client, {
      view: USERS,
      space: SPACE,
      expirySeconds: 600,
      ...options,
    });
  const keysOf = async (id: string): Promise<string[]> =>
    (await client.keys('*')).filter((key) => key.endsWith(`{${id}}`)).sort();

  t.test('go from every view and generation of the dataset, and no others do', async (t) => {
    await load(50);
    const abandoned = load(50, {
      version: '2',
      confirm: () => Promise.reject(new Error('cut off')),
    });
    await t.rejects(abandoned, { message: 'cut off' });
    await push('u7');
    await push('u7', { view: { ...USERS, name: 'other' } });
    await push('u7', { space: { ...SPACE, dataset: 'another shop' } });
    await push('u7', { space: { ...SPACE, prefix: 'theirs:' } });
    t.equal((await keysOf('u7')).length, 6);
    const others = (await client.keys('*')).length;
    t.equal(await removeRows('u7', client, SPACE), 4);
    t.match(await keysOf('u7'), [
      /^shortlist:features:another%20shop:users:pushed/,
      /^theirs:features:shop:users:pushed/,
    ]);
    t.equal((await client.keys('*')).length, others - 4);
    t.equal(await removeRows('u7', client, SPACE), 0, 'a second time there is none');
    t.equal(await removeRows('nobody', client, SPACE), 0);
    const { store } = await openStore(t, server.url);
    t.same(await readOne(store, 'u7'), UNKNOWN);
    t.match(await readOne(store, 'u8'), [[20, 'PRESENT']]);
  });

  t.test('of a witness go without the generation being taken for incomplete', async (t) => {
    await load(40);
    const [generation] = (await client.get(createRedisKeys(USERS, SPACE).pointer))!.split('\n');
    const key = createRedisKeys(USERS, SPACE).witnesses(generation!);
    const witnesses = JSON.parse((await client.get(key))!) as string[];
    t.ok(witnesses.includes('u0'));
    await removeRows('u0', client, SPACE);
    t.same(
      JSON.parse((await client.get(key))!),
      witnesses.filter((id) => id !== 'u0'),
    );
    t.ok((await client.ttl(key)) > 500, 'it expires as before');
    const { store, faults } = await openStore(t, server.url);
    t.same(await readOne(store, 'u0'), UNKNOWN);
    t.same(faults, [undefined]);
    await client.del(createRedisKeys(USERS, SPACE).loaded(generation!, 'u5'));
    const { store: other } = await openStore(t, server.url);
    await t.rejects(
      readOne(other, 'u5'),
      { code: 'FEATURES_NOT_LOADED' },
      'a row that is lost is still noticed',
    );
  });

  t.test('whose id looks like a pattern, or ends like a key, are their own', async (t) => {
    const ids = [
      'u1',
      'u*',
      'u?',
      'u[1]',
      'u[^x]',
      String.raw`u\*`,
      'a}:{u1',
      'u1}',
      '{u1',
      '__proto__',
      'ü',
      'pushed:{u1',
      ' ',
      'x'.repeat(256),
    ];
    for (const id of ids) await push(id);
    for (const [index, id] of ids.entries()) {
      t.equal(await removeRows(id, client, SPACE), 1, id);
      t.equal((await client.keys('*')).length, ids.length - index - 1);
    }
    t.equal(await removeRows('\ud800', client, SPACE), 0, 'half of a character is nobody');
  });

  t.test('are not loaded again, and a user is asked for by the list of then', async (t) => {
    const list = forgottenAt({ u3: LOADED_AT, u0: LOADED_AT, u4: LOADED_AT - 100 });
    const written: string[] = [];
    const watched = beforeSet(client, async (key) => void written.push(key));
    const options = { space: SPACE, version: '1', expirySeconds: 600 };
    t.match(
      await materialiseView(rowSource(10), watched, {
        ...options,
        forgotten: { list, until: LOADED_AT - 50 },
      }),
      { written: 8 },
    );
    t.notOk(
      written.some((key) => key.endsWith('{u3}')),
      'nor written for a moment',
    );
    t.ok(written.some((key) => key.endsWith('{u5}')));
    t.same(await keysOf('u3'), []);
    t.same(await keysOf('u0'), []);
    t.equal((await keysOf('u4')).length, 1, 'who was left out of the rows before, and came back, is loaded');
    const { store, faults } = await openStore(t, server.url);
    t.same(await readOne(store, 'u3'), UNKNOWN);
    t.same(faults, [undefined]);
  });

  t.test('of one who is forgotten while rows are loaded go, and no witness is missed', async (t) => {
    for (const when of ['onRows', 'witnesses', 'confirm'] as const) {
      await client.flushall();
      const times: Record<string, number> = {};
      const list = forgottenAt(times);
      const forget = async (): Promise<void> => {
        if ('u0' in times) return;
        times['u0'] = LOADED_AT;
        times['u20'] = LOADED_AT + 1;
        for (const id of ['u0', 'u20']) await removeRows(id, client, SPACE);
      };
      const pending: Promise<void>[] = [];
      const watched = beforeSet(client, async (key) => {
        if (when === 'witnesses' && key.includes(':witnesses:')) await forget();
      });
      const loaded = await materialiseView(rowSource(2500), watched, {
        space: SPACE,
        version: '1',
        expirySeconds: 600,
        forgotten: { list, until: 0 },
        // After the first thousand: the row is there by then.
        onRows: (count) => void (when === 'onRows' && count > 0 && pending.push(forget())),
        confirm: async () => {
          await Promise.all(pending);
          if (when === 'confirm') await forget();
        },
      });
      t.ok(loaded.generation);
      await Promise.all(pending);
      for (const id of ['u0', 'u20']) t.same(await keysOf(id), [], `${when}: ${id}`);
      const { store, faults } = await openStore(t, server.url);
      t.same(await readOne(store, 'nobody'), UNKNOWN);
      t.same(faults, [undefined], when);
    }
  });

  t.test('a load that goes on after somebody was forgotten has all others', async (t) => {
    const times: Record<string, number> = {};
    const forgotten = { list: forgottenAt(times), until: 0 };
    let batches = 0;
    const cut = load(3000, {
      forgotten,
      onRows: () => {
        if (++batches > 2) throw new Error('cut off');
      },
    });
    await t.rejects(cut, { message: 'cut off' });
    times['u3'] = LOADED_AT;
    t.match(await load(3000, { forgotten }), { resumed: 2000 });
    t.same(await keysOf('u3'), []);
    t.equal((await client.keys('*:{u*}')).length, 2999);
  });

  t.test('are not pushed, where they are of before', async (t) => {
    const list = forgottenAt({ u1: LOADED_AT });
    const row = (id: string, eventTime: number) => ({ id, eventTime, values: [1, 1, 0] });
    const counts = await pushRows(
      [row('u1', LOADED_AT - 5), row('u2', LOADED_AT - 5), row('u1', LOADED_AT + 61)],
      client,
      { view: USERS, space: SPACE, expirySeconds: 600, forgotten: list },
    );
    t.same(counts, { written: 2, older: 1 });
    const { store } = await openStore(t, server.url);
    await t.rejects(readOne(store, 'nobody'), { code: 'FEATURES_NOT_LOADED' });
    t.match(await readOne(store, 'u1'), [[1, 'PRESENT']], 'what is of after counts');
  });

  t.test('cannot be removed while Redis is away', async (t) => {
    const away = await startRedisServer(t);
    const lost = await connect(t, away.url);
    await away.kill();
    await t.rejects(removeRows('u1', lost, SPACE), { code: 'FEATURES_FAILED' });
  });
});

t.test('rows of a user go from a cluster', { skip: REDIS_MISSING }, async (t) => {
  const cluster = await startRedisCluster(t, t.testdir());
  const client = await requireRedis(patient(cluster.url));
  t.teardown(() => client.disconnect());
  const options = { view: USERS, space: SPACE, expirySeconds: 600 };
  const ids = Array.from({ length: 30 }, (_, index) => `u${index}`);
  await materialiseView(rowSource(30), client, { ...options, version: '1' });
  await pushRows(
    ids.map((id) => ({ id, eventTime: LOADED_AT, values: [1, 1, 0] })),
    client,
    options,
  );
  for (const id of ids.slice(0, 20)) t.equal(await removeRows(id, client, SPACE), 2);
  const { store } = await openStore(t, cluster.url);
  t.same(await readOne(store, 'u0'), UNKNOWN);
  t.match(await readOne(store, 'u25'), [[1, 'PRESENT']]);
});

/** Runs something right before each key is set. */
function beforeSet(client: Redis, run: (key: string) => Promise<void>): Redis {
  return new Proxy(client, {
    get: (target, name) => {
      const found: unknown = Reflect.get(target, name);
      if (typeof found !== 'function') return found;
      if (name !== 'set') return found.bind(target) as unknown;
      return async (...given: unknown[]) => {
        await run(String(given[0]));
        return (found as (...all: unknown[]) => unknown).apply(target, given);
      };
    },
  });
}

import t from 'tap';
import { type FeatureField, widthOf } from '../../src/features/feature-view.js';
import { materialiseView } from '../../src/features/materialise-view.js';
import { pushRows } from '../../src/features/push-rows.js';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { createRowCodec } from '../../src/features/row-codec.js';
import { REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import {
  connect,
  LOADED_AT,
  openStore,
  openStores,
  readOne,
  rowSource,
  SPACE,
  UNKNOWN,
  USERS,
} from '../support/redis-view.js';
import { startFaultProxy } from '../support/tcp-fault-proxy.js';
import { testFeatureStore } from './feature-store-contract.js';

const HOUR = 3600;
const keys = createRedisKeys(USERS, SPACE);
const codec = createRowCodec(USERS, SPACE);

function missingValue(field: FeatureField): number[] {
  return Array<number>(widthOf(field)).fill(Number.NaN);
}

t.test('the Redis store keeps the contract of every store', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const client = await connect(t, server.url);
  testFeatureStore(t, async ({ view, rows, eventTimes }) => {
    await client.flushall();
    const truth = [...rows];
    const source = {
      view,
      ids: [...rows.keys()],
      eventTimeOf: (row: number) => eventTimes?.get(truth[row]![0]) ?? 1_600_000_000,
      fillRow: (row: number, values: Float64Array) =>
        values.set(truth[row]![1].flatMap((value, field) => value ?? missingValue(view.fields[field]!))),
    };
    await materialiseView(source, client, { space: SPACE, version: '1', expirySeconds: HOUR });
    const { store } = await openStore(t, server.url, { view });
    return store;
  });
});

t.test('the Redis store', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const client = await connect(t, server.url);
  t.beforeEach(() => client.flushall());
  const load = (
    count: number,
    options: Parameters<typeof rowSource>[1] = {},
    version = '1',
  ): Promise<string> =>
    materialiseView(rowSource(count, options), client, { space: SPACE, version, expirySeconds: HOUR }).then(
      ({ generation }) => generation,
    );
  const push = (id: string, eventTime: number, age: number): Promise<number> =>
    pushRows([{ id, eventTime, values: [age, 1, Number.NaN] }], client, {
      view: USERS,
      space: SPACE,
      expirySeconds: HOUR,
    }).then(({ written }) => written);

  await t.test('any number of ids takes one round trip', async (t) => {
    await load(300);
    const { store } = await openStore(t, server.url);
    const ids = Array.from({ length: 300 }, (_, user) => `u${user}`);
    const rows = { values: new Float32Array(900), statuses: new Uint8Array(900) };
    const readsBy = async (): Promise<number> =>
      Number(/total_reads_processed:(\d+)/.exec(await client.info('stats'))![1]);
    await store.getMany(ids, rows, { now: LOADED_AT });
    const before = await readsBy();
    await store.getMany(['u1', 'u2', 'u3'], rows, { now: LOADED_AT });
    t.equal((await readsBy()) - before, 2, 'one read by the server for the request, one for this question');
    await store.getMany(ids, rows, { now: LOADED_AT });
    t.ok(rows.statuses.every((status, at) => status === (at % 3 === 2 ? 1 : 0)));
  });

  await t.test('any number of views takes one round trip', async (t) => {
    const moods = { ...USERS, name: 'moods' };
    await load(3);
    await materialiseView({ ...rowSource(3, { age: 50 }), view: moods }, client, {
      space: SPACE,
      version: '2',
      expirySeconds: HOUR,
    });
    const proxy = await startFaultProxy(t, server.port);
    const { stores, newest } = await openStores(t, `redis://127.0.0.1:${proxy.port}`, {
      views: [USERS, moods],
    });
    const readBoth = () => Promise.all(stores.map((store) => readOne(store, 'u1')));
    await readBoth();
    const [before, sent] = [proxy.roundTrips, proxy.commands.length];
    t.same(
      (await readBoth()).map((row) => row[0]![0]),
      [20, 50],
    );
    t.equal(proxy.roundTrips - before, 1);
    t.equal(proxy.commands.length - sent, 6, 'of each view a pointer, a loaded row and a pushed row');
    t.same(newest, [LOADED_AT, LOADED_AT], 'each view tells its newest event once');
  });

  await t.test('what no row of the view can be is absent, counted and overwritten', async (t) => {
    const good = codec.encode([40, 0, 1], LOADED_AT);
    const flipped = Buffer.from(good);
    flipped[24]! ^= 1;
    const other = createRowCodec({ ...USERS, fields: USERS.fields.slice(1) }, SPACE);
    const nan = Buffer.from(good);
    nan.fill(0xff, 21, 25);
    const cases: [what: string, write: (key: string) => Promise<unknown>, reason: string][] = [
      ['text', (key) => client.set(key, 'hello'), 'corrupt'],
      ['nothing at all', (key) => client.set(key, ''), 'corrupt'],
      ['a cut row', (key) => client.set(key, good.subarray(0, -1)), 'corrupt'],
      ['a row that goes on', (key) => client.set(key, Buffer.concat([good, good])), 'corrupt'],
      ['a flipped bit', (key) => client.set(key, flipped), 'corrupt'],
      ['a value that is not a number', (key) => client.set(key, nan), 'corrupt'],
      ['a row of other fields', (key) => client.set(key, other.encode([0, 1], LOADED_AT)), 'other_schema'],
      ['a list', (key) => client.rpush(key, 'a'), 'wrong_type'],
    ];
    const { store, refused } = await openStore(t, server.url);
    for (const [what, write, reason] of cases) {
      await client.flushall();
      const generation = await load(3);
      await client.del(keys.loaded(generation, 'u1'));
      await write(keys.loaded(generation, 'u1'));
      refused.length = 0;
      t.same(await readOne(store, 'u1'), UNKNOWN, what);
      t.match(refused, [reason], `${what} is counted as ${reason}`);
      t.equal((await readOne(store, 'u2'))[0]![1], 'PRESENT', `${what} harms no other row`);

      await load(3);
      t.equal((await readOne(store, 'u1'))[0]![0], 20, `${what} is overwritten by loading again`);
      await client.del(keys.pushed('u1'));
      await write(keys.pushed('u1'));
      t.equal(await push('u1', LOADED_AT + 1, 41), 1);
      t.equal((await readOne(store, 'u1'))[0]![0], 41, `${what} is overwritten by a push`);
    }
  });

  await t.test('a pointer that names no generation leaves what was pushed', async (t) => {
    const { store, refused } = await openStore(t, server.url);
    await load(3);
    await push('u1', LOADED_AT, 50);
    for (const pointer of ['', 'pushed', '../1', '1'.repeat(500)]) {
      await client.set(keys.pointer, pointer);
      await t.rejects(readOne(store, 'u0'), { code: 'FEATURES_NOT_LOADED' });
      t.equal((await readOne(store, 'u1'))[0]![0], 50);
    }
    await client.del(keys.pointer);
    await client.rpush(keys.pointer, 'x');
    await t.rejects(readOne(store, 'u0'), { code: 'FEATURES_NOT_LOADED' });
    t.same(refused, ['wrong_type']);
  });

  await t.test('the newer of a loaded and a pushed row counts, whichever came first', async (t) => {
    const { store } = await openStore(t, server.url);
    await load(3);
    await push('u0', LOADED_AT + 10, 50);
    t.equal((await readOne(store, 'u0'))[0]![0], 50);
    await load(3, { age: 60, eventTime: LOADED_AT + 5 }, '2');
    t.equal((await readOne(store, 'u0'))[0]![0], 50, 'a push outlives a generation that knows less');
    t.equal((await readOne(store, 'u1'))[0]![0], 60);
    await load(3, { age: 70, eventTime: LOADED_AT + 11 }, '3');
    t.equal((await readOne(store, 'u0'))[0]![0], 70);
    await push('new', LOADED_AT, 51);
    t.equal((await readOne(store, 'new'))[0]![0], 51, 'somebody that no generation knows');
  });

  await t.test('an older event time never overwrites a newer one', async (t) => {
    const { store } = await openStore(t, server.url);
    t.equal(await push('u0', 200, 42), 1);
    t.equal(await push('u0', 100, 41), 0);
    t.equal((await readOne(store, 'u0'))[0]![0], 42);
    t.equal(await push('u0', 200, 43), 1, 'of the same time the last one counts');
    t.equal(await push('u0', -5, 44), 0, 'before 1970 is before');
    const times = Array.from({ length: 200 }, (_, at) => 1000 + ((at * 7919) % 200));
    await Promise.all(times.map((time) => push('u1', time, time)));
    t.equal((await readOne(store, 'u1'))[0]![0], 1199, 'in whatever order they arrive');
  });

  await t.test('every key expires', async (t) => {
    await load(1500);
    await push('u0', LOADED_AT, 50);
    const all = await client.keys('*');
    t.equal(all.length, 1503, 'rows, a pushed one, the pointer, and what a whole generation has');
    for (const key of all) t.ok((await client.ttl(key)) > HOUR - 60, key);
  });

  await t.test('values past their time to live are stale, field by field', async (t) => {
    await load(1);
    const view = {
      ...USERS,
      timeToLiveSeconds: 100,
      fields: USERS.fields.map((field) =>
        field.name === 'premium' ? { ...field, timeToLiveSeconds: 200 } : field,
      ),
    };
    const byDefault = await openStore(t, server.url, { view });
    const used = await openStore(t, server.url, { view: { ...view, whenStale: 'use' } });
    const refusing = await openStore(t, server.url, { view: { ...view, whenStale: 'refuse' } });
    const fresh = [
      [20, 'PRESENT'],
      [0, 'PRESENT'],
      [-1, 'DEFAULTED'],
    ];
    t.same(await readOne(byDefault.store, 'u0', LOADED_AT + 99), fresh);
    t.same(await readOne(refusing.store, 'u0', LOADED_AT + 99), fresh);
    t.same(await readOne(byDefault.store, 'u0', LOADED_AT - HOUR), fresh, 'a clock that is behind');
    t.same(await readOne(byDefault.store, 'u0', LOADED_AT + 100), [[35, 'STALE'], ...fresh.slice(1)]);
    t.same(await readOne(used.store, 'u0', LOADED_AT + 200), [[20, 'STALE'], [0, 'STALE'], fresh[2]]);
    await t.rejects(readOne(refusing.store, 'u0', LOADED_AT + 100), {
      code: 'FEATURES_FAILED',
      message: /^age of user "u0" is older than its time to live/,
    });
  });
});

import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t from 'tap';
import { materialiseView } from '../../src/features/materialise-view.js';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { createRowCodec } from '../../src/features/row-codec.js';
import {
  DEGRADED,
  NOT_LOADED,
  type OnlineServer,
  publishOnlineBundle,
  startOnlineServer,
  WHOLE,
} from '../support/online-server.js';
import {
  createRedisServer,
  REDIS_MISSING,
  type RedisServer,
  startRedisServer,
} from '../support/redis-server.js';
import { connect, SPACE } from '../support/redis-view.js';
import { type Faults, startFaultProxy } from '../support/tcp-fault-proxy.js';

const GONE = 'Redis fails: users have the declared defaults until it answers';
const BACK = 'Redis answers again: users have their values';
const LOST =
  'Redis does not have the rows of the view: users without one have the declared defaults until `shortlist materialise` has run';
const LOADED = 'Redis has the rows of the view: users have their values';
const online = await publishOnlineBundle(t.testdir({}));
const { view } = online;
const space = { ...SPACE, dataset: online.manifest.dataset.name };
const keys = createRedisKeys(view, space);
const users = Array.from({ length: 80 }, (_, user) => `u${user}`);
/** A machine that runs other tests too does not reach the time limit by itself. */
const PATIENT = { commandTimeoutMs: 200 };
const SOON = { ...PATIENT, breakerProbeAfterMs: 50 };
const LOADING = { space, version: '1', expirySeconds: 3600 };
const source = {
  view,
  ids: users,
  eventTimeOf: () => 1_700_000_000,
  fillRow: (_row: number, values: Float64Array) => values.fill(0),
};

async function fill(t: Parameters<typeof connect>[0], server: RedisServer) {
  const client = await connect(t, server.url);
  await materialiseView(source, client, LOADING);
  return client;
}

/** What was told of whether Redis answers. */
function listChanges({ notices }: OnlineServer): string[] {
  return notices.filter((notice) => notice === GONE || notice === BACK);
}

/** Asks until Redis has a part in the answer; the test's own time limit ends it otherwise. */
async function untilWhole(server: OnlineServer): Promise<void> {
  while (((await server.ask('u1')).degraded as unknown[]).length > 0) await wait(5);
}

/** Asks, ten requests at a time, until the breaker has opened; every answer is a whole slate. */
async function askUntilOpen(t: Parameters<typeof connect>[0], server: OnlineServer): Promise<void> {
  while (server.notices.at(-1) !== GONE) {
    const answers = await Promise.all(users.slice(0, 10).map((user) => server.ask(user)));
    for (const answer of answers) if (answer.status !== 200 || answer.items !== 5) t.same(answer, DEGRADED);
  }
}

t.test('a server over a faulty Redis', { skip: REDIS_MISSING }, async (t) => {
  await t.test('starts without it, answers with the defaults, and uses it when it comes', async (t) => {
    const redis = await createRedisServer(t);
    const server = await startOnlineServer(t, online, redis.url, { ...SOON, threads: true });
    t.same(await server.ask('u1'), DEGRADED);
    t.same(server.notices, [GONE], 'warming up was enough to see it');
    t.match(await server.metrics(), 'shortlist_feature_store_up{view="users"} 0');
    t.match(await server.push([{ id: 'u1', values: {} }]), {
      status: 503,
      body: { code: 'FEATURES_FAILED' },
    });
    t.match(await server.metrics(), 'shortlist_online_rows_pushed_total{view="users",outcome="failed"} 1');
    await redis.start();
    await fill(t, redis);
    await untilWhole(server);
    t.same(listChanges(server), [GONE, BACK], 'one line per change');
    t.match(await server.metrics(), 'shortlist_feature_store_up{view="users"} 1');
    t.match(await server.metrics(), /newest_event_timestamp_seconds\{view="users"\} 1700000000/);
  });

  await t.test('that is killed under load and started anew never sees a client fail', async (t) => {
    const redis = await startRedisServer(t);
    await fill(t, redis);
    const server = await startOnlineServer(t, online, redis.url, { ...SOON, threads: true });
    const answers: { status: number; items: number }[] = [];
    const load = { done: false };
    const clients = users.slice(0, 8).map(async (user) => {
      while (!load.done) answers.push(await server.ask(user));
    });
    t.same(await server.ask('u1'), WHOLE);
    await redis.kill();
    while (server.notices.length < 1) await wait(5);
    await redis.start();
    while (server.notices.length < 3) await wait(5);
    await fill(t, redis);
    load.done = true;
    await Promise.all(clients);
    t.same(
      answers.filter(({ status, items }) => status !== 200 || items !== 5),
      [],
    );
    t.same(await server.ask('u1'), WHOLE);
    t.same(server.notices, [GONE, BACK, LOST, LOADED], 'it came back empty');
  });

  await t.test('that hangs is sent nothing but probes, and goes on without what was not sent', async (t) => {
    const redis = await startRedisServer(t);
    const client = await fill(t, redis);
    const proxy = await startFaultProxy(t, redis.port);
    const server = await startOnlineServer(t, online, `redis://127.0.0.1:${proxy.port}`, {
      ...PATIENT,
      breakerProbeAfterMs: 60_000,
    });
    t.same(await server.ask('u1'), WHOLE);
    redis.pause();
    await askUntilOpen(t, server);
    await wait(PATIENT.commandTimeoutMs);
    const sent = proxy.commands.length;
    for (let count = 0; count < 80; count++) t.same(await server.ask('u1'), DEGRADED);
    t.same(
      proxy.commands.slice(sent).filter((name) => name === 'get'),
      [],
      'no request asks it',
    );
    t.match(await server.push([{ id: 'late', values: {} }]), { status: 503 });
    redis.resume();
    t.same(await client.keys('*late*'), [], 'a push that was refused is not written later');
    t.same(server.notices, [GONE]);
  });

  const slow: [what: string, faults: Faults][] = [
    ['is 400 ms away', { latencyMs: 400 }],
    ['sends 1 kB a second', { bytesPerSecond: 1000 }],
    ['answers nothing', { blackHole: true }],
    ['resets every connection', { reset: true }],
    ['answers with garbage', { reply: Buffer.from(Array.from({ length: 200 }, (_, at) => (at * 73) % 256)) }],
    ['is an HTTP server', { reply: Buffer.from('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n') }],
    ['announces more bytes than there can be', { reply: Buffer.from('$99999999999999\r\nabc') }],
    [
      'answers errors',
      { reply: Buffer.from('-LOADING Redis is loading the dataset in memory\r\n'.repeat(3)) },
    ],
  ];
  for (const [what, faults] of slow) {
    await t.test(`that ${what} costs values, not answers, and is used again after it`, async (t) => {
      const redis = await startRedisServer(t);
      await fill(t, redis);
      const proxy = await startFaultProxy(t, redis.port);
      const server = await startOnlineServer(t, online, `redis://127.0.0.1:${proxy.port}`, SOON);
      t.same(await server.ask('u1'), WHOLE);
      proxy.inject(faults);
      await askUntilOpen(t, server);
      t.same(await server.ask('u1'), DEGRADED);
      proxy.inject({});
      await untilWhole(server);
      t.same(server.notices, [GONE, BACK], 'one line per change');
    });
  }

  await t.test('whose bytes arrive three at a time is whole', async (t) => {
    const redis = await startRedisServer(t);
    await fill(t, redis);
    const proxy = await startFaultProxy(t, redis.port);
    const patient = { commandTimeoutMs: 5000, socketTimeoutMs: 5000 };
    const server = await startOnlineServer(t, online, `redis://127.0.0.1:${proxy.port}`, patient);
    proxy.inject({ sliceBytes: 3 });
    for (const user of users.slice(0, 5)) t.same(await server.ask(user), WHOLE);
    t.same(server.notices, []);
  });

  await t.test('that is full serves what it has and refuses pushes', async (t) => {
    const redis = await startRedisServer(t);
    const client = await fill(t, redis);
    const server = await startOnlineServer(t, online, redis.url, PATIENT);
    await client.config('SET', 'maxmemory', '1');
    t.same(await server.ask('u1'), WHOLE);
    const refused = await server.push([{ id: 'u1', values: {} }]);
    t.match(refused, { status: 503, body: { code: 'FEATURES_FAILED', detail: /OOM/ } });
    await t.rejects(materialiseView(source, client, { ...LOADING, version: '2' }), { message: /OOM/ });
    t.same(await server.ask('u1'), WHOLE);
    t.same(server.notices, []);
  });

  await t.test('that evicts everything is told from one that does not know a user', async (t) => {
    const redis = await startRedisServer(t);
    const client = await fill(t, redis);
    const server = await startOnlineServer(t, online, redis.url, PATIENT);
    t.same(await server.ask('nobody'), WHOLE, 'an unknown user is no fault');
    await client.config('SET', 'maxmemory-policy', 'allkeys-random');
    await client.config('SET', 'maxmemory', '1');
    while ((await client.dbsize()) > 0) await client.set('x', 'y').catch(() => undefined);
    t.same(await server.ask('u1'), NOT_LOADED);
    t.same(server.notices, [LOST]);
  });

  await t.test('that became a replica is read, and refuses pushes', async (t) => {
    const redis = await startRedisServer(t);
    const client = await fill(t, redis);
    const server = await startOnlineServer(t, online, redis.url, PATIENT);
    await client.replicaof('127.0.0.1', 1);
    t.same(await server.ask('u1'), WHOLE);
    const refused = await server.push([{ id: 'u1', values: {} }]);
    t.match(refused, { status: 503, body: { detail: /READONLY/ } });
  });

  await t.test('that loads its file is asked when it has', async (t) => {
    const dir = t.testdir({});
    const redis = await createRedisServer(t);
    const files = [
      '--dir',
      dir,
      '--key-load-delay',
      '20000',
      '--loading-process-events-interval-bytes',
      '1024',
    ];
    await redis.start('--dir', dir);
    const client = await fill(t, redis);
    const filler = client.pipeline();
    for (let key = 0; key < 400; key++) filler.set(`filler:${key}`, 'x'.repeat(100));
    await filler.exec();
    await client.save();
    await redis.kill();
    redis.launch(...files);
    const server = await startOnlineServer(t, online, redis.url, SOON);
    t.same(await server.ask('u1'), DEGRADED);
    t.same(server.notices, [GONE]);
    const hurry = new Redis(redis.url, { enableReadyCheck: false });
    await hurry.config('SET', 'key-load-delay', 0);
    hurry.disconnect();
    await untilWhole(server);
  });

  await t.test('that lets nobody in costs values, and no answer or line has the password', async (t) => {
    const redis = await startRedisServer(t, '--requirepass', 'right');
    const server = await startOnlineServer(t, online, `redis://:wr0ng@127.0.0.1:${redis.port}`, SOON);
    t.same(await server.ask('u1'), DEGRADED);
    const refused = await server.push([{ id: 'u1', values: {} }]);
    t.equal(refused.status, 503);
    t.notMatch(JSON.stringify([refused, server.notices]), 'wr0ng');
  });

  await t.test('whose rows are none of the view is counted and healed by the next write', async (t) => {
    const redis = await startRedisServer(t);
    const client = await fill(t, redis);
    const server = await startOnlineServer(t, online, redis.url, PATIENT);
    const codec = createRowCodec(view, space);
    const good = codec.encode(new Float64Array(codec.rowBytes), 1_800_000_000);
    const other = createRowCodec({ ...view, fields: view.fields.slice(1) }, space);
    const nan = codec.encode(new Float64Array(codec.rowBytes).fill(Number.POSITIVE_INFINITY), 1);
    const cases: [reason: string, write: (key: string) => Promise<unknown>][] = [
      ['corrupt', (key) => client.set(key, 'hello')],
      ['corrupt', (key) => client.set(key, good.subarray(0, -1))],
      ['corrupt', (key) => client.set(key, nan)],
      ['other_schema', (key) => client.set(key, other.encode([], 1))],
      ['wrong_type', (key) => client.rpush(key, 'a')],
    ];
    const refused = async (reason: string): Promise<number> => {
      const pattern = new RegExp(`rows_refused_total\\{view="users",reason="${reason}"\\} (\\d+)`);
      return Number(pattern.exec(await server.metrics())?.[1] ?? 0);
    };
    for (const [reason, write] of cases) {
      const before = await refused(reason);
      await client.del(keys.pushed('u1'));
      await write(keys.pushed('u1'));
      t.same(await server.ask('u1'), WHOLE);
      t.equal(await refused(reason), before + 1, reason);
      t.match(await server.push([{ id: 'u1', values: {} }]), { status: 200, body: { written: 1, older: 0 } });
      t.equal(codec.findFault((await client.getBuffer(keys.pushed('u1')))!), undefined);
      t.same(await server.ask('u1'), WHOLE);
      t.equal(await refused(reason), before + 1, 'healed');
    }
  });
});

t.test('rows that are not in Redis are told from users that are not', { skip: REDIS_MISSING }, async (t) => {
  const up = /feature_generation_up\{view="users"\} (\d)/;
  /** What takes rows away, and whom a request is then not answered whole for. */
  const cases: [what: string, lose: (client: Redis) => Promise<unknown>, user: string][] = [
    ['it was flushed', (client) => client.flushall(), 'u1'],
    ['its pointer is gone', (client) => client.del(keys.pointer), 'u1'],
    ['its pointer is no name', (client) => client.set(keys.pointer, 'x'), 'u1'],
    ['its pointer is of another type', (client) => replaceByList(client, keys.pointer), 'u1'],
    ['what it points at has other fields', (client) => pointAtOtherFields(client), 'u1'],
    ['half of the generation was evicted', (client) => removeHalf(client, 0), 'u0'],
    ['the other half was', (client) => removeHalf(client, 1), 'u1'],
    ['all rows expired, and the pointer did not', (client) => removeRows(client, () => true), 'u1'],
    ['one row was, and what says which rows there are', (client) => removeOneAndWitnesses(client), 'u1'],
  ];
  for (const [what, lose, user] of cases) {
    await t.test(what, async (t) => {
      const redis = await startRedisServer(t);
      const client = await fill(t, redis);
      const server = await startOnlineServer(t, online, redis.url, PATIENT);
      t.same(await server.ask('u1'), WHOLE);
      t.match(await server.metrics(), 'feature_generation_up{view="users"} 1');
      await lose(client);
      t.same(await server.ask(user), NOT_LOADED);
      t.same(await server.ask(user), NOT_LOADED);
      t.same(server.notices, [LOST], 'one line');
      t.equal(up.exec(await server.metrics())?.[1], '0');
      await fill(t, redis);
      t.same(await server.ask(user), WHOLE);
      t.same(server.notices, [LOST, LOADED]);
      t.equal(up.exec(await server.metrics())?.[1], '1');
    });
  }

  await t.test('it was never loaded: told before anybody asks, and what is pushed is used', async (t) => {
    const redis = await startRedisServer(t);
    const server = await startOnlineServer(t, online, redis.url, PATIENT);
    t.equal(up.exec(await server.metrics())?.[1], '0');
    t.same(server.notices, [LOST]);
    t.match(await server.push([{ id: 'u1', values: {} }]), { status: 200 });
    t.same(await server.ask('u1'), WHOLE);
    t.same(await server.ask('u2'), NOT_LOADED);
  });

  // The control: nothing is lost, and somebody whom no row is about is no fault.
  await t.test('a user without a row in a whole generation is unknown, and nothing is told', async (t) => {
    const redis = await startRedisServer(t);
    await fill(t, redis);
    const server = await startOnlineServer(t, online, redis.url, PATIENT);
    t.same(await server.ask('nobody'), WHOLE);
    t.same(server.notices, []);
    t.equal(up.exec(await server.metrics())?.[1], '1');
  });
});

async function replaceByList(client: Redis, key: string): Promise<void> {
  await client.del(key);
  await client.rpush(key, 'x');
}

async function pointAtOtherFields(client: Redis): Promise<void> {
  const other = { ...view, fields: view.fields.slice(1) };
  await materialiseView({ ...source, view: other }, client, { ...LOADING, version: '2' });
}

async function removeRows(client: Redis, isRemoved: (user: number) => boolean): Promise<void> {
  const generation = (await client.get(keys.pointer))!;
  const removed = users.filter((_, user) => isRemoved(user));
  await client.del(...removed.map((user) => keys.loaded(generation, user)));
}

function removeHalf(client: Redis, which: 0 | 1): Promise<void> {
  return removeRows(client, (user) => user % 2 === which);
}

async function removeOneAndWitnesses(client: Redis): Promise<void> {
  await removeRows(client, (user) => user === 1);
  await client.del(keys.witnesses((await client.get(keys.pointer))!));
}

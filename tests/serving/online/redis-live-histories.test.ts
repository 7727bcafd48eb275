import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t from 'tap';
import { createEventKeys } from '../../../src/events/redis/event-keys.js';
import { materialiseView } from '../../../src/features/materialise-view.js';
import { createRedisKeys } from '../../../src/features/redis-keys.js';
import { type OnlineServer, publishOnlineBundle, startOnlineServer } from '../../support/online-server.js';
import { startRedisCluster } from '../../support/redis-groups.js';
import {
  createRedisServer,
  REDIS_MISSING,
  type RedisServer,
  startRedisServer,
} from '../../support/redis-server.js';
import { connect, SPACE } from '../../support/redis-view.js';
import { startFaultProxy } from '../../support/tcp-fault-proxy.js';

const online = await publishOnlineBundle(t.testdir({}));
const offline = { ...online, registry: online.registry };
/** A machine that runs other tests too does not reach the time limit by itself. */
const PATIENT = { commandTimeoutMs: 500, events: true };
const UNREAD = { stage: 'history', reason: 'history_failed' };
const LOST = 'what users did lately cannot be read';
const BACK = 'what users did lately is read again';
const click = (userId: string, itemId: string): object => ({ userId, itemId, type: 'click' });

async function fill(t: Parameters<typeof connect>[0], url: string): Promise<void> {
  const source = {
    view: online.view,
    ids: Array.from({ length: 80 }, (_, user) => `u${user}`),
    eventTimeOf: () => 1_700_000_000,
    fillRow: (_row: number, values: Float64Array) => values.fill(0),
  };
  const space = { ...SPACE, dataset: online.manifest.dataset.name };
  await materialiseView(source, await connect(t, url), { space, version: '1', expirySeconds: 3600 });
}

/** Round trips of one request, and the commands that it sent. */
async function watch(
  t: Parameters<typeof connect>[0],
  redis: RedisServer,
  changes: { online?: boolean; events?: boolean },
) {
  const proxy = await startFaultProxy(t, redis.port);
  const server = await startOnlineServer(t, online, `redis://127.0.0.1:${proxy.port}`, {
    ...PATIENT,
    ...changes,
  });
  await server.ask('u1');
  const [before, sent] = [proxy.roundTrips, proxy.commands.length];
  t.match(await server.ask('u1'), { status: 200, degraded: [] });
  return { roundTrips: proxy.roundTrips - before, commands: proxy.commands.slice(sent).toSorted() };
}

t.test('a history of Redis is read', { skip: REDIS_MISSING }, async (t) => {
  const redis = await startRedisServer(t);
  await fill(t, redis.url);

  await t.test('in the round trip of the user’s rows', async (t) => {
    t.same(await watch(t, redis, {}), { roundTrips: 1, commands: ['get', 'get', 'get', 'zrange'] });
  });

  await t.test('as rows alone are', async (t) => {
    t.same(await watch(t, redis, { events: false }), { roundTrips: 1, commands: ['get', 'get', 'get'] });
  });

  await t.test('in one round trip where no view is online', async (t) => {
    t.same(await watch(t, redis, { online: false }), { roundTrips: 1, commands: ['zrange'] });
  });

  await t.test('by the next request, whichever server was told', async (t) => {
    const [here, there] = await Promise.all(
      [1, 2].map(() => startOnlineServer(t, online, redis.url, PATIENT)),
    );
    for (let user = 10; user < 30; user++) {
      const [seen] = await there!.list(`u${user}?limit=1`);
      t.match(await here!.tell([click(`u${user}`, seen!)]), { status: 202, body: { accepted: 1 } });
      t.notOk((await there!.list(`u${user}?limit=20`)).includes(seen!), `u${user} is not shown it again`);
      t.notOk((await here!.list(`u${user}?limit=20`)).includes(seen!));
    }
  });
});

/** Asks until an answer says that the history was, or was not, read; the test's own time limit ends it otherwise. */
async function until(server: OnlineServer, isRead: boolean): Promise<void> {
  for (;;) {
    const { status, degraded } = await server.ask('u1');
    if (status !== 200) throw new Error(`status ${status}`);
    if ((degraded as { stage: string }[]).some(({ stage }) => stage === 'history') !== isRead) return;
    await wait(5);
  }
}

t.test('a server over a Redis that', { skip: REDIS_MISSING }, async (t) => {
  const SOON = { ...PATIENT, breakerProbeAfterMs: 50, online: false };

  await t.test('was never up goes by the bundle and refuses events, until it comes', async (t) => {
    const redis = await createRedisServer(t);
    const server = await startOnlineServer(t, offline, redis.url, SOON);
    t.match(await server.ask('u1'), { status: 200, degraded: [UNREAD], items: 5 });
    t.match(await server.tell([click('u1', 'i1')]), {
      status: 503,
      retryAfter: /^\d+$/,
      body: { code: 'EVENTS_UNAVAILABLE' },
    });
    await redis.start();
    await until(server, true);
    while ((await server.tell([click('u1', 'i1')])).status !== 202) await wait(5);
  });

  await t.test('hangs goes by the bundle, asks it no more, and goes on when it does', async (t) => {
    const redis = await startRedisServer(t);
    const server = await startOnlineServer(t, offline, redis.url, { ...SOON, commandTimeoutMs: 100 });
    t.match(await server.ask('u1'), { status: 200, degraded: [] });
    redis.pause();
    while (!server.notices.includes(LOST))
      t.match(await server.ask('u1'), { status: 200, degraded: [UNREAD] });
    redis.resume();
    await until(server, true);
    t.same(
      server.notices.filter((notice) => notice === LOST || notice === BACK),
      [LOST, BACK],
      'told once',
    );
    t.match(await server.metrics(), /shortlist_live_history_requests_total\{outcome="failed"\} [1-9]/);
  });

  await t.test('has a key of another type for one user goes by the bundle for that one', async (t) => {
    const redis = await startRedisServer(t);
    const client = new Redis(redis.url);
    t.teardown(() => client.disconnect());
    const server = await startOnlineServer(t, offline, redis.url, SOON);
    await client.set('shortlist:history:user:{u1}', 'hello');
    for (let request = 0; request < 40; request++)
      t.match(await server.ask('u1'), { status: 200, degraded: [UNREAD], items: 5 });
    t.match(await server.ask('u2'), { status: 200, degraded: [] }, 'and it is no reason to ask for nobody');
    t.match(await server.tell([click('u1', 'i1')]), { status: 202 });
    t.match(await server.ask('u1'), { status: 200, degraded: [] }, 'until the user does something');
    await client.zadd('shortlist:history:user:{u1}', 5, 'hello', Date.now(), '[1,2]');
    t.match(await server.ask('u1'), { status: 200, degraded: [] }, 'what nobody of us wrote is left out');
  });

  await t.test('is full answers, and refuses events', async (t) => {
    const redis = await startRedisServer(t);
    const client = new Redis(redis.url);
    t.teardown(() => client.disconnect());
    const server = await startOnlineServer(t, offline, redis.url, SOON);
    await server.tell([click('u1', 'i1')]);
    await client.config('SET', 'maxmemory', '1');
    t.match(await server.tell([click('u1', 'i2')]), { status: 503 });
    t.match(await server.ask('u1'), { status: 200, degraded: [] });
    t.match(await server.metrics(), 'shortlist_event_store_up{store="redis"} 0');
  });
});

t.test(
  'a cluster has the history of a user beside the rows, whatever the id',
  { skip: REDIS_MISSING },
  async (t) => {
    const { url, nodes } = await startRedisCluster(t, t.testdir());
    const server = await startOnlineServer(t, online, url, PATIENT);
    const client = new Redis(nodes[0]!.url);
    t.teardown(() => client.disconnect());
    const rows = createRedisKeys(online.view, SPACE);
    const histories = createEventKeys(SPACE.prefix);
    for (const userId of ['u1', 'a}b', '{', '{}', 'x{y}z', '}', '}}{']) {
      t.match(await server.tell([click(userId, 'i1')]), { status: 202 }, userId);
      const { status, degraded } = await server.ask(encodeURIComponent(userId));
      t.equal(status, 200);
      t.same(
        (degraded as { stage: string }[]).filter(({ stage }) => stage === 'history'),
        [],
      );
      const [ofRows, ofHistory] = await Promise.all(
        [rows.pushed(userId), histories.history(['user', userId])].map((key) =>
          client.cluster('KEYSLOT', key),
        ),
      );
      // Between braces that hold nothing Redis sees no tag: the rows of that user lie on several nodes too.
      if (userId !== '}') t.equal(ofHistory, ofRows, userId);
    }
  },
);

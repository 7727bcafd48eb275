import { setImmediate as turn } from 'node:timers/promises';
import type { InjectOptions } from 'fastify';
import t from 'tap';
import { createApiKey } from '../../../src/config/api-keys.js';
import { REDIS_MISSING, startRedisServer } from '../../support/redis-server.js';
import { connect } from '../../support/redis-view.js';
import { startTokenIssuer } from '../../support/token-issuer.js';
import { build } from '../build.js';

/** Long enough that no window ends within a test. */
const LIMIT = { requests: 3, windowSeconds: 3600, store: 'memory' } as const;

const ONE = createApiKey('one', ['read']);
const TWO = createApiKey('two', ['read']);

type Built = ReturnType<typeof build>;

/** Statuses of the same request, asked so many times. */
async function askTimes(app: Built['app'], times: number, request: InjectOptions): Promise<number[]> {
  const statuses: number[] = [];
  for (let count = 0; count < times; count++) statuses.push((await app.inject(request)).statusCode);
  return statuses;
}

t.test('nothing is limited by default', async (t) => {
  const { app } = build(t);
  t.strictSame([...new Set(await askTimes(app, 50, { url: '/popular' }))], [200]);
  t.equal((await app.inject('/popular')).headers['ratelimit-limit'], undefined);
});

t.test('beyond the limit requests are a 429 that says when to come back', async (t) => {
  const { app, service } = build(t, { rateLimit: LIMIT });
  const first = await app.inject('/popular');
  t.match(first.headers, { 'ratelimit-limit': '3', 'ratelimit-remaining': '2', 'ratelimit-reset': '3600' });
  t.strictSame(await askTimes(app, 3, { url: '/recommendations/42' }), [200, 200, 429]);
  const refused = await app.inject('/popular');
  t.match(refused.headers['content-type'], 'application/problem+json');
  t.match(refused.json(), {
    code: 'RATE_LIMITED',
    detail: /^More than 3 requests in 3600 s\. Try again in \d+ s\.$/,
  });
  t.match(refused.headers, { 'retry-after': /^\d+$/, 'ratelimit-remaining': '0' });
  t.equal(service.asked.length, 3);
});

t.test('probes and the admin listener are not limited', async (t) => {
  const { app, admin } = build(t, { rateLimit: LIMIT });
  await askTimes(app, 4, { url: '/popular' });
  for (const url of ['/live', '/ready'])
    t.strictSame(await askTimes(app, 5, { url }), [200, 200, 200, 200, 200]);
  t.strictSame(await askTimes(admin, 5, { url: '/bundle' }), [200, 200, 200, 200, 200]);
});

t.test('addresses have limits of their own, a /64 of IPv6 has one', async (t) => {
  const { app } = build(t, { rateLimit: LIMIT });
  const from = (remoteAddress: string) => ({ url: '/popular', remoteAddress });
  t.strictSame(await askTimes(app, 4, from('198.51.100.1')), [200, 200, 200, 429]);
  t.strictSame(await askTimes(app, 1, from('198.51.100.2')), [200]);
  t.strictSame(await askTimes(app, 1, from('::ffff:198.51.100.1')), [429]);
  t.strictSame(await askTimes(app, 3, from('2001:db8:1:2::a')), [200, 200, 200]);
  t.strictSame(await askTimes(app, 1, from('2001:db8:1:2::b')), [429]);
  t.strictSame(await askTimes(app, 1, from('2001:db8:1:3::b')), [200]);
});

t.test('a forwarded address counts only where a trusted proxy gives it', async (t) => {
  const ask = async ({ app }: Built) => {
    const statuses: number[] = [];
    for (let client = 0; client < 5; client++) {
      const headers = { 'x-forwarded-for': `203.0.113.${client}` };
      statuses.push(...(await askTimes(app, 1, { url: '/popular', headers })));
    }
    return statuses;
  };
  t.strictSame(await ask(build(t, { rateLimit: LIMIT })), [200, 200, 200, 429, 429]);
  const trusting = build(t, { rateLimit: LIMIT, server: { trustProxy: ['127.0.0.1'] } });
  t.strictSame(await ask(trusting), [200, 200, 200, 200, 200]);
});

t.test('each key and each subject has a limit, wherever it comes from', async (t) => {
  const issuer = await startTokenIssuer(t);
  const { app } = build(t, {
    rateLimit: LIMIT,
    auth: { mode: 'required', apiKeys: [ONE.entry, TWO.entry] },
    jwt: { ...build(t).settings.jwt, ...issuer.settings },
  });
  const as = (credential: string) => ({
    url: '/popular',
    headers: { authorization: `Bearer ${credential}` },
  });
  t.strictSame(await askTimes(app, 4, as(ONE.key)), [200, 200, 200, 429]);
  t.strictSame(await askTimes(app, 1, { ...as(ONE.key), remoteAddress: '198.51.100.1' }), [429]);
  t.strictSame(await askTimes(app, 1, as(TWO.key)), [200]);
  const u1 = await issuer.sign();
  t.strictSame(await askTimes(app, 3, as(u1)), [200, 200, 200]);
  t.strictSame(await askTimes(app, 1, as(await issuer.sign())), [429], 'another token of the same user');
  t.strictSame(await askTimes(app, 1, as(await issuer.sign({ sub: 'u2' }))), [200]);
});

t.test('guessing keys is limited by address, and does not use up the limit of a key', async (t) => {
  const { app } = build(t, { rateLimit: LIMIT, auth: { mode: 'required', apiKeys: [ONE.entry] } });
  const guess = () => ({ url: '/popular', headers: { 'x-api-key': createApiKey('x', ['read']).key } });
  const statuses: number[] = [];
  for (let count = 0; count < 5; count++) statuses.push(...(await askTimes(app, 1, guess())));
  t.strictSame(statuses, [401, 401, 401, 429, 429]);
  t.strictSame(await askTimes(app, 1, { url: '/popular', headers: { 'x-api-key': ONE.key } }), [200]);
});

t.test('limits in Redis', { skip: REDIS_MISSING }, async (t) => {
  const shared = (url: string, redis: object = {}): Parameters<typeof build>[1] => ({
    rateLimit: { ...LIMIT, store: 'redis' },
    redis: { ...build(t).settings.redis, url, commandTimeoutMs: 5000, socketTimeoutMs: 10_000, ...redis },
  });
  /** What a test of failures waits for: short. */
  const IMPATIENT = {
    commandTimeoutMs: 30,
    socketTimeoutMs: 200,
    connectTimeoutMs: 200,
    breakerProbeAfterMs: 20,
  };

  await t.test('processes share them, under keys that end with the window', async (t) => {
    const server = await startRedisServer(t);
    const [a, b] = [build(t, shared(server.url)), build(t, shared(server.url))];
    t.strictSame(await askTimes(a.app, 2, { url: '/popular' }), [200, 200]);
    t.strictSame(await askTimes(b.app, 2, { url: '/popular' }), [200, 429]);
    const client = await connect(t, server.url);
    const keys = await client.keys('*');
    t.strictSame(keys, ['shortlist:rate:demo:ip:127.0.0.1']);
    const milliseconds = await client.pttl(keys[0]!);
    t.ok(milliseconds > 0 && milliseconds <= 3_600_000);
    t.match((await a.admin.inject('/metrics')).body, 'shortlist_rate_limit_store_up{store="redis"} 1');
  });

  await t.test('a Redis that dies leaves each process its own limit, until it is back', async (t) => {
    const server = await startRedisServer(t);
    const { app, admin, readLog } = build(t, shared(server.url, IMPATIENT));
    await app.ready();
    await server.kill();
    t.strictSame(await askTimes(app, 5, { url: '/popular' }), [200, 200, 200, 429, 429], 'the limit holds');
    while (!(await metricsOf(admin)).includes('store_up{store="redis"} 0')) await askOnce(app);
    await server.start();
    while ((await askOnce(app)) === 429);
    t.match(await metricsOf(admin), 'shortlist_rate_limit_store_up{store="redis"} 1');
    const notices = readLog().filter(({ msg }) => String(msg).startsWith('Redis'));
    t.match(notices, [
      { level: 'warn', msg: /each process keeps its own/ },
      { level: 'info', msg: /are shared/ },
    ]);
  });

  await t.test('a Redis that hangs holds up nobody for long, and is nobody’s error', async (t) => {
    const server = await startRedisServer(t);
    const { app, admin } = build(t, shared(server.url, IMPATIENT));
    await app.ready();
    server.pause();
    t.teardown(() => server.resume());
    const statuses = await askTimes(app, 25, { url: '/popular' });
    t.strictSame([...new Set(statuses)], [200, 429]);
    t.match(await metricsOf(admin), 'shortlist_rate_limit_store_up{store="redis"} 0');
  });

  await t.test('a Redis that was never there does not keep the server from starting', async (t) => {
    const { app } = build(t, shared('redis://127.0.0.1:1', IMPATIENT));
    t.strictSame(await askTimes(app, 4, { url: '/popular' }), [200, 200, 200, 429]);
  });

  await t.test(
    'a key of another type, a full or a read-only Redis cost the sharing, nothing else',
    async (t) => {
      const server = await startRedisServer(t, '--maxmemory', '1');
      const { app } = build(t, shared(server.url));
      t.strictSame(await askTimes(app, 4, { url: '/popular' }), [200, 200, 200, 429]);
      const client = await connect(t, server.url);
      await client.config('SET', 'maxmemory', '0');
      await client.lpush('shortlist:rate:demo:ip:127.0.0.1', 'x');
      t.strictSame(await askTimes(app, 1, { url: '/popular' }), [429]);
    },
  );
});

/** An injected request takes no turn of the event loop, in which Redis would be heard. */
async function askOnce(app: Built['app']): Promise<number> {
  await turn();
  return (await app.inject('/popular')).statusCode;
}

async function metricsOf(admin: Built['admin']): Promise<string> {
  return (await admin.inject('/metrics')).body;
}

import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { openRedisOverrides } from '../../src/overrides/redis-overrides.js';
import { startRedisCluster } from '../support/redis-groups.js';
import { createRedisServer, REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import { patient } from '../support/redis-view.js';
import {
  hiding,
  type OpenOverrides,
  type OverridesPlace,
  POLL_MS,
  SCENARIOS,
  testOverrideStore,
  until,
} from './override-store-contract.js';

let places = 0;

interface RedisPlace extends OverridesPlace {
  readonly key: string;
  readonly client: Redis;
}

function createPlace(t: Test, url: string): RedisPlace {
  const keyPrefix = `place${places++}:`;
  const key = `${keyPrefix}overrides`;
  const client = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: 0 });
  client.on('error', () => undefined);
  t.teardown(() => client.disconnect());
  let writes = 0;
  return {
    key,
    client,
    open: openerOf(t, url, keyPrefix),
    write: async (text) => void (await client.hset(key, { version: `hand ${writes++}`, document: text })),
    remove: async () => void (await client.del(key)),
  };
}

function openerOf(t: Test, url: string, keyPrefix: string): OpenOverrides {
  return async ({ changed, met } = {}, { isStrict = true } = {}) => {
    const store = await openRedisOverrides({
      redis: { ...patient(url), socketTimeoutMs: 1000, keyPrefix },
      pollMs: POLL_MS,
      scenarios: SCENARIOS,
      isStrict,
      observer: { changed: changed ?? (() => undefined), met: met ?? (() => undefined) },
    });
    t.teardown(() => store.close());
    return store;
  };
}

t.test('in Redis', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  testOverrideStore(t, 'redis', async (t) => createPlace(t, server.url));

  t.test('a look that began before a document was put takes nothing back', async (t) => {
    const keyPrefix = 'racing:';
    const store = await openRedisOverrides({
      redis: { ...patient(server.url), keyPrefix },
      pollMs: 1,
      scenarios: SCENARIOS,
      isStrict: true,
      observer: { changed: () => undefined, met: () => undefined },
    });
    t.teardown(() => store.close());
    const client = new Redis(server.url);
    t.teardown(() => client.disconnect());
    let reverted = 0;
    for (let round = 0; round < 200; round++) {
      await client.del(`${keyPrefix}overrides`);
      await until(() => store.current().version === 'none');
      // The looks follow each other by timers: immediates come between any two of their steps.
      for (let turn = 0; turn < round % 50; turn++) await new Promise(setImmediate);
      const putting = store.replace(hiding(`i${round}`), { ifMatch: '*' });
      // What is under way is answered together with the document: a process that is busy reads it all at once.
      const busyUntil = performance.now() + 3;
      while (performance.now() < busyUntil);
      const { after } = await putting;
      await new Promise(setImmediate);
      if (store.current().version !== after.version) reverted++;
    }
    t.equal(reverted, 0);
  });

  t.test('a key of another type is told of by its name, and takes no document', async (t) => {
    const { open, client, key } = createPlace(t, server.url);
    const store = await open();
    await store.replace(hiding('a'), { ifMatch: '*' });
    await client.del(key);
    await client.set(key, 'other');
    await until(() => store.problems().length > 0);
    t.match(store.problems(), [
      new RegExp(`${key} holds something else than overrides \\(WRONGTYPE\\): move it away`),
    ]);
    t.same(store.current().document, hiding('a'));
    await t.rejects(store.replace(hiding('b'), { ifMatch: '*' }), {
      code: 'OVERRIDES_UNAVAILABLE',
      message: new RegExp(key),
    });
    await t.rejects(open(), { code: 'INVALID_CONFIG', message: new RegExp(key) }, 'and refused at the start');
    await client.del(key);
    await until(() => store.problems().length === 0);
    t.equal(store.current().version, 'none');
  });

  t.test('a document that was put by hand, beside its version, is told of', async (t) => {
    const { open, client, key } = createPlace(t, server.url);
    const store = await open();
    await client.hset(key, { document: JSON.stringify(hiding('a')) });
    await until(() => store.problems().length > 0);
    t.match(store.problems(), [/has no version; put the document by PUT \/overrides/]);
    await client.hset(key, { version: 'mine' });
    await until(() => store.problems()[0]?.includes('mine') ?? false);
    t.match(store.problems(), [/its version is "mine", which is none of its document/]);
    t.equal(store.current().version, 'none');
    await store.replace(hiding('a'), { ifMatch: '*' });
    t.same(store.problems(), []);
  });

  t.test('a poll that finds nothing new reads a few bytes, however large the document is', async (t) => {
    const { open, client } = createPlace(t, server.url);
    const store = await open();
    const items = Array.from({ length: 9000 }, (_, at) => `item ${at}`);
    await store.replace(hiding(...items), { ifMatch: '*' });
    const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await client.info('stats'))![1]);
    await wait(2 * POLL_MS);
    const [before, polls] = [await sent(), 10];
    await wait(polls * POLL_MS);
    const bytes = (await sent()) - before;
    t.ok(
      bytes < 20_000,
      `${bytes} bytes for ${polls} polls, the answer about them included; the document has 120,000`,
    );
  });
});

t.test(
  'while Redis is away the last document stays, and a put says so',
  { skip: REDIS_MISSING },
  async (t) => {
    const server = await startRedisServer(t);
    const { open } = createPlace(t, server.url);
    const met: (readonly string[])[] = [];
    const store = await open({ met: (problems) => void met.push(problems) });
    const { after } = await store.replace(hiding('a'), { ifMatch: '*' });
    await server.kill();
    await until(() => met.length > 0);
    t.match(met, [[/Redis cannot be asked/]]);
    await t.rejects(store.replace(hiding('b'), { ifMatch: '*' }), {
      code: 'OVERRIDES_UNAVAILABLE',
      message: /stay in force: Redis cannot be asked/,
    });
    t.equal(store.current().version, after.version);
    await server.start();
    await until(() => met.some((problems) => problems.length === 0), 20_000);
    t.same(met.at(-1), [], 'and it goes on by itself');
    t.equal(store.current().version, 'none', 'this Redis has lost what it had');
  },
);

t.test(
  'Redis that is away at the start leaves a server without overrides, until it is there',
  { skip: REDIS_MISSING },
  async (t) => {
    const server = await createRedisServer(t);
    const place = createPlace(t, server.url);
    const met: (readonly string[])[] = [];
    const store = await place.open({ met: (problems) => void met.push(problems) });
    t.match(met, [[/Redis cannot be asked/]]);
    t.equal(store.current().version, 'none');
    await server.start();
    await until(() => met.length > 1, 20_000);
    t.same(met.at(-1), []);
  },
);

t.test(
  'Redis that hangs is told of, and nobody waits longer than a connection may be silent',
  { skip: REDIS_MISSING },
  async (t) => {
    const server = await startRedisServer(t);
    const { open } = createPlace(t, server.url);
    const store = await open();
    server.pause();
    const beganAt = performance.now();
    await t.rejects(store.replace(hiding('b'), { ifMatch: '*' }), { code: 'OVERRIDES_UNAVAILABLE' });
    t.ok(performance.now() - beganAt < 5000);
    await until(() => store.problems().length > 0);
    t.match(store.problems(), [/Redis cannot be asked/]);
    server.resume();
  },
);

t.test('a cluster keeps the document', { skip: REDIS_MISSING }, async (t) => {
  const cluster = await startRedisCluster(t, t.testdir());
  const open = openerOf(t, cluster.url, 'shortlist:');
  const [one, other] = [await open(), await open()];
  const { after } = await one.replace(hiding('a'), { ifMatch: ['none'] });
  await until(() => other.current().version === after.version);
  t.same(other.current(), after);
});

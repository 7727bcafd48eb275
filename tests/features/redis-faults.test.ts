import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import type { ShortlistError } from '../../src/domain/errors.js';
import { materialiseView } from '../../src/features/materialise-view.js';
import { pushRows } from '../../src/features/push-rows.js';
import { requireRedis } from '../../src/features/redis-connection.js';
import { createRedisKeys } from '../../src/features/redis-keys.js';
import { createRedisServer, REDIS_MISSING, startRedisServer } from '../support/redis-server.js';
import {
  BREAKER,
  connect,
  impatient,
  LOADED_AT,
  openStore,
  patient,
  readOne,
  rowSource,
  SPACE,
  USERS,
} from '../support/redis-view.js';
import { untilAnswered, untilTrue } from '../support/until.js';

const LOADING = { space: SPACE, version: '1', expirySeconds: 3600 };

t.test('faults of Redis', { skip: REDIS_MISSING }, async (t) => {
  await t.test('a Redis that was never up fails reads at once, and is used when it comes', async (t) => {
    const server = await createRedisServer(t);
    const { store, changes } = await openStore(t, server.url, {
      redis: impatient(server.url),
      breaker: BREAKER,
    });
    await t.rejects(readOne(store, 'u0'), {
      code: 'FEATURES_FAILED',
      message: /^Redis cannot be asked: /,
    });
    for (let request = 0; request < 19; request++) await t.rejects(readOne(store, 'u0'));
    t.same(changes, [false], 'one notice, however many requests');
    await t.rejects(readOne(store, 'u0'), { message: /failed too often and is not asked/ });

    await server.start();
    await materialiseView(rowSource(3), await connect(t, server.url), LOADING);
    t.same((await untilAnswered(() => readOne(store, 'u1')))[0], [20, 'PRESENT']);
    t.same(changes, [false, true]);
  });

  await t.test('a Redis killed at work and started anew is used again', async (t) => {
    const server = await startRedisServer(t);
    await materialiseView(rowSource(50), await connect(t, server.url), LOADING);
    const { store, faults } = await openStore(t, server.url, {
      redis: impatient(server.url),
      breaker: BREAKER,
    });
    await untilAnswered(() => readOne(store, 'u1'));

    const underWay = Array.from({ length: 50 }, (_, user) => readOne(store, `u${user}`));
    const [answers] = await Promise.all([Promise.allSettled(underWay), server.kill()]);
    for (const answer of answers) {
      if (answer.status === 'fulfilled') t.equal(answer.value[0]![0], 20);
      else t.match(answer.reason, { code: 'FEATURES_FAILED' });
    }
    await t.rejects(readOne(store, 'u1'), { code: 'FEATURES_FAILED' });
    await server.start();
    const readCode = (): Promise<unknown> =>
      readOne(store, 'u1').catch(({ code }: ShortlistError) =>
        code === 'FEATURES_FAILED' ? Promise.reject(new Error('not yet')) : code,
      );
    t.equal(await untilAnswered(readCode), 'FEATURES_NOT_LOADED');
    t.same(faults, [undefined, 'none'], 'it came back empty, and that is told once');
    await materialiseView(rowSource(50), await connect(t, server.url), LOADING);
    t.equal((await readOne(store, 'u1'))[0]![1], 'PRESENT');
    t.same(faults, [undefined, 'none', undefined]);
  });

  await t.test(
    'while Redis hangs only the first requests wait, and nobody waits for the probe',
    async (t) => {
      const server = await startRedisServer(t);
      await materialiseView(rowSource(3), await connect(t, server.url), LOADING);
      const { store, changes } = await openStore(t, server.url, {
        redis: { ...impatient(server.url), commandTimeoutMs: 30, socketTimeoutMs: 200 },
        breaker: { ...BREAKER, probeAfterMs: 1 },
      });
      await untilAnswered(() => readOne(store, 'u1'));
      server.pause();
      await untilTrue('the store gives up asking', async () => {
        await readOne(store, 'u1').catch(() => undefined);
        return changes.length > 0;
      });
      for (let request = 0; request < 20; request++) {
        await wait(2);
        // Without a turn of the event loop's timers in between, no timeout can have passed.
        let waited = false;
        const timer = setTimeout(() => (waited = true), 0);
        await t.rejects(readOne(store, 'u1'), { message: /is not asked/ });
        clearTimeout(timer);
        t.notOk(waited, 'answered in the same turn of the event loop');
      }
      server.resume();
      t.same((await untilAnswered(() => readOne(store, 'u1')))[0], [20, 'PRESENT']);
      t.same(changes, [false, true]);
    },
  );

  await t.test('what was pushed while Redis hung is not written when it goes on', async (t) => {
    const server = await startRedisServer(t);
    const client = await requireRedis({
      url: server.url,
      keyPrefix: SPACE.prefix,
      connectTimeoutMs: 500,
      commandTimeoutMs: 20,
      socketTimeoutMs: 50,
    });
    t.teardown(() => client.disconnect());
    const options = { view: USERS, space: SPACE, expirySeconds: 3600 };
    const row = (id: string): Parameters<typeof pushRows>[0] => [
      { id, eventTime: 1, values: Float32Array.of(1, 1, 1) },
    ];
    server.pause();
    await t.rejects(pushRows(row('sent'), client, options), { code: 'FEATURES_FAILED' });
    await untilTrue('the silent connection is dropped', () => client.status !== 'ready');
    for (let push = 0; push < 100; push++) {
      await t.rejects(pushRows(row(`late ${push}`), client, options), { code: 'FEATURES_FAILED' });
    }
    server.resume();
    await untilAnswered(() => client.ping());
    // What had left before is Redis's own to keep or drop; what was refused here must never arrive.
    t.same(await client.keys('*:late*'), []);
    t.same(await pushRows(row('again'), client, options), { written: 1, older: 0 });
  });

  await t.test('a read-only Redis serves reads and refuses writes by name', async (t) => {
    const server = await startRedisServer(t);
    const client = await connect(t, server.url);
    await materialiseView(rowSource(3), client, LOADING);
    const { store } = await openStore(t, server.url);
    // A replica of a master that is away: what it has it serves, and nobody may write to it.
    await client.replicaof('127.0.0.1', server.port === 1 ? 2 : 1);
    t.equal((await readOne(store, 'u1'))[0]![1], 'PRESENT');
    await t.rejects(materialiseView(rowSource(3), client, { ...LOADING, version: '2' }), {
      code: 'FEATURES_FAILED',
      message: /READONLY/,
    });
  });

  await t.test('a full Redis serves reads, and loading into it says that it is full', async (t) => {
    const server = await startRedisServer(t);
    const client = await connect(t, server.url);
    const { generation } = await materialiseView(rowSource(3), client, LOADING);
    await client.config('SET', 'maxmemory', '1');
    const { store } = await openStore(t, server.url);
    t.equal((await readOne(store, 'u1'))[0]![1], 'PRESENT');
    await t.rejects(materialiseView(rowSource(3), client, { ...LOADING, version: '2' }), {
      code: 'FEATURES_FAILED',
      message: /OOM/,
    });
    t.equal(await client.get(createRedisKeys(USERS, SPACE).pointer), generation, 'what was in service stays');
  });

  await t.test('wrong credentials are a Redis that fails, and the password is told to nobody', async (t) => {
    const server = await startRedisServer(t, '--requirepass', 'right');
    const url = `redis://:wr0ng@127.0.0.1:${server.port}`;
    const { store } = await openStore(t, url, { redis: impatient(url) });
    const error: Error = await readOne(store, 'u0').then(
      () => t.fail('it was let in'),
      (reason) => reason,
    );
    t.match(error, { code: 'FEATURES_FAILED' });
    t.notMatch(String(error.stack), /wr0ng/);
    const refused: Error = await requireRedis(patient(url)).then(
      () => t.fail('it was let in'),
      (reason) => reason,
    );
    t.match(refused, {
      code: 'FEATURES_FAILED',
      message: new RegExp(
        `^Redis at 127.0.0.1:${server.port} cannot be reached \\(.+\\)\\. Start it, or set REDIS_URL`,
      ),
    });
    t.notMatch(String(refused.stack), /wr0ng/);
    const right = await openStore(t, `redis://:right@127.0.0.1:${server.port}`);
    await t.rejects(readOne(right.store, 'u0', LOADED_AT), { code: 'FEATURES_NOT_LOADED' });
  });

  await t.test('a closed store fails instead of waiting', async (t) => {
    const server = await startRedisServer(t);
    const { store } = await openStore(t, server.url);
    await store.close();
    await t.rejects(readOne(store, 'u0'), { code: 'FEATURES_FAILED' });
  });
});

t.test('work that needs Redis is refused where there is none, with its address', async (t) => {
  const server = await createRedisServer(t);
  await t.rejects(requireRedis(impatient(server.url)), {
    message: /cannot be reached \(connect ECONNREFUSED/,
  });
});

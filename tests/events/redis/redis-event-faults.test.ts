import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { UserEvent } from '../../../src/domain/event.js';
import { startRedisCluster } from '../../support/redis-groups.js';
import {
  createRedisServer,
  REDIS_MISSING,
  startRedisServer,
  VALKEY,
  VALKEY_MISSING,
} from '../../support/redis-server.js';
import { BREAKER, impatient } from '../../support/redis-view.js';
import { untilAnswered } from '../../support/until.js';
import { startFaultProxy } from '../../support/tcp-fault-proxy.js';
import { click } from '../event-store-contract.js';
import { listAll, type RedisPlace, type StoreChanges } from '../store-place.js';
import { connectTo, createPlace, openPlace, startDurableRedis } from './redis-place.js';

const UNAVAILABLE = { code: 'EVENTS_UNAVAILABLE' };
const clicks = (...ids: string[]): UserEvent[] =>
  ids.map((eventId) => click({ eventId, userId: `user of ${eventId}` }));
const idsIn = async (place: RedisPlace): Promise<string[]> =>
  (await listAll(place)).map(({ eventId }) => eventId!).toSorted();

/** A store that waits no longer than the one that ships, in vain a second. */
const shipped = (url: string, place: RedisPlace): StoreChanges => ({
  redis: { ...impatient(url), keyPrefix: place.keyPrefix },
});

/** What Node warns of, as of listeners that pile up on a connection that is given up again and again. */
const warnings: Error[] = [];
process.on('warning', (warning) => void warnings.push(warning));

t.test('events over a faulty Redis', { skip: REDIS_MISSING }, async (t) => {
  await t.test('that was never up are refused at once, and kept when it comes', async (t) => {
    const server = await createRedisServer(t);
    const place = createPlace(server.url);
    const { store, failures } = await openPlace(t, place, shipped(server.url, place));
    for (let request = 0; request < 30; request++)
      await t.rejects(store.keep(clicks('a')), { ...UNAVAILABLE, message: /Redis cannot be asked/ });
    t.match(failures, [{ kind: 'away', advice: /goes on by itself/ }], 'told once');
    await server.start('--appendonly', 'yes', '--appendfsync', 'always', '--dir', t.testdir());
    t.same(await untilAnswered(() => store.keep(clicks('a', 'b'))), ['accepted', 'accepted']);
    t.equal(failures.length, 2);
    t.equal(failures[1], undefined);
    t.same(await idsIn(place), ['a', 'b']);
  });

  await t.test(
    'that is killed and started anew are there, and count once when they are sent again',
    async (t) => {
      const server = await startDurableRedis(t);
      const place = createPlace(server.url);
      const { store } = await openPlace(t, place, shipped(server.url, place));
      await store.keep(clicks('a', 'b'));
      await server.kill();
      await t.rejects(store.keep(clicks('c')), UNAVAILABLE);
      await server.start();
      t.same(await untilAnswered(() => store.keep(clicks('a', 'c'))), ['duplicate', 'accepted']);
      t.same(await idsIn(place), ['a', 'b', 'c']);
    },
  );

  await t.test('that hangs are refused in time, and soon at once', async (t) => {
    const server = await startDurableRedis(t);
    const place = createPlace(server.url);
    const { store, failures } = await openPlace(t, place, {
      redis: { ...impatient(server.url), keyPrefix: place.keyPrefix, socketTimeoutMs: 200 },
      breaker: { ...BREAKER, probeAfterMs: 60_000 },
    });
    await store.keep(clicks('a'));
    server.pause();
    await t.rejects(store.keep(clicks('b')), UNAVAILABLE);
    t.match(failures, [{ kind: 'away' }]);
    let refusal = '';
    while (!refusal.includes('is not asked'))
      await store.keep(clicks('c')).catch(({ message }: Error) => (refusal = message));
    server.resume();
    const again = await openPlace(t, place);
    t.match(await again.store.keep(clicks('b', 'c')), [/accepted|duplicate/, 'accepted']);
    t.same(await idsIn(place), ['a', 'b', 'c'], 'what was under way counts once');
  });

  await t.test('that answers slowly are kept', async (t) => {
    const server = await startDurableRedis(t);
    const proxy = await startFaultProxy(t, server.port);
    const place = createPlace(`redis://127.0.0.1:${proxy.port}`);
    const { store } = await openPlace(t, place, shipped(place.url, place));
    proxy.inject({ latencyMs: 200 });
    t.same(await store.keep(clicks('a')), ['accepted']);
    t.same(await store.keep(clicks('a')), ['duplicate']);
  });

  await t.test(
    'that loses the connection before it answers count once when they are sent again',
    async (t) => {
      const server = await startDurableRedis(t);
      const proxy = await startFaultProxy(t, server.port);
      const place = createPlace(`redis://127.0.0.1:${proxy.port}`);
      const { store } = await openPlace(t, place, shipped(place.url, place));
      await store.keep(clicks('a'));
      proxy.inject({ latencyMs: 300 });
      const keeping = t.rejects(store.keep(clicks('b')), UNAVAILABLE);
      const client = connectTo(t, server.url);
      while ((await client.keys(`${place.keyPrefix}events:*`)).length < 2) await wait(5);
      proxy.inject({ reset: true });
      await keeping;
      proxy.inject({});
      t.same(await untilAnswered(() => store.keep(clicks('b'))), ['duplicate'], 'it had been written');
      t.same(await idsIn(place), ['a', 'b']);
      t.equal(await client.exists(`${place.keyPrefix}history:user:{user of b}`), 1, 'and is in the history');
    },
  );

  await t.test(
    'that is full are refused, nothing half, and recommendations have their histories',
    async (t) => {
      const server = await startDurableRedis(t);
      const client = connectTo(t, server.url);
      const place = createPlace(server.url);
      const { store, failures } = await openPlace(t, place);
      await store.keep(clicks('a'));
      await client.config('SET', 'maxmemory', '1');
      await t.rejects(store.keep(clicks('b', 'c', 'd')), { ...UNAVAILABLE, message: /Redis is full/ });
      t.match(failures, [{ kind: 'full', advice: /maxmemory/ }]);
      t.same(await idsIn(place), ['a']);
      t.equal(await client.zcard(`${place.keyPrefix}history:user:{user of a}`), 1);
      await client.config('SET', 'maxmemory', '0');
      t.same(await store.keep(clicks('b', 'c', 'd')), ['accepted', 'accepted', 'accepted']);
      t.same(failures.length, 2);
    },
  );

  await t.test('that is a replica are refused', async (t) => {
    const server = await startDurableRedis(t);
    const place = createPlace(server.url);
    const { store, failures } = await openPlace(t, place);
    await connectTo(t, server.url).replicaof('127.0.0.1', 1);
    await t.rejects(store.keep(clicks('a')), { ...UNAVAILABLE, message: /takes no writes/ });
    t.match(failures, [{ kind: 'read-only' }]);
  });

  await t.test('whose stream is a key of another type are refused, and nothing is half', async (t) => {
    const server = await startDurableRedis(t);
    const client = connectTo(t, server.url);
    const place = createPlace(server.url);
    const { store, failures } = await openPlace(t, place);
    await store.keep(clicks('a'));
    const [stream] = await client.keys(`${place.keyPrefix}events:*`);
    const [ids] = await client.keys(`${place.keyPrefix}event-ids:*`);
    await client.rename(stream!, 'aside');
    await client.set(stream!, 'hello');
    const again = click({ eventId: 'z', userId: 'user of a' });
    await t.rejects(store.keep([again]), { ...UNAVAILABLE, message: /holds something else/ });
    t.match(failures, [{ kind: 'wrong-type', advice: /prefix/ }]);
    t.equal(await client.get(stream!), 'hello', 'it stays as it is');
    await client.del(stream!);
    await client.rename('aside', stream!);
    t.same(await store.keep([again]), ['accepted'], 'its id was not counted');
    await client.del(ids!);
    await client.set(ids!, 'hello');
    await t.rejects(store.keep(clicks('a')), { ...UNAVAILABLE, message: /holds something else/ });
    t.same(await idsIn(place), ['a', 'z'], 'an event whose id cannot be counted is not written');
  });

  await t.test('whose history is a key of another type are kept, and the history begins anew', async (t) => {
    const server = await startDurableRedis(t);
    const client = connectTo(t, server.url);
    const place = createPlace(server.url);
    const { store, failures, histories } = await openPlace(t, place);
    const key = `${place.keyPrefix}history:user:{user of a}`;
    await client.set(key, 'hello');
    t.same(await store.keep(clicks('a')), ['accepted']);
    t.same(await client.zrange(key, 0, '-1'), ['["i1","click"]']);
    t.same([failures, histories], [[], []]);
  });

  await t.test('whose histories may not be written are kept, and that is told', async (t) => {
    const server = await startDurableRedis(t);
    const client = connectTo(t, server.url);
    const place = createPlace(server.url);
    await client.call('ACL', 'SETUSER', 'default', '-zremrangebyrank');
    const { store, failures, histories } = await openPlace(t, place);
    t.same(await store.keep(clicks('a')), ['accepted']);
    t.match(histories, [{ kind: 'refused' }]);
    await client.call('ACL', 'SETUSER', 'default', '+zremrangebyrank');
    await store.keep(clicks('b'));
    t.same(histories.slice(1), [undefined]);
    t.same(failures, []);
  });

  await t.test('that refuses a command of the log are not half there', async (t) => {
    const server = await startDurableRedis(t);
    const client = connectTo(t, server.url);
    const place = createPlace(server.url);
    const { store, failures } = await openPlace(t, place);
    for (const command of ['xadd', 'zadd', 'eval']) {
      await client.call('ACL', 'SETUSER', 'default', `-${command}`);
      await t.rejects(store.keep(clicks(command)), UNAVAILABLE, command);
      await client.call('ACL', 'SETUSER', 'default', `+${command}`);
      t.same(await store.keep(clicks(command)), ['accepted'], `${command}: its id was not counted`);
    }
    t.match(failures[0], { kind: 'refused' });
  });
});

/** A place whose server does not have writes on its disk when it answers, for a reason. */
async function beginUnsynced(t: Test, set: Record<string, string>) {
  const server = await startDurableRedis(t);
  const client = connectTo(t, server.url);
  for (const [name, value] of Object.entries(set)) await client.config('SET', name, value);
  return { server, client, place: createPlace(server.url) };
}

t.test('events that are in the memory of Redis only', { skip: REDIS_MISSING }, async (t) => {
  const settings: [what: string, set: Record<string, string>, reason: RegExp, kind?: string][] = [
    ['it keeps no file', { appendonly: 'no' }, /appendonly is no/],
    [
      'it syncs once a second, and is too old to say when',
      { appendfsync: 'everysec' },
      /appendfsync is everysec/,
    ],
    ['it leaves that to the system', { appendfsync: 'no' }, /appendfsync is no/],
    [
      'it does not sync while it rewrites',
      { 'no-appendfsync-on-rewrite': 'yes' },
      /no-appendfsync-on-rewrite/,
    ],
    [
      'it removes what was not used for long',
      { maxmemory: '1gb', 'maxmemory-policy': 'allkeys-lru' },
      /maxmemory-policy is allkeys-lru/,
      'evicting',
    ],
  ];
  for (const [what, set, reason, kind = 'unsynced'] of settings) {
    await t.test(`since ${what}, are refused, or kept with a warning`, async (t) => {
      const { place, client } = await beginUnsynced(t, set);
      const strict = await openPlace(t, place);
      await t.rejects(strict.store.keep(clicks('a')), { ...UNAVAILABLE, message: reason });
      t.match(strict.failures, [{ kind, reason }]);
      t.match(strict.losses, [{ kind }]);
      const key = `${place.keyPrefix}history:user:{user of a}`;
      t.equal(await client.exists(key), 0, 'a request that was refused is in no history');
      const lax = await openPlace(t, { ...place, durability: 'memory' });
      t.same(await lax.store.keep(clicks('a', 'b')), ['duplicate', 'accepted']);
      t.match([lax.failures, lax.losses], [[], [{ kind, reason }]]);
      t.equal(await client.exists(key), 1, 'sent again and taken, it is');
      t.same(await idsIn(place), ['a', 'b'], 'once');
    });
  }

  await t.test('are durable again when its settings say so', async (t) => {
    const { place, client } = await beginUnsynced(t, { appendfsync: 'everysec' });
    const { store, losses, failures } = await openPlace(t, place);
    await t.rejects(store.keep(clicks('a')), UNAVAILABLE);
    await client.config('SET', 'appendfsync', 'always');
    t.same(await store.keep(clicks('a')), ['duplicate']);
    t.same([losses.length, losses[1], failures[1]], [2, undefined, undefined]);
  });

  await t.test('are told by INFO where the settings are nobody’s to ask', async (t) => {
    const server = await startRedisServer(t, '--rename-command', 'CONFIG', '');
    const { store, failures } = await openPlace(t, createPlace(server.url));
    await t.rejects(store.keep(clicks('a')), { ...UNAVAILABLE, message: /aof_enabled is 0/ });
    t.match(failures, [{ kind: 'unsynced' }]);
    const silent = await startDurableRedis(t, ['--rename-command', 'CONFIG', '']);
    const place = await openPlace(t, createPlace(silent.url));
    await t.rejects(place.store.keep(clicks('a')), { ...UNAVAILABLE, message: /does not say/ });
  });
});

t.test('a server that tells when it has synced', { skip: VALKEY_MISSING }, async (t) => {
  await t.test('is waited for', async (t) => {
    const server = await startDurableRedis(t, ['--appendfsync', 'everysec'], VALKEY);
    const place = createPlace(server.url);
    const { store, losses } = await openPlace(t, place);
    t.same(await store.keep(clicks('a')), ['accepted']);
    await server.kill();
    await server.start('--appendfsync', 'everysec');
    t.same(await idsIn(place), ['a'], 'a kill right after the answer loses nothing');
    t.same(losses, []);
  });

  await t.test('and has not within the time is told of, also for an event that it knew', async (t) => {
    const server = await startDurableRedis(t, ['--appendfsync', 'no'], VALKEY);
    const place = createPlace(server.url);
    const { store, failures } = await openPlace(t, place, { syncTimeoutMs: 50 });
    await t.rejects(store.keep(clicks('a')), {
      ...UNAVAILABLE,
      message: /has not synced its disk within 50 ms/,
    });
    t.match(failures, [{ kind: 'unsynced' }]);
    // Over another connection, which has written nothing: what it knows may be lost all the same.
    const other = await openPlace(t, place, { syncTimeoutMs: 50 });
    await t.rejects(other.store.keep(clicks('a')), UNAVAILABLE);
    const lax = await openPlace(t, { ...place, durability: 'memory' }, { syncTimeoutMs: 50 });
    t.same(await lax.store.keep(clicks('a')), ['duplicate']);
    t.match(lax.losses, [{ kind: 'unsynced' }]);
  });

  await t.test('and keeps no file is told of', async (t) => {
    const server = await startDurableRedis(t, ['--appendonly', 'no'], VALKEY);
    const { store } = await openPlace(t, createPlace(server.url));
    await t.rejects(store.keep(clicks('a')), { ...UNAVAILABLE, message: /appendonly is disabled/ });
  });
});

t.test('a cluster that lost a node', { skip: REDIS_MISSING }, async (t) => {
  const cluster = await startRedisCluster(t, t.testdir());
  const place = createPlace(cluster.url, { durability: 'memory' });
  const { store } = await openPlace(t, place, shipped(cluster.url, place));
  const requests = Array.from({ length: 60 }, (_, n) => clicks(`e${n}`));
  for (const events of requests) t.same(await untilAnswered(() => store.keep(events)), ['accepted']);
  await cluster.nodes[0]!.kill();
  const again = await Promise.allSettled(requests.map((events) => store.keep(events)));
  const refused = again.filter(({ status }) => status === 'rejected');
  t.ok(refused.length > 5 && refused.length < 55, `${refused.length} of 60 are of its node`);
  t.match(refused[0], { reason: UNAVAILABLE });
  t.ok(again.every((answer) => answer.status === 'rejected' || answer.value[0] === 'duplicate'));
  await cluster.nodes[0]!.start();
  // Those of the last moment may be lost: nodes of the tests sync once a second, and nobody waits for it.
  for (const events of requests)
    t.match(await untilAnswered(() => store.keep(events)), [/accepted|duplicate/]);
  t.equal((await idsIn(place)).length, 60, 'each is there once');
});

t.test('a store that is closed keeps nothing', { skip: REDIS_MISSING }, async (t) => {
  const server = await startDurableRedis(t);
  const { store } = await openPlace(t, createPlace(server.url));
  const keeping = store.keep(clicks('a'));
  await store.close();
  t.same(await keeping, ['accepted'], 'what waited is kept');
  await t.rejects(store.keep(clicks('b')), UNAVAILABLE);
});

t.test('nothing piles up meanwhile', async (t) => {
  t.same(warnings, []);
});

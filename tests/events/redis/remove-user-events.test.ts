import t from 'tap';
import { removeUserEvents } from '../../../src/events/redis/remove-user-events.js';
import { openRedisCompactionLog } from '../../../src/events/redis/redis-compaction-log.js';
import { startRedisCluster } from '../../support/redis-groups.js';
import { REDIS_MISSING, startRedisServer } from '../../support/redis-server.js';
import { connect, patient } from '../../support/redis-view.js';
import { requireRedis } from '../../../src/features/redis-connection.js';
import { ODD_IDS } from '../forgotten/forgotten-users-contract.js';
import { click } from '../event-store-contract.js';
import { listAll } from '../store-place.js';
import { createPlace, openPlace, startDurableRedis } from './redis-place.js';

const NOW = 1_767_323_045;

t.test('events of a user in Redis', { skip: REDIS_MISSING }, async (t) => {
  const server = await startDurableRedis(t);
  const client = await connect(t, server.url);
  const begin = async (t: Parameters<typeof openPlace>[0]) => {
    const place = createPlace(server.url);
    const { store } = await openPlace(t, place);
    const remove = (userId: string, until = NOW + 60) =>
      removeUserEvents({ userId, until }, client, { prefix: place.keyPrefix });
    const left = async () => (await listAll(place)).map(({ eventId }) => String(eventId)).sort();
    const history = (owner: string) => client.zrange(`${place.keyPrefix}history:${owner}`, 0, '-1');
    return { place, store, remove, left, history };
  };

  t.test('go from the log and from histories, those of others and of sessions alone stay', async (t) => {
    const { store, remove, left, history } = await begin(t);
    await store.keep([
      click({ eventId: 'a', userId: 'u1', itemId: 'i1' }),
      click({ eventId: 'b', userId: 'u1', sessionId: 'v1', itemId: 'i2' }),
      click({ eventId: 'c', userId: undefined, sessionId: 'v1', itemId: 'i3' }),
      click({ eventId: 'd', userId: 'u2', sessionId: 'u1', itemId: 'i4' }),
      click({ eventId: 'e', userId: undefined, sessionId: 'u1', itemId: 'i5' }),
    ]);
    t.equal(await remove('u1'), 2);
    t.same(await left(), ['c', 'd', 'e']);
    t.same(await history('user:{u1}'), []);
    t.same(await history('session:{v1}'), ['["i3","click"]']);
    t.same(await history('session:{u1}'), ['["i4","click"]', '["i5","click"]']);
    t.same(await history('user:{u2}'), ['["i4","click"]']);
    t.equal(await remove('u1'), 0);
    t.equal(await remove('nobody'), 0);
    t.same(
      await store.keep([click({ eventId: 'a', userId: 'u1' })]),
      ['duplicate'],
      'ids are digests, and stay',
    );
  });

  t.test('stay where they are later than the time', async (t) => {
    const { store, remove, left, history } = await begin(t);
    await store.keep([
      click({ eventId: 'before', itemId: 'i1' }),
      click({ eventId: 'ahead', itemId: 'i2', time: NOW + 60 }),
      click({ eventId: 'later', itemId: 'i3', time: NOW + 61 }),
    ]);
    t.equal(await remove('u1'), 2);
    t.same(await left(), ['later']);
    t.same(await history('user:{u1}'), ['["i3","click"]']);
  });

  t.test('are found in a long log, and a compaction that is under way ends as it should', async (t) => {
    const { place, store, remove, left } = await begin(t);
    const many = Array.from({ length: 3500 }, (_, index) =>
      click({ eventId: `e${index}`, userId: `u${index % 7}`, itemId: `i${index}` }),
    );
    await store.keep(many);
    const log = await openRedisCompactionLog({
      redis: { ...patient(server.url), keyPrefix: place.keyPrefix },
      durability: 'required',
      syncTimeoutMs: 4000,
    });
    t.teardown(() => log.close());
    const range = (await log.begin())!;
    t.equal(await remove('u3'), 500);
    const read: (string | undefined)[] = [];
    for await (const { userId } of log.read(range)) read.push(userId);
    t.equal(read.length, 3000);
    t.notOk(read.includes('u3'));
    await log.finish(range);
    await log.prune();
    t.equal(await log.begin(), undefined);
    t.same(await left(), []);
    await store.keep([click({ eventId: 'next', userId: 'u9' })]);
    t.same(await left(), ['next']);
  });

  t.test('whatever the id', async (t) => {
    const { store, remove, left } = await begin(t);
    await store.keep(ODD_IDS.map((userId, index) => click({ eventId: `e${index}`, userId })));
    for (const [index, id] of ODD_IDS.entries()) {
      t.equal(await remove(id), 1, id);
      t.equal((await left()).length, ODD_IDS.length - index - 1);
    }
    t.equal(await remove('\ud800'), 0, 'half of a character is nobody');
  });

  t.test('go although their history is a key of another type', async (t) => {
    const { place, store, remove, left } = await begin(t);
    await store.keep([click({ eventId: 'a' })]);
    await client.set(`${place.keyPrefix}history:user:{u1}`, 'theirs');
    t.equal(await remove('u1'), 1);
    t.same(await left(), []);
  });
});

t.test('events of a user go from a cluster', { skip: REDIS_MISSING }, async (t) => {
  const cluster = await startRedisCluster(t, t.testdir());
  const place = createPlace(cluster.url, { durability: 'memory' });
  const { store } = await openPlace(t, place);
  const client = await requireRedis(patient(cluster.url));
  t.teardown(() => client.disconnect());
  const users = Array.from({ length: 20 }, (_, index) => `u${index}`);
  await store.keep(users.map((userId) => click({ userId })));
  for (const userId of users)
    t.equal(await removeUserEvents({ userId, until: NOW + 60 }, client, { prefix: place.keyPrefix }), 1);
});

t.test('a Redis that is away is a reason', { skip: REDIS_MISSING }, async (t) => {
  const server = await startRedisServer(t);
  const client = await connect(t, server.url);
  await server.kill();
  await t.rejects(removeUserEvents({ userId: 'u1', until: NOW }, client, { prefix: '' }), {
    name: 'RedisFault',
  });
});

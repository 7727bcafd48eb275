import { readFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { EventStoreFigures } from '../../../src/events/event-store-observer.js';
import { openRedisCompactionLog } from '../../../src/events/redis/redis-compaction-log.js';
import { createRedisLiveHistories } from '../../../src/events/redis/redis-live-histories.js';
import { shareRedisReads } from '../../../src/features/redis-reads.js';
import { compactEvents } from '../../../src/offline/feedback/events/compact-events.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { NOBODY_FORGOTTEN } from '../../support/nobody-forgotten.js';
import { REDIS_MISSING, type RedisServer, VALKEY, VALKEY_MISSING } from '../../support/redis-server.js';
import { BREAKER, patient } from '../../support/redis-view.js';
import { click } from '../event-store-contract.js';
import { connectTo, createPlace, openPlace, startDurableRedis } from './redis-place.js';

/** The commands that docs/events-in-redis.md lists, by the rows of its table. */
const [KEEPING, COMPACTION, FORGETTING, DURABILITY, MEMORY] = readCommands();

function readCommands(): string[][] {
  const page = readFileSync('docs/events-in-redis.md', 'utf8');
  const table = page.slice(page.indexOf('| commands'), page.indexOf('\n\n', page.indexOf('| commands')));
  return table
    .split('\n')
    .slice(2)
    .map((row) =>
      [...row.split(' | ')[0]!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!.replace('\\|', '|')),
    );
}

/** What a user of Redis with these commands alone can do. */
async function beginAs(t: Test, server: RedisServer, commands: readonly string[]) {
  const admin = connectTo(t, server.url);
  const place = createPlace(server.url);
  const name = `user-${place.keyPrefix.slice(0, -1)}`;
  // Of a server before 7.0 the client asks nothing else to connect; `client` names the connection.
  const rights = [...commands, 'client|setinfo'].map((command) => `+${command}`);
  await admin.call('ACL', 'SETUSER', name, 'on', '>secret', `~${place.keyPrefix}*`, '-@all');
  // What a server does not have it has no right for.
  for (const right of rights) await admin.call('ACL', 'SETUSER', name, right).catch(() => undefined);
  const url = `redis://${name}:secret@127.0.0.1:${server.port}`;
  return { admin, place: { ...place, url } };
}

async function keepAndCompact(t: Test, server: RedisServer): Promise<void> {
  const { place } = await beginAs(t, server, [
    ...KEEPING!,
    ...COMPACTION!,
    ...FORGETTING!,
    ...DURABILITY!,
    ...MEMORY!,
  ]);
  const figures: (EventStoreFigures | undefined)[] = [];
  const told = await openPlace(t, place, { observer: { measured: (each) => void figures.push(each) } });
  t.same(await told.store.keep([click({ eventId: 'a' }), click({ sessionId: 's' })]), [
    'accepted',
    'accepted',
  ]);
  t.same(await told.store.keep([click({ eventId: 'a' })]), ['duplicate']);
  t.same([told.failures, told.losses, told.histories], [[], [], []]);
  t.match(figures, [{ rows: 0 }]);
  const redis = { ...patient(place.url), keyPrefix: place.keyPrefix };
  const reads = await shareRedisReads({ redis, breaker: BREAKER })();
  t.teardown(() => reads.close());
  const limits = { maxItems: 200, days: 30_000 };
  const histories = createRedisLiveHistories({ reads, limits, clock: () => Date.now() / 1000 });
  t.match(await histories.find({ userId: 'u1' }), [{ itemId: 'i1', type: 'click' }]);
  const { events, removed } = await compactEvents({
    open: () => openRedisCompactionLog({ redis, durability: 'required', syncTimeoutMs: 4000 }),
    outDir: t.testdir(),
    before: { time: 0, keptAt: 0 },
    forgotten: NOBODY_FORGOTTEN,
    progress: SILENT_PROGRESS,
  });
  t.same({ events, removed: removed.events }, { events: 2, removed: 2 });
}

t.test('a user of Redis with the listed commands can do all of it', { skip: REDIS_MISSING }, async (t) => {
  await keepAndCompact(t, await startDurableRedis(t));
});

t.test('and a user of Valkey', { skip: VALKEY_MISSING }, async (t) => {
  await keepAndCompact(t, await startDurableRedis(t, ['--appendfsync', 'everysec'], VALKEY));
});

t.test('each command that is listed for keeping is needed', { skip: REDIS_MISSING }, async (t) => {
  const server = await startDurableRedis(t);
  const needed = KEEPING!.filter((name) => !OF_FAULTS.includes(name));
  t.ok(needed.length > 8);
  for (const name of needed) {
    const { place } = await beginAs(
      t,
      server,
      [...KEEPING!, ...DURABILITY!].filter((each) => each !== name),
    );
    const { store, failures, histories } = await openPlace(t, place);
    const events = [click({ eventId: 'a' }), click({ eventId: 'a' })];
    const isKept = await store.keep(events).then(
      () => true,
      () => false,
    );
    t.ok(!isKept || failures.length > 0 || histories.length > 0, name);
  }
});

/** Commands that only a fault has a use for, or reading. */
const OF_FAULTS = ['ping', 'hello', 'exists', 'xdel', 'zrange', 'del'];

t.test(
  'without those of durability nobody can tell, and events are refused',
  { skip: REDIS_MISSING },
  async (t) => {
    const server = await startDurableRedis(t);
    const { place } = await beginAs(t, server, KEEPING!);
    const { store, failures } = await openPlace(t, place);
    await t.rejects(store.keep([click()]), { code: 'EVENTS_UNAVAILABLE' });
    t.match(failures, [{ kind: 'unsynced' }]);
    const lax = await openPlace(t, { ...place, durability: 'memory' });
    t.same(await lax.store.keep([click()]), ['accepted']);
  },
);

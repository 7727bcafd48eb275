import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import type { UserEvent } from '../../../src/domain/event.js';
import { checkEventsFile } from '../../../src/events/local/check-events-file.js';
import { openCompactionLog } from '../../../src/events/local/compaction-log.js';
import { openEventsFile } from '../../../src/events/local/open-events-file.js';
import { readFigures } from '../../../src/events/local/read-figures.js';
import { removeEvents } from '../../../src/events/local/remove-events.js';
import { StorageError } from '../../../src/events/local/storage-fault.js';
import { click } from '../event-store-contract.js';
import { listEvents, type LocalPlace, openStore } from '../store-place.js';

const NOW = 1_767_323_045;

async function setUp(t: Test, events: readonly UserEvent[] = []) {
  const place: LocalPlace = { store: 'local', folder: join(t.testdir(), 'events') };
  const store = await openStore(place);
  t.teardown(() => store.close());
  for (let from = 0; from < events.length; from += 5000) await store.keep(events.slice(from, from + 5000));
  const figures = () => {
    const file = openEventsFile(place.folder, { create: false });
    const found = readFigures(file.database, { bytes: 0, now: NOW });
    file.close();
    return found;
  };
  return {
    place,
    store,
    figures,
    folder: place.folder,
    left: () => listEvents(place).map(({ eventId }) => eventId),
  };
}

const forget = (folder: string, userId: string, until = NOW + 60): Promise<number> =>
  removeEvents(folder, { userId, until });

t.test('the events of a user go, those of others and of sessions alone stay', async (t) => {
  const { folder, left, figures, store } = await setUp(t, [
    click({ eventId: 'a', userId: 'u1' }),
    click({ eventId: 'b', userId: 'u1', sessionId: 'v1' }),
    click({ eventId: 'c', userId: undefined, sessionId: 'v1' }),
    click({ eventId: 'd', userId: 'u2', sessionId: 'u1' }),
    click({ eventId: 'e', userId: undefined, sessionId: 'u1' }),
    click({ eventId: 'f', userId: 'U1' }),
  ]);
  t.equal(await forget(folder, 'u1'), 2);
  t.same(left(), ['c', 'd', 'e', 'f']);
  t.equal(figures().rows, 4, 'and the figures know it');
  t.equal(await forget(folder, 'u1'), 0, 'a second time there is nothing');
  t.equal(await forget(folder, 'nobody'), 0);
  t.equal(figures().rows, 4);
  t.same(
    await store.keep([click({ eventId: 'a', userId: 'u1' })]),
    ['duplicate'],
    'ids are digests, and stay',
  );
});

t.test('what is later than the time stays', async (t) => {
  const { folder, left } = await setUp(t, [
    click({ eventId: 'before', time: NOW }),
    click({ eventId: 'at', time: NOW + 60 }),
    click({ eventId: 'after', time: NOW + 60.5 }),
  ]);
  t.equal(await forget(folder, 'u1'), 2);
  t.same(left(), ['after']);
});

t.test(
  'what is removed is written over, and nothing of the user is left once SQLite has written the file anew',
  async (t) => {
    const secret = 'somebody-with-a-name';
    const whole = click({ userId: secret, itemId: 'what-they-bought', context: { city: 'where-they-live' } });
    const { folder, store } = await setUp(
      t,
      Array.from({ length: 3000 }, (_, index) => ({ ...whole, eventId: `e${index}` })),
    );
    const read = (): string =>
      readdirSync(folder)
        .map((name) => readFileSync(join(folder, name), 'latin1'))
        .join('');
    t.match(read(), secret, 'it was there');
    await store.keep([click({ userId: 'somebody else' })]);
    t.equal(await forget(folder, secret), 3000);
    const files = read();
    t.notOk(files.includes('where-they-live'), 'rows are written over');
    const copies = files.split(secret).length - 1;
    t.ok(copies < 100, `${copies} copies in unused parts of pages`);
    new DatabaseSync(join(folder, 'events.sqlite')).exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
    const vacuumed = read();
    for (const text of [secret, 'what-they-bought', 'where-they-live'])
      t.notOk(vacuumed.includes(text), text);
    t.ok(vacuumed.includes('somebody else'), 'and that of others is there');
  },
);

t.test('a user with many events is removed in pieces, between which others write', async (t) => {
  const many = Array.from({ length: 30_000 }, (_, index) => click({ eventId: `e${index}` }));
  const { folder, store, left, figures } = await setUp(t, many);
  const file = openEventsFile(folder, { create: false });
  const countLeft = file.database.prepare("SELECT count(*) AS count FROM events WHERE user_id = 'u1'");
  const removing = forget(folder, 'u1');
  const seen = new Set<number>();
  const end = { over: false };
  void removing.finally(() => (end.over = true));
  let kept = 0;
  while (!end.over) {
    await store.keep([click({ eventId: `other-${kept++}`, userId: 'u2' })]);
    seen.add(countLeft.get()!['count'] as number);
  }
  t.equal(await removing, 30_000);
  const between = [...seen].filter((count) => count > 0 && count < 30_000);
  t.ok(between.length > 3, `others wrote with ${between.join(', ')} left`);
  file.close();
  t.equal(left().length, kept);
  t.equal(figures().rows, kept);
});

t.test('a compaction that is under way ends as it should, and the next one waits for nothing', async (t) => {
  const { folder, store, figures } = await setUp(t, [
    click({ eventId: 'a' }),
    click({ eventId: 'b', userId: 'u2' }),
  ]);
  const log = openCompactionLog(folder);
  const range = log.begin()!;
  await store.keep([click({ eventId: 'c' })]);
  t.equal(await forget(folder, 'u1'), 2);
  t.same(
    [...log.read(range)].map(({ eventId }) => eventId),
    ['b'],
  );
  log.finish(range);
  t.equal(log.begin(), undefined, 'what came last was removed');
  t.equal(figures().uncompactedRows, 0);
  await store.keep([click({ eventId: 'd', userId: 'u3' })]);
  const next = log.begin()!;
  t.same(
    [...log.read(next)].map(({ eventId }) => eventId),
    ['d'],
  );
  log.finish(next);
  log.close();
});

t.test('what was removed before it was in parquet is not counted as waiting', async (t) => {
  const { folder, store, figures } = await setUp(t, [
    click({ eventId: 'a' }),
    click({ eventId: 'b', userId: 'u2' }),
    click({ eventId: 'c', userId: 'u3' }),
  ]);
  const counted = () => {
    const { rows, uncompactedRows } = figures();
    t.equal(checkEventsFile(folder).contents!.uncompactedRows, uncompactedRows, 'events check says the same');
    return [rows, uncompactedRows];
  };
  t.equal(await forget(folder, 'u1'), 1);
  t.same(counted(), [2, 2], 'nothing is in parquet yet');
  const log = openCompactionLog(folder);
  const range = log.begin()!;
  await store.keep([click({ eventId: 'd' }), click({ eventId: 'e', userId: 'u4' })]);
  t.equal(await forget(folder, 'u1'), 1);
  t.same(counted(), [3, 3], 'while a compaction is under way');
  log.finish(range);
  t.same(counted(), [3, 1]);
  t.equal(await forget(folder, 'u2'), 1);
  t.same(counted(), [2, 1], 'that one was in parquet');
  t.equal(await forget(folder, 'u4'), 1);
  t.same(counted(), [1, 0]);
  t.equal(log.begin(), undefined);
  await store.keep([click({ eventId: 'f', userId: 'u5' })]);
  t.same(counted(), [2, 1]);

  const file = openEventsFile(folder, { create: false });
  file.database.exec("DELETE FROM state WHERE name = 'removed_ahead'");
  file.close();
  await store.keep([click({ eventId: 'g', userId: 'u6' })]);
  t.equal(await forget(folder, 'u6'), 1);
  t.same(counted(), [2, 1], 'the file of an earlier release');
  log.finish(log.begin()!);
  t.same(counted(), [2, 0]);
  log.close();
});

t.test('any id is its own', async (t) => {
  const ids = ['__proto__', "o'neil", 'a%', '_', 'ü', 'u\u0308', '𝒳', ' ', 'x'.repeat(256), 'NULL'];
  const { folder, left } = await setUp(
    t,
    ids.map((userId, index) => click({ eventId: `e${index}`, userId })),
  );
  for (const [index, id] of ids.entries()) {
    t.equal(await forget(folder, id), 1, id);
    t.equal(left().length, ids.length - index - 1);
  }
});

t.test('a folder without a file has nobody, and none is begun', async (t) => {
  const folder = join(t.testdir(), 'events');
  t.equal(await forget(folder, 'u1'), 0);
  t.notOk(existsSync(folder));
  mkdirSync(folder);
  t.equal(await forget(folder, 'u1'), 0);
  t.same(readdirSync(folder), []);
});

t.test('a file that cannot be used is a reason, and stays as it is', async (t) => {
  const folder = t.testdir({
    'events.sqlite': 'this is no database, but long enough to be one. '.repeat(20),
  });
  const reason = async (): Promise<string> => {
    const error: unknown = await forget(folder, 'u1').catch((thrown: unknown) => thrown);
    return error instanceof StorageError ? error.fault.reason : String(error);
  };
  const before = readFileSync(join(folder, 'events.sqlite'));
  t.match(await reason(), /the file is no database/);
  t.same(readFileSync(join(folder, 'events.sqlite')), before);
  writeFileSync(join(folder, 'events.sqlite.damaged'), 'the file is damaged (by hand)\n');
  t.match(await reason(), /the file is damaged \(by hand\)/);
});

t.test('a file that another process holds is waited for', async (t) => {
  const { folder, left } = await setUp(t, [click({ eventId: 'a' })]);
  const other = new DatabaseSync(join(folder, 'events.sqlite'));
  other.exec('BEGIN IMMEDIATE');
  const removing = forget(folder, 'u1');
  let isOver = false;
  void removing.finally(() => (isOver = true));
  await new Promise((resolve) => setTimeout(resolve, 300));
  t.notOk(isOver);
  other.exec('COMMIT');
  other.close();
  t.equal(await removing, 1);
  t.same(left(), []);
});

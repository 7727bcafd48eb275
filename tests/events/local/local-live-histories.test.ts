import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import type { UserEvent } from '../../../src/domain/event.js';
import type { EventStore } from '../../../src/events/event-store.js';
import {
  latestEventsOf,
  type LocalLiveHistories,
  openLocalLiveHistories,
} from '../../../src/events/local/local-live-histories.js';
import { openEventsFile } from '../../../src/events/local/open-events-file.js';
import { openEventsReader } from '../../../src/events/local/open-events-reader.js';
import { openLocalEvents } from '../../../src/events/local/open-local-events.js';
import type { StorageFault } from '../../../src/events/local/storage-fault.js';
import { keepElsewhere } from '../event-store-contract.js';
import { testLiveHistories } from '../live-histories-contract.js';
import { openStore, SILENT_OBSERVER, type LocalPlace } from '../store-place.js';

const HISTORY = { maxItems: 200, days: 30, clock: () => Date.now() / 1000 };
const NOW = Math.floor(Date.now() / 1000);

/** Both ends of a folder, as a server has them, with what is told of reading. */
async function begin(t: Test, folder = join(t.testdir(), 'events')) {
  const told: (StorageFault | undefined)[] = [];
  const { store, liveHistories } = await openLocalEvents({
    ...HISTORY,
    folder,
    syncMs: 0,
    observer: SILENT_OBSERVER,
    onHistories: (fault) => void told.push(fault),
  });
  t.teardown(() => store.close());
  const place: LocalPlace = { store: 'local', folder };
  return { folder, file: join(folder, 'events.sqlite'), place, told, store, histories: liveHistories };
}

/** A reader alone, whose clock a test sets. */
function beginReader(t: Test, folder: string) {
  const told: (StorageFault | undefined)[] = [];
  const time = { ms: 0 };
  const histories = openLocalLiveHistories({
    ...HISTORY,
    folder,
    onChange: (fault) => void told.push(fault),
    now: () => time.ms,
  });
  t.teardown(() => histories.close());
  return { told, histories, time, items: () => itemsOf(histories) };
}

const itemsOf = (histories: Pick<LocalLiveHistories, 'find'>, userId = 'u1'): string[] =>
  histories.find({ userId }).map(({ itemId }) => itemId);

const click = (itemId: string, changes: Partial<UserEvent> = {}): UserEvent => ({
  userId: 'u1',
  itemId,
  type: 'click',
  time: NOW,
  ...changes,
});

const failed = (reason: RegExp) => ({
  code: 'HISTORY_FAILED',
  message: reason,
  cause: { name: 'StorageError' },
});

/** A folder with events of some users, which nobody has open. */
async function fill(t: Test): Promise<{ folder: string; file: string; place: LocalPlace }> {
  const folder = join(t.testdir(), 'events');
  const place: LocalPlace = { store: 'local', folder };
  const store = await openStore(place);
  await store.keep(
    Array.from({ length: 3000 }, (_, at) => click(`i${at}`, { userId: `u${at}`, time: NOW - 3000 + at })),
  );
  await store.close();
  return { folder, file: join(folder, 'events.sqlite'), place };
}

testLiveHistories(t, {
  open: async (t, settings) => {
    const { store, liveHistories } = await openLocalEvents({
      ...HISTORY,
      ...settings,
      folder: join(t.testdir(), 'events'),
      syncMs: 0,
      observer: SILENT_OBSERVER,
      onHistories: () => undefined,
    });
    return {
      keep: (events) => store.keep(events),
      find: (subject) => liveHistories.find(subject),
      close: () => store.close(),
    };
  },
});

t.test('what another process keeps is there at the next request', async (t) => {
  const { place, histories } = await begin(t);
  for (let at = 0; at < 3; at++) {
    await keepElsewhere(place, [click(`i${at}`, { time: NOW + at })]);
    t.equal(itemsOf(histories as LocalLiveHistories).at(-1), `i${at}`);
  }
});

t.test('events of one time stay in the order in which they were told', async (t) => {
  const { store, histories } = await begin(t);
  const items = ['c', 'a', 'b', 'a'];
  await store.keep(items.map((itemId) => click(itemId)));
  await store.keep([click('d'), click('s', { userId: undefined, sessionId: 'v' })]);
  t.same(itemsOf(histories as LocalLiveHistories), [...items, 'd']);
  t.same(
    (await histories.find({ userId: 'u1', sessionId: 'v' })).map(({ itemId }) => itemId),
    [...items, 'd', 's'],
  );
});

t.test('a history is read off an index alone, and no more of it than it has', async (t) => {
  const { file } = await fill(t);
  const database = new DatabaseSync(file);
  t.teardown(() => database.close());
  const planOf = (sql: string): unknown[] =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all('u1', 0, 200)
      .map(({ detail }) => detail);
  t.same(planOf(latestEventsOf('user_id')), [
    'SEARCH events USING COVERING INDEX events_of_user (user_id=? AND time>?)',
  ]);
  t.same(planOf(latestEventsOf('session_id')), [
    'SEARCH events USING COVERING INDEX events_of_session (session_id=? AND time>?)',
  ]);
  t.match(
    planOf(latestEventsOf('user_id').replace('sequence DESC', 'kept_at DESC')),
    [/SEARCH events USING INDEX/, /TEMP B-TREE/],
    'control: what the index does not have is seen here',
  );
});

t.test('reads wait for nobody', async (t) => {
  const { folder } = await fill(t);
  const reader = openEventsReader(folder, { busyMs: 2000 })!;
  t.same({ ...reader.database.prepare('PRAGMA busy_timeout').get() }, { timeout: 0 });
  t.throws(() => reader.database.exec('DELETE FROM events'), /readonly/);
  reader.close();
});

t.test('a folder in which nobody has begun yet is no fault', async (t) => {
  const dir = t.testdir();
  const folder = join(dir, 'data/events');
  const { items, time, told } = beginReader(t, folder);
  t.same(items(), []);
  await keepElsewhere({ store: 'local', folder }, [click('a')]);
  t.same(items(), [], 'it looks once a second');
  time.ms += 1000;
  t.same(items(), ['a']);
  t.same(told, []);
});

t.test('a server that could not begin reads what it could keep at last', async (t) => {
  const dir = t.testdir({ data: 'a file' });
  const { store, histories, told } = await begin(t, join(dir, 'data/events'));
  t.same(itemsOf(histories as LocalLiveHistories), []);
  rmSync(join(dir, 'data'));
  await store.keep([click('a')]);
  t.same(itemsOf(histories as LocalLiveHistories), ['a']);
  t.same(told, []);
});

t.test('a folder that is gone fails, and is read again when it is back', async (t) => {
  const { folder } = await fill(t);
  const { items, time, told } = beginReader(t, folder);
  t.same(items(), ['i1']);
  renameSync(folder, `${folder}-elsewhere`);
  time.ms += 999;
  t.same(items(), ['i1'], 'nobody looks at every request');
  time.ms += 1;
  t.throws(items, failed(/^What users did lately cannot be read: the file is gone\.$/));
  renameSync(`${folder}-elsewhere`, folder);
  t.throws(items, failed(/gone/), 'nor tries at every request');
  t.match(told, [{ kind: 'missing', advice: /Bring the folder back/ }], 'the same reason is told once');
  time.ms += 1000;
  t.same(items(), ['i1']);
  t.match(told, [{ kind: 'missing' }, undefined]);
});

t.test('a file that another one takes the place of is let go of', async (t) => {
  const { folder, store, histories, told } = await begin(t);
  await store.keep([click('a')]);
  mkdirSync(`${folder}-old`);
  for (const name of readdirSync(folder)) renameSync(join(folder, name), join(`${folder}-old`, name));
  await store.keep([click('b')]);
  t.same(itemsOf(histories as LocalLiveHistories), ['b'], 'what was told to be kept is there');
  const sibling = beginReader(t, folder);
  mkdirSync(`${folder}-older`);
  for (const name of readdirSync(folder)) renameSync(join(folder, name), join(`${folder}-older`, name));
  await keepElsewhere({ store: 'local', folder }, [click('c')]);
  sibling.time.ms += 1000;
  t.same(sibling.items(), ['c']);
  t.same(told, []);
});

t.test('an empty file in the place of one that was read is a fault', async (t) => {
  const { folder, file } = await fill(t);
  const { items, time } = beginReader(t, folder);
  rmSync(file);
  writeFileSync(file, '');
  time.ms += 1000;
  t.throws(items, failed(/gone/));
});

/** What may become of a file, and what is said of it. */
const DAMAGES: readonly [name: string, damage: (file: string) => void, said: RegExp][] = [
  ['cut in half', (file) => truncateSync(file, 4096 * 20), /damaged/],
  ['cut to a few bytes', (file) => truncateSync(file, 100), /damaged: it was cut to 100 bytes/],
  ['of zeros', (file) => writeFileSync(file, Buffer.alloc(readFileSync(file).length)), /no database/],
  ['of text', (file) => writeFileSync(file, 'not a database\n'.repeat(1000)), /no database/],
  ['of a later release', (file) => change(file, 'PRAGMA user_version = 2'), /version 2/],
  ['of another program', (file) => change(file, 'PRAGMA application_id = 7'), /another program/],
  ['condemned', (file) => writeFileSync(`${file}.damaged`, 'a page is wrong\n'), /a page is wrong/],
];

function change(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

for (const [name, damage, said] of DAMAGES) {
  t.test(`a file that is ${name} fails, stays as it is, and is read again when it is mended`, async (t) => {
    const { folder, file } = await fill(t);
    const whole = readFileSync(file);
    damage(file);
    const bytes = readFileSync(file);
    const { histories, time, told } = beginReader(t, folder);
    const readAll = (): number =>
      Array.from({ length: 3000 }, (_, at) => itemsOf(histories, `u${at}`)).flat().length;
    t.throws(readAll, failed(said));
    t.ok(readFileSync(file).equals(bytes));
    t.match(told, [{ reason: said, advice: String }]);
    writeFileSync(file, whole);
    rmSync(`${file}.damaged`, { force: true });
    time.ms += 1000;
    t.equal(readAll(), 3000);
    time.ms += 1000;
    t.equal(readAll(), 3000);
    t.match(told, [{ reason: said }, undefined]);
  });
}

t.test('a file that is condemned while it is open is read no more', async (t) => {
  const { folder, file } = await fill(t);
  const { items, time } = beginReader(t, folder);
  t.same(items(), ['i1']);
  writeFileSync(`${file}.damaged`, 'a page is wrong\n');
  time.ms += 1000;
  t.throws(items, failed(/a page is wrong/));
});

t.test('a damaged page costs those whose events are on it, and nobody else', async (t) => {
  const { folder, file } = await fill(t);
  const database = new DatabaseSync(file);
  const { rootpage } = database
    .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'events_of_session'")
    .get() as { rootpage: number };
  database.close();
  const bytes = readFileSync(file);
  bytes.fill(0xff, (rootpage - 1) * 4096, rootpage * 4096);
  writeFileSync(file, bytes);
  const { histories, items, time, told } = beginReader(t, folder);
  for (let second = 0; second < 3; second++) {
    t.throws(() => histories.find({ sessionId: 'v' }), failed(/damaged/));
    t.same(items(), ['i1']);
    time.ms += 1000;
  }
  t.equal(told.length, 1, 'nor is it told again and again');
});

t.test('a file that another process holds fails at once, and is read when it is free', async (t) => {
  const { folder, file } = await fill(t);
  const holder = new DatabaseSync(file);
  t.teardown(() => holder.isOpen && holder.close());
  holder.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  t.throws(() => openEventsReader(folder, { busyMs: 0 }), /another process holds the file/);
  holder.close();
  const reader = openEventsReader(folder, { busyMs: 0 })!;
  reader.close();
});

t.test('one who writes holds up no reader', async (t) => {
  const { folder, file } = await fill(t);
  const { items } = beginReader(t, folder);
  const writer = new DatabaseSync(file);
  writer.exec(`BEGIN IMMEDIATE; DELETE FROM events`);
  t.same(items(), ['i1']);
  writer.exec('COMMIT');
  t.same(items(), []);
  writer.close();
});

/** Whether this process holds a lock on a file, which tells others that it is in use. */
function isLocked(file: string): boolean {
  const { ino } = statSync(file);
  const isOurs = new RegExp(`ADVISORY .* ${process.pid} \\S+:${ino} `);
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .some((line) => isOurs.test(line));
}

const NO_LOCKS = 'only Linux says which locks there are';

t.test('what opens the file beside a reader leaves the locks of the reader', async (t) => {
  if (process.platform !== 'linux') {
    t.pass(NO_LOCKS, { skip: NO_LOCKS });
    return;
  }
  const { folder, file } = await fill(t);
  t.notOk(isLocked(file));
  const { items } = beginReader(t, folder);
  t.same(items(), ['i1']);
  t.ok(isLocked(file));
  openEventsFile(folder, { create: true }).close();
  t.ok(isLocked(file));
  closeSync(openSync(file, 'a'));
  t.notOk(isLocked(file), 'control: a descriptor of our own takes them with it');
});

t.test('a file that is begun is begun without a descriptor of our own', async (t) => {
  const folder = t.testdir();
  const opened = openEventsFile(folder, { create: true });
  t.ok(opened.isNew);
  opened.close();
  const again = openEventsFile(folder, { create: true });
  t.notOk(again.isNew);
  again.close();
});

t.test('closing ends both, the writer last, and what is asked then fails', async (t) => {
  const { store, histories, file } = await begin(t);
  await (store as EventStore).keep([click('a')]);
  await store.close();
  t.throws(() => itemsOf(histories as LocalLiveHistories), { code: 'HISTORY_FAILED', message: /stopping/ });
  t.same([existsSync(`${file}-wal`), existsSync(`${file}-shm`)], [false, false], 'all is in one file');
});

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import type { EventStore } from '../../../src/events/event-store.js';
import type { EventStoreFailure } from '../../../src/events/event-store-observer.js';
import { startKeepingThread } from '../../../src/events/local/keeping-thread.js';
import { click } from '../event-store-contract.js';
import { listEvents, openStore, type LocalPlace } from '../store-place.js';

/** A store that is open in a folder, with what its observer was told. */
async function begin(t: Test, folder = join(t.testdir(), 'events')) {
  const place: LocalPlace = { store: 'local', folder };
  const told = { failures: [] as (EventStoreFailure | undefined)[], begun: 0 };
  const observer = {
    changed: (failure: EventStoreFailure | undefined) => void told.failures.push(failure),
    begun: () => void told.begun++,
  };
  const open = async (): Promise<EventStore> => {
    const store = await openStore(place, { observer });
    t.teardown(() => store.close());
    return store;
  };
  return { place, folder, file: join(folder, 'events.sqlite'), told, open, store: await open() };
}

const keepOne = (store: EventStore, eventId?: string) => store.keep([click({ eventId })]);
const refused = (reason: RegExp) => ({ code: 'EVENTS_UNAVAILABLE', message: reason });

/** A store with rows enough to fill some pages, closed: all is in the one file. */
async function fill(t: Test) {
  const begun = await begin(t);
  for (let batch = 0; batch < 4; batch++)
    await begun.store.keep(
      Array.from({ length: 1000 }, (_, index) =>
        click({ eventId: `${batch}-${index}`, userId: `u${index}` }),
      ),
    );
  await begun.store.close();
  return begun;
}

t.test('a folder that cannot be made is told of, and used when it can be', async (t) => {
  const dir = t.testdir({ data: 'a file' });
  const { store, told, place } = await begin(t, join(dir, 'data/events'));
  t.match(told.failures, [{ reason: /the folder is no folder/, advice: String }]);
  await t.rejects(
    keepOne(store),
    refused(/^Events cannot be kept now: the folder is no folder \(ENOTDIR\)\.$/),
  );
  t.equal(told.failures.length, 1, 'the same reason is told once');
  rmSync(join(dir, 'data'));
  t.same(await keepOne(store), ['accepted']);
  t.same(told.failures.slice(1), [undefined]);
  t.equal(listEvents(place).length, 1);
});

t.test('a folder that is gone is not made anew, and used when it is back', async (t) => {
  const { store, folder, place, told } = await begin(t);
  await keepOne(store, 'a');
  renameSync(folder, `${folder}-elsewhere`);
  await t.rejects(keepOne(store, 'b'), refused(/the folder is gone/));
  t.notOk(existsSync(folder));
  renameSync(`${folder}-elsewhere`, folder);
  t.same(await store.keep([click({ eventId: 'a' }), click({ eventId: 'b' })]), ['duplicate', 'accepted']);
  t.match(told.failures, [{ reason: /gone/ }, undefined]);
  t.equal(listEvents(place).length, 2);
});

t.test('a file that another one takes the place of is let go of', async (t) => {
  const { store, folder, file, place, told } = await begin(t);
  await keepOne(store, 'a');
  mkdirSync(`${folder}-old`);
  for (const name of readdirSync(folder)) renameSync(join(folder, name), join(`${folder}-old`, name));
  t.same(await keepOne(store, 'b'), ['accepted'], 'an empty folder begins anew');
  t.equal(told.begun, 2);
  t.same(
    listEvents(place).map(({ eventId }) => eventId),
    ['b'],
  );
  t.same(
    listEvents({ store: 'local', folder: `${folder}-old` }).map(({ eventId }) => eventId),
    ['a'],
  );
  rmSync(`${file}-wal`);
  t.same(await keepOne(store, 'c'), ['accepted'], 'so is a file whose log was removed');
  await store.close();
  t.ok(listEvents(place).some(({ eventId }) => eventId === 'c'));
});

t.test('a file that is moved while a commit is under way was no place to keep an event', async (t) => {
  const { store, folder, file, place } = await begin(t);
  const holder = new DatabaseSync(file);
  holder.exec('BEGIN IMMEDIATE');
  const keeping = keepOne(store, 'a');
  // The commit waits for the holder by then; should it not, it finds no folder to begin with.
  await wait(300);
  renameSync(folder, `${folder}-elsewhere`);
  holder.exec('COMMIT');
  await t.rejects(keeping, refused(/the file was moved or removed|the folder is gone/));
  renameSync(`${folder}-elsewhere`, folder);
  t.match(await keepOne(store, 'a'), [/duplicate|accepted/]);
  t.equal(listEvents(place).length, 1, 'sent again it counts once, whatever became of it');
  holder.close();
});

t.test('a file that another process holds is waited for, not for ever', async (t) => {
  const { store, file, place } = await begin(t);
  const holder = new DatabaseSync(file);
  holder.exec('BEGIN EXCLUSIVE');
  await t.rejects(keepOne(store, 'a'), refused(/another process holds the file \(database is locked\)/));
  const waiting = keepOne(store, 'a');
  holder.exec('COMMIT');
  t.same(await waiting, ['accepted']);
  holder.close();
  t.equal(listEvents(place).length, 1);
});

/** A file system of its own for a test; undefined where this machine lets nobody make one. */
async function mountSmall(t: Test, kilobytes: number): Promise<string | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'small-disk-'));
  const isMounted =
    spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', folder]).status === 0;
  t.teardown(async () => {
    if (isMounted) spawnSync('umount', [folder]);
    await rmdir(folder);
  });
  return isMounted ? folder : undefined;
}

const NO_MOUNTS = 'only root may mount a file system here';

t.test('a full disk keeps nothing of a request, and all of the next one when there is room', async (t) => {
  const disk = await mountSmall(t, 600);
  if (disk === undefined) {
    t.pass(NO_MOUNTS, { skip: NO_MOUNTS });
    return;
  }
  const { store, place, told } = await begin(t, join(disk, 'events'));
  const ballast = join(disk, 'ballast');
  await keepOne(store, 'a');
  fillDisk(ballast);
  const batch = Array.from({ length: 400 }, (_, index) => click({ eventId: `e${index}` }));
  await t.rejects(store.keep(batch), refused(/the disk is full/));
  await t.rejects(store.keep(batch), refused(/the disk is full/));
  t.same(
    listEvents(place).map(({ eventId }) => eventId),
    ['a'],
  );
  rmSync(ballast);
  t.same([...new Set(await store.keep([...batch, click({ eventId: 'z' })]))], ['accepted'], 'nothing half');
  t.match(told.failures, [{ reason: /full/ }, undefined]);
  t.equal(listEvents(place).length, 402);
  await store.close();
});

function fillDisk(file: string): void {
  const handle = openSync(file, 'w');
  for (const size of [65_536, 4096, 1]) {
    try {
      for (;;) writeSync(handle, Buffer.alloc(size));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }
  closeSync(handle);
}

t.test('a disk that becomes read-only keeps nothing until it is writable again', async (t) => {
  const disk = await mountSmall(t, 4000);
  if (disk === undefined) {
    t.pass(NO_MOUNTS, { skip: NO_MOUNTS });
    return;
  }
  const remount = (mode: 'ro' | 'rw') => spawnSync('mount', ['-o', `remount,${mode}`, disk]).status;
  const { store, open, place, told } = await begin(t, join(disk, 'events'));
  await keepOne(store, 'a');
  await store.close();
  t.equal(remount('ro'), 0);
  const again = await open();
  t.match(told.failures, [{ reason: /the disk is read-only \(EROFS\)/ }]);
  await t.rejects(keepOne(again, 'b'), refused(/the disk is read-only/));
  t.equal(remount('rw'), 0);
  t.same(await keepOne(again, 'b'), ['accepted']);
  t.equal(listEvents(place).length, 2);
  await again.close();
});

t.test('a file of a later release is refused and stays as it is', async (t) => {
  const { open, file, told } = await fill(t);
  const later = new DatabaseSync(file);
  later.exec('PRAGMA user_version = 2; DROP TABLE event_keys');
  later.close();
  const bytes = readFileSync(file);
  const store = await open();
  t.match(told.failures, [
    { reason: 'the file has version 2, this release reads up to 1', advice: /later release/ },
  ]);
  await t.rejects(keepOne(store), refused(/version 2/));
  await store.close();
  t.ok(readFileSync(file).equals(bytes));
});

t.test('a file of another program is refused and stays as it is', async (t) => {
  const { open, file, told } = await fill(t);
  rmSync(file);
  const other = new DatabaseSync(file);
  other.exec('CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)');
  other.close();
  const bytes = readFileSync(file);
  const store = await open();
  t.match(told.failures, [{ reason: 'the file is of another program' }]);
  await t.rejects(keepOne(store), refused(/another program/));
  await store.close();
  t.ok(readFileSync(file).equals(bytes));
});

t.test('a link in the place of the file is refused', async (t) => {
  const { open, file, folder, told } = await fill(t);
  renameSync(file, `${folder}/real.sqlite`);
  symlinkSync('real.sqlite', file);
  const store = await open();
  t.match(told.failures, [{ reason: 'events.sqlite is no file of its own' }]);
  await t.rejects(keepOne(store), refused(/no file of its own/));
});

/** What may become of a file, and what is said of it. */
const DAMAGES: readonly [name: string, damage: (file: string) => void, said: RegExp][] = [
  [
    'cut in half',
    (file) => truncateSync(file, readFileSync(file).length / 2),
    /damaged \(database disk image is malformed\)/,
  ],
  ['cut to a few bytes', (file) => truncateSync(file, 100), /damaged: it was cut to 100 bytes/],
  ['of zeros', (file) => writeFileSync(file, Buffer.alloc(readFileSync(file).length)), /no database/],
  ['of text', (file) => writeFileSync(file, 'not a database\n'.repeat(1000)), /no database/],
];

for (const [name, damage, said] of DAMAGES) {
  t.test(`a file that is ${name} is refused and stays as it is`, async (t) => {
    const { open, file, told, place } = await fill(t);
    damage(file);
    const bytes = readFileSync(file);
    const store = await open();
    t.match(told.failures, [{ reason: said, advice: /Nothing of it was removed/ }]);
    await t.rejects(keepOne(store), refused(said));
    await t.rejects(keepOne(store), refused(said));
    t.ok(readFileSync(file).equals(bytes));
    renameSync(file, `${file}.old`);
    t.same(await keepOne(store), ['accepted'], 'when it was moved away a new one is begun');
    t.equal(listEvents(place).length, 1);
  });
}

t.test('a file that was cut to nothing keeps the log that belongs to it', async (t) => {
  const { place, folder, file } = await begin(t);
  // As a killed process leaves it: a copy of the files while they are in use.
  const copy = `${folder}-copy`;
  const store = await openStore(place);
  await keepOne(store, 'a');
  mkdirSync(copy);
  for (const end of ['', '-wal'])
    writeFileSync(join(copy, `events.sqlite${end}`), readFileSync(`${file}${end}`));
  await store.close();
  truncateSync(join(copy, 'events.sqlite'), 0);
  const log = readFileSync(join(copy, 'events.sqlite-wal'));
  const again = await begin(t, copy);
  await t.rejects(keepOne(again.store), refused(/cut to 0 bytes/));
  await again.store.close();
  t.ok(readFileSync(join(copy, 'events.sqlite-wal')).equals(log));
});

t.test('a file in which damage is met later is used by nobody any more', async (t) => {
  const { open, file, folder, told, place } = await fill(t);
  const pages = new DatabaseSync(file);
  const { rootpage } = pages
    .prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'events_of_user'")
    .get() as { rootpage: number };
  pages.close();
  const bytes = readFileSync(file);
  bytes.fill(0xff, (rootpage - 1) * 4096, rootpage * 4096);
  writeFileSync(file, bytes);
  const store = await open();
  const sibling = await open();
  t.same(told.failures, [], 'nothing reads that page before it is needed');
  const visitor = click({ userId: undefined, sessionId: 'v1' });
  t.same(await store.keep([visitor]), ['accepted']);
  await t.rejects(keepOne(store), refused(/damaged/));
  await t.rejects(
    store.keep([visitor]),
    refused(/damaged/),
    'what would work with the parts that are whole does not',
  );
  await t.rejects(sibling.keep([visitor]), refused(/damaged/), 'nor in a process that has not met it');
  const restarted = await open();
  await t.rejects(restarted.keep([visitor]), refused(/damaged/), 'nor after a restart');
  t.same(told.failures.length, 3);
  mkdirSync(`${folder}-damaged`);
  for (const name of readdirSync(folder)) renameSync(join(folder, name), join(`${folder}-damaged`, name));
  t.same(await store.keep([visitor]), ['accepted']);
  t.same(await restarted.keep([click()]), ['accepted']);
  t.equal(listEvents(place).length, 2);
});

t.test('a network file system is refused at the start', async (t) => {
  const folder = join(t.testdir(), 'events');
  const run = (magic: string) =>
    spawnSync(
      process.execPath,
      [
        '--import',
        join(import.meta.dirname, 'pretend-file-system.js'),
        join(import.meta.dirname, '../keep-events.js'),
        JSON.stringify({ store: 'local', folder }),
        JSON.stringify([click()]),
      ],
      { encoding: 'utf8', env: { ...process.env, FILE_SYSTEM: magic } },
    );
  const refusal = run('0x6969');
  t.match(
    refusal.stderr,
    /events\.folder: .*events is on a network file system \(NFS\)\. Set events\.folder to/,
  );
  t.match(refusal.stderr, 'INVALID_CONFIG');
  t.same(readdirSync(folder), [], 'nothing was written to it');
  t.equal(run('0xef53').stdout, '["accepted"]\n');
});

t.test('a thread that fails over a mistake of ours says which', async (t) => {
  const ended: Error[] = [];
  const thread = startKeepingThread(
    { folder: undefined as unknown as string },
    (error) => void ended.push(error),
  );
  await t.rejects(thread.opened, { name: 'TypeError' });
  await t.rejects(thread.commit(['[]']), { name: 'TypeError' });
  t.equal(await thread.measure(), undefined);
  t.match(ended, [{ name: 'TypeError' }]);
});

import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import type { UserEvent } from '../../../../src/domain/event.js';
import { type CompactionRange, openCompactionLog } from '../../../../src/events/local/compaction-log.js';
import { openDatabase, queryRows } from '../../../../src/offline/data/database.js';
import {
  compactEvents,
  type EventsToCompact,
  type PruneLimits,
} from '../../../../src/offline/feedback/events/compact-events.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { click } from '../../../events/event-store-contract.js';
import { listEvents, openStore, type LocalPlace } from '../../../events/store-place.js';
import { createCommandRunner } from '../../../support/command-runner.js';
import { openLocalForgottenUsers } from '../../../../src/events/forgotten/local-forgotten-users.js';
import { forgottenAt } from '../../../support/forgotten-list.js';
import { NOBODY_FORGOTTEN } from '../../../support/nobody-forgotten.js';

const NOTHING_OLD: PruneLimits = { time: 0, keptAt: 0 };
const DAY = 86_400;

/** A store of a folder with its compaction. */
function createPlace(t: Test) {
  const place: LocalPlace = { store: 'local', folder: join(t.testdir(), 'events') };
  return { place, ...actOn(place) };
}

function actOn(place: LocalPlace) {
  const { folder } = place;
  const outDir = join(folder, 'parquet');
  return {
    outDir,
    keep: async (events: readonly UserEvent[]) => {
      const store = await openStore(place);
      const keeping = await store.keep(events);
      await store.close();
      return keeping;
    },
    compact: (
      before = NOTHING_OLD,
      open: () => EventsToCompact<CompactionRange> = () => openCompactionLog(folder),
      forgotten = NOBODY_FORGOTTEN,
    ) => compactEvents({ open, outDir, before, forgotten, progress: SILENT_PROGRESS }),
    /** As if rows had been kept at another time. */
    date: (sql: string) => {
      const database = new DatabaseSync(join(folder, 'events.sqlite'));
      database.exec(sql);
      database.close();
    },
    files: () => (existsSync(outDir) ? readdirSync(outDir).filter((name) => !name.startsWith('.')) : []),
    query: async (sql: string) => {
      const { connection, close } = await openDatabase();
      const rows = await queryRows(connection, sql.replace('EVENTS', `'${outDir}/events-*.parquet'`));
      close();
      return rows;
    },
  };
}

const IDS = 'SELECT event_id AS id FROM EVENTS ORDER BY sequence';
const clicks = (...ids: string[]): UserEvent[] => ids.map((eventId) => click({ eventId }));
const TWO_DAYS = `UPDATE events SET kept_at = 1767398400 - (sequence % 2)`;

t.test('events become parquet, a file for each day that they were kept on, with every column', async (t) => {
  const { place, keep, compact, query, files, date } = createPlace(t);
  const whole: UserEvent = {
    eventId: 'e"1',
    userId: 'ü"1',
    sessionId: 'v1',
    itemId: 'i1',
    type: 'purchase',
    value: -0.1,
    time: 1_767_398_399.678,
    slateId: 's1',
    context: { device: 'mobile', visits: 3, member: true },
  };
  await keep([whole, { sessionId: 'v2', itemId: 'i2', type: 'click', time: 1_767_398_400 }]);
  date(TWO_DAYS);
  const { events, files: written, removed } = await compact();
  t.equal(events, 2);
  t.same(removed, { events: 0, ids: 0 });
  t.match(files(), [/^events-20260102-[0-9a-f]{12}\.parquet$/, /^events-20260103-[0-9a-f]{12}\.parquet$/]);
  t.same(
    written.toSorted(),
    files().map((name) => join(place.folder, 'parquet', name)),
  );
  const [first, second] = await query('SELECT * FROM EVENTS ORDER BY sequence');
  t.strictSame(
    { ...first },
    {
      sequence: 1n,
      user: 'ü"1',
      session: 'v1',
      item: 'i1',
      type: 'purchase',
      value: -0.1,
      time: 1_767_398_399.678,
      event_id: 'e"1',
      slate_id: 's1',
      context: '{"device":"mobile","visits":3,"member":true}',
    },
  );
  t.match(second, { user: null, session: 'v2', value: null, event_id: null, slate_id: null, context: null });
  t.match(
    await query(
      `SELECT context::JSON ->> 'device' AS device, (context::JSON ->> 'visits')::INT AS visits FROM EVENTS LIMIT 1`,
    ),
    [{ device: 'mobile', visits: 3 }],
  );
  t.equal(listEvents(place).length, 2, 'servers read them still');
});

t.test('each run copies what is new, and nothing where nothing is', async (t) => {
  const { keep, compact, query, files } = createPlace(t);
  await keep(clicks('a', 'b'));
  t.equal((await compact()).events, 2);
  t.match(await compact(), { events: 0, files: [] });
  await keep(clicks('b', 'c'));
  t.equal((await compact()).events, 1);
  t.equal(files().length, 2);
  t.same(await query(IDS), [{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
});

t.test('what comes while a compaction is under way is for the next one', async (t) => {
  const { place, keep, compact, query } = createPlace(t);
  await keep(clicks('a'));
  const store = await openStore(place);
  t.teardown(() => store.close());
  const open = (): EventsToCompact<CompactionRange> => {
    const log = openCompactionLog(place.folder);
    return { ...log, begin: () => log.begin(), finish: (range) => log.finish(range) };
  };
  const compacting = compact(NOTHING_OLD, open);
  await store.keep(clicks('b'));
  await compacting;
  await store.keep(clicks('c'));
  await compact();
  t.same(await query(IDS), [{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
});

t.test('old events go once they are in parquet, and their ids are known for longer', async (t) => {
  const { place, keep, compact, query, date } = createPlace(t);
  const now = 1_767_398_400;
  const old = (id: string, days: number): UserEvent => click({ eventId: id, time: now - days * DAY });
  const events = [old('a', 40), old('b', 10), old('c', 31)];
  await keep(events);
  const before = { time: now - 30 * DAY, keptAt: now - 31 * DAY };
  const interrupted = (): EventsToCompact<CompactionRange> => ({
    ...openCompactionLog(place.folder),
    finish: () => {
      throw new Error('killed');
    },
  });
  await t.rejects(compact(before, interrupted), { message: 'killed' });
  t.equal(listEvents(place).length, 3, 'nothing goes before the store was told');
  t.same((await compact(before)).removed, { events: 2, ids: 0 });
  t.same(
    listEvents(place).map(({ eventId }) => eventId),
    ['b'],
  );
  t.same(await query(IDS), [{ id: 'a' }, { id: 'b' }, { id: 'c' }]);
  t.same(
    await keep(events),
    ['duplicate', 'duplicate', 'duplicate'],
    'an event that is gone counts no second time',
  );
  date(`UPDATE event_keys SET kept_at = ${now - 31 * DAY - 1} WHERE key < x'62'`);
  t.same((await compact(before)).removed, { events: 0, ids: 1 });
  t.same(await keep(events), ['accepted', 'duplicate', 'duplicate'], 'until its id is forgotten');
  t.match(listEvents(place).at(-1), { sequence: 4, eventId: 'a' }, 'and no number is given twice');
});

t.test('many events are read, and removed, in pieces', async (t) => {
  const { place, keep, compact, query, date } = createPlace(t);
  const many = Array.from({ length: 12_345 }, (_, index) =>
    click({ eventId: `e${index}`, userId: `u${index % 7}` }),
  );
  for (let from = 0; from < many.length; from += 5000) await keep(many.slice(from, from + 5000));
  date(
    `UPDATE events SET time = 1 WHERE sequence % 3 = 0; UPDATE event_keys SET kept_at = 1 WHERE substr(key, 2, 1) = x'37'`,
  );
  const { events, removed } = await compact({ time: 2, keptAt: 2 });
  t.equal(events, 12_345);
  t.equal(removed.events, 4115);
  t.same(await query('SELECT count(*)::INT AS n, count(DISTINCT sequence)::INT AS d FROM EVENTS'), [
    { n: 12_345, d: 12_345 },
  ]);
  t.equal(listEvents(place).length, 8230);
  t.equal(removed.ids, many.filter(({ eventId }) => eventId![1] === '7').length);
});

t.test('a new store in the same folder adds to the files of the one before', async (t) => {
  const { place, keep, compact, query, files } = createPlace(t);
  await keep(clicks('a'));
  await compact();
  mkdirSync(`${place.folder}-old`);
  cpSync(join(place.folder, 'events.sqlite'), join(`${place.folder}-old`, 'events.sqlite'));
  for (const name of readdirSync(place.folder).filter((file) => file.startsWith('events.sqlite')))
    writeFileSync(join(place.folder, name), '');
  await keep(clicks('b'));
  await compact();
  t.equal(files().length, 2);
  t.same(await query('SELECT event_id AS id FROM EVENTS ORDER BY id'), [{ id: 'a' }, { id: 'b' }]);
});

t.test('killed at any step and run again it gives the same files, and each event once', async (t) => {
  const whole = createPlace(t);
  await whole.keep(clicks('a', 'b', 'c', 'd'));
  whole.date(TWO_DAYS);
  whole.date(
    `UPDATE events SET time = 1 WHERE event_id = 'c'; UPDATE event_keys SET kept_at = 1 WHERE key < x'64'`,
  );
  const run = (folder: string, dieAt: number) =>
    spawnSync(
      process.execPath,
      [join(import.meta.dirname, 'compact-and-die.js'), folder, join(folder, 'parquet'), '2', '2'],
      {
        encoding: 'utf8',
        env: { ...process.env, DIE_AT: String(dieAt) },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
  const copyTo = (name: string): ReturnType<typeof actOn> & { place: LocalPlace } => {
    const place: LocalPlace = { store: 'local', folder: `${whole.place.folder}-${name}` };
    cpSync(whole.place.folder, place.folder, { recursive: true });
    return { place, ...actOn(place) };
  };
  const undisturbed = copyTo('0');
  const steps = Number(run(undisturbed.place.folder, 0).stdout);
  t.equal(steps, 8, 'begin, read, two files, finish, prune, close, the end');
  const wanted = undisturbed.files();
  for (let dieAt = 1; dieAt <= steps; dieAt++) {
    const killed = copyTo(String(dieAt));
    const { folder } = killed.place;
    t.equal(run(folder, dieAt).signal, 'SIGKILL', `step ${dieAt}`);
    // What comes before the second run is no part of what the first one began.
    await killed.keep(clicks('e'));
    t.equal(run(folder, 0).status, 0);
    const files = killed.files();
    t.same(
      wanted.filter((name) => !files.includes(name)),
      dieAt === 1 ? wanted : [],
      dieAt === 1 ? 'nothing was begun' : 'the same files',
    );
    t.same(
      await killed.query('SELECT event_id AS id FROM EVENTS ORDER BY id'),
      ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id })),
    );
    t.same(
      listEvents(killed.place).map(({ eventId }) => eventId),
      ['a', 'b', 'd', 'e'],
    );
    t.same(
      await killed.keep(clicks('d', 'a')),
      ['duplicate', 'accepted'],
      'ids that are old are forgotten, others are not',
    );
    t.same(
      readdirSync(killed.outDir).filter((name) => name.endsWith('.tmp')),
      [],
    );
  }
});

t.test('the same test finds a mark that is set before the files are there', async (t) => {
  const { place, keep, compact, query } = createPlace(t);
  await keep(clicks('a', 'b'));
  const early = (): EventsToCompact<CompactionRange> => {
    const log = openCompactionLog(place.folder);
    return {
      ...log,
      read: (range) => {
        log.finish(range);
        throw new Error('killed');
      },
    };
  };
  await t.rejects(compact(NOTHING_OLD, early), { message: 'killed' });
  await keep(clicks('c'));
  await compact();
  t.same(await query(IDS), [{ id: 'c' }], 'a and b are lost');
});

t.test('events of forgotten users are in no file, nor in the store any more', async (t) => {
  const { place, keep, compact, query, files } = createPlace(t);
  const at = click().time;
  await keep([
    click({ eventId: 'before', userId: 'ü"1' }),
    click({ eventId: 'ahead', userId: 'ü"1', time: at + 60 }),
    click({ eventId: 'later', userId: 'ü"1', time: at + 61 }),
    click({ eventId: 'visit', userId: undefined, sessionId: 'ü"1' }),
    click({ eventId: 'other' }),
  ]);
  const forgotten = forgottenAt({ 'ü"1': at });
  t.match(await compact(NOTHING_OLD, undefined, forgotten), { events: 3, leftOut: 2 });
  t.same(await query(IDS), [{ id: 'later' }, { id: 'visit' }, { id: 'other' }]);
  t.same(
    listEvents(place).map(({ eventId }) => eventId),
    ['later', 'visit', 'other'],
  );
  await keep([click({ eventId: 'late', userId: 'ü"1' })]);
  t.match(await compact(NOTHING_OLD, undefined, forgotten), { events: 0, leftOut: 1, files: [] });
  t.equal(files().length, 1);
  t.equal(listEvents(place).length, 3);
});

t.test('a user who is forgotten while a file is written is not in it', async (t) => {
  const { place, keep, compact, query, files } = createPlace(t);
  await keep([...clicks('a', 'b'), click({ eventId: 'c', userId: 'u2' })]);
  const times: Record<string, number> = {};
  const list = forgottenAt(times);
  let asked = 0;
  const forgotten = {
    ...list,
    // After all rows were let through, as a server does it meanwhile: first the list, then the rows.
    latest: () => {
      if (++asked === 2) times['u1'] = click().time;
      return list.latest();
    },
  };
  t.match(await compact(NOTHING_OLD, undefined, forgotten), { events: 1, leftOut: 2 });
  t.same(await query(IDS), [{ id: 'c' }]);
  t.equal(files().length, 1);
  t.equal(listEvents(place).length, 1);
  t.same(
    readdirSync(join(place.folder, 'parquet')).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

t.test(
  'the command leaves out whom the list of the settings has, and refuses one that is not whole',
  async (t) => {
    const { place, keep, query } = createPlace(t);
    const folder = join(place.folder, '../list');
    const run = createCommandRunner({
      env: { SHORTLIST_EVENTS_FOLDER: place.folder, SHORTLIST_FORGOTTEN_FOLDER: folder },
    });
    await keep([click({ eventId: 'a' }), click({ eventId: 'b', userId: 'u2' })]);
    const list = openLocalForgottenUsers({
      folder,
      clock: () => Date.now() / 1000,
      observer: { sized: () => undefined, changed: () => undefined },
    });
    await list.add('u1');
    writeFileSync(join(folder, 'forgotten.txt'), 'nonsense\n', { flag: 'a' });
    t.match(await run('events', 'compact'), {
      code: 1,
      errors: /FORGETTING_FAILED: Nobody can tell who asked/,
    });
    t.equal(listEvents(place).length, 2);
    rmSync(folder, { recursive: true });
    await openLocalForgottenUsers({
      folder,
      clock: () => Date.now() / 1000,
      observer: { sized: () => undefined, changed: () => undefined },
    }).add('u1');
    t.match(await run('events', 'compact'), {
      code: 0,
      out: /^1 events: .* Left out: 1 of users who asked to be forgotten\./s,
    });
    t.same(await query(IDS), [{ id: 'b' }]);
  },
);

t.test('the command compacts the folder that the settings name, and says what it did', async (t) => {
  const { place, keep, files, date } = createPlace(t);
  const run = createCommandRunner({ env: { SHORTLIST_EVENTS_FOLDER: place.folder } });
  t.match(await run('events', 'compact'), {
    code: 1,
    errors: /INVALID_DATASET: There are no events in .*events:/,
  });
  t.notOk(existsSync(place.folder), 'it makes no folder');
  await keep([
    click({ eventId: 'a', time: Date.parse('2025-12-01T00:00:00Z') / 1000 }),
    click({ eventId: 'b' }),
  ]);
  date(`UPDATE events SET kept_at = unixepoch('2026-01-02')`);
  const { code, out } = await run('events', 'compact');
  t.equal(code, 0);
  t.match(out, /^2 events: .*parquet\/events-20260102-[0-9a-f]{12}\.parquet; 1 old ones are removed/);
  t.equal(files().length, 1);
  t.match(await run('events', 'compact'), { code: 0, out: /^0 events; 0 old ones/ });
  const elsewhere = join(place.folder, '../parquet');
  t.match(await run('events', 'compact', '--folder', place.folder, '--out', elsewhere), { code: 0 });
  t.match(await run('events', 'tidy'), {
    code: 2,
    errors: /unknown command 'tidy'[^]*see shortlist events --help/,
  });
  t.match(await run('events', 'compact', '--no'), { code: 2, errors: /see shortlist events compact --help/ });
});

t.test('the command says what is in the file, and what is wrong with it', async (t) => {
  const { place, keep, compact } = createPlace(t);
  const { folder } = place;
  const file = join(folder, 'events.sqlite');
  const run = createCommandRunner({ env: { SHORTLIST_EVENTS_FOLDER: folder } });
  t.match(await run('events', 'check'), { code: 1, errors: /There are no events/ });
  await keep([...clicks('a', 'b'), click({ type: 'purchase', time: 1_700_000_000 })]);
  await compact();
  await keep(clicks('c'));
  const { code, out } = await run('events', 'check');
  t.equal(code, 0);
  t.match(out, /events\.sqlite: 0\.\d MB, and 0\.\d MB in its log\nIt is whole\./);
  t.match(out, '4 events, 1 of them in no parquet file yet; 3 ids are known.');
  t.match(out, /from 2023-11-14T22:13:20\.000Z to 2026-01-02T03:04:05\.000Z/);
  t.match(out, /\| 20\d\d-\d\d-\d\d \|  +click \| +3 \|\n\| 20\d\d-\d\d-\d\d \| purchase \| +1 \|/);
  const json = JSON.parse((await run('events', 'check', '--json')).out) as Record<string, unknown>;
  t.match(json, { path: file, contents: { rows: 4, uncompactedRows: 1, ids: 3 }, problems: [] });

  writeFileSync(`${file}.damaged`, 'the file is damaged (by hand)\n');
  t.match(await run('events', 'check'), {
    code: 1,
    out: /4 events/,
    errors:
      /EVENTS_UNAVAILABLE: .*is not whole.*\n  - a server met damage in it: the file is damaged \(by hand\)/,
  });
  t.match(await run('events', 'compact'), {
    code: 1,
    errors: /events\.sqlite: the file is damaged.*Nothing of it was removed/,
  });

  const bytes = readFileSync(file);
  for (const [what, damaged, said] of [
    ['zeros', Buffer.alloc(bytes.length), /no database/],
    ['half', bytes.subarray(0, bytes.length / 2), /malformed/],
    [
      'a page',
      Buffer.concat([bytes.subarray(0, 8192), Buffer.alloc(4096, 7), bytes.subarray(12_288)]),
      /Tree|page|malformed/,
    ],
    ['nothing', Buffer.alloc(0), /empty/],
  ] as const) {
    const other = `${folder}-${what}`;
    mkdirSync(other);
    writeFileSync(join(other, 'events.sqlite'), damaged);
    t.match(await run('events', 'check', '--folder', other), { code: 1, errors: said }, what);
    t.ok(readFileSync(join(other, 'events.sqlite')).equals(damaged), 'it changes nothing');
  }
});

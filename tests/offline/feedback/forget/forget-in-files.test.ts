import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openCompactionLog } from '../../../../src/events/local/compaction-log.js';
import { openLocalForgottenUsers } from '../../../../src/events/forgotten/local-forgotten-users.js';
import { openDatabase, queryRows, quoteLiteral } from '../../../../src/offline/data/database.js';
import { compactEvents } from '../../../../src/offline/feedback/events/compact-events.js';
import { forgetInFiles } from '../../../../src/offline/feedback/forget/forget-in-files.js';
import { compactImpressions } from '../../../../src/offline/feedback/impressions/compact-impressions.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { click } from '../../../events/event-store-contract.js';
import { openStore } from '../../../events/store-place.js';
import { createCommandRunner } from '../../../support/command-runner.js';
import { forgottenAt } from '../../../support/forgotten-list.js';
import { NOBODY_FORGOTTEN } from '../../../support/nobody-forgotten.js';

const AT = Date.parse('2026-01-02T03:04:05.678Z') / 1000;
const USER = '日本"';

const line = (requestId: string, user: string | undefined, time = AT): string =>
  `${JSON.stringify({
    time: new Date(time * 1000).toISOString(),
    requestId,
    user,
    scenario: 'home',
    bundle: 'b',
    strategy: 'personalised',
    degraded: [],
    limit: 2,
    cache: 'miss',
    milliseconds: 1.25,
    items: [
      { id: 'i1', position: 1, score: 0.5, sources: [{ name: 'als', score: -1.5, rank: 3 }] },
      { id: 'i2', position: 2, score: 0.25, sources: [] },
    ],
  })}\n`;

/** Compacted events and impressions, and segments, with what a user did before and after being forgotten. */
async function setUp(t: Test) {
  const dir = t.testdir({ impressions: {}, features: {} });
  const [events, impressions, features] = ['events', 'impressions', 'features'].map((name) =>
    join(dir, name),
  ) as [string, string, string];
  const store = await openStore({ store: 'local', folder: events });
  const keep = async (...given: Parameters<typeof click>[0][]): Promise<void> => {
    await store.keep(given.map((each) => click({ time: AT, ...each })));
    await compactEvents({
      open: () => openCompactionLog(events),
      outDir: join(events, 'parquet'),
      before: { time: 0, keptAt: 0 },
      forgotten: NOBODY_FORGOTTEN,
      progress: SILENT_PROGRESS,
    });
  };
  await keep(
    { eventId: 'a', userId: USER, context: { device: 'mobile' }, value: -0.5 },
    { eventId: 'b', userId: 'other', context: { visits: 3 }, sessionId: USER },
    { eventId: 'c', userId: USER, time: AT + 61 },
    { eventId: 'd', userId: undefined, sessionId: USER },
  );
  await keep({ eventId: 'e', userId: USER });
  await keep({ eventId: 'f', userId: 'other' });
  await store.close();
  writeFileSync(
    join(impressions, '20260102T000000000Z-00000001.jsonl'),
    line('1', USER) + line('2', 'other') + line('3', USER, AT + 61) + line('4', undefined),
  );
  await compactImpressions(impressions, {
    outDir: join(impressions, 'parquet'),
    abandonedBefore: 0,
    forgotten: NOBODY_FORGOTTEN,
    progress: SILENT_PROGRESS,
  });
  writeFileSync(join(impressions, 'a.jsonl'), line('5', USER));
  writeFileSync(
    join(impressions, 'b.jsonl.rejected'),
    `half of a li\n${line('6', USER)}${line('7', 'other')}`,
  );
  writeFileSync(join(features, 'c.jsonl'), line('8', USER) + line('9', 'other') + line('10', USER, AT + 61));
  writeFileSync(join(features, 'd.jsonl'), line('11', 'other'));
  writeFileSync(join(features, 'e~1-2-3.jsonl.open'), line('12', USER));
  const folders = {
    events: join(events, 'parquet'),
    impressions: join(impressions, 'parquet'),
    logs: [impressions, features],
  };
  const read = async (kind: 'events' | 'impressions', columns: string, order: string) => {
    const { connection, close } = await openDatabase();
    const rows = await queryRows(
      connection,
      `SELECT ${columns} FROM read_parquet(${quoteLiteral(`${folders[kind]}/*.parquet`)}) ORDER BY ${order}`,
    );
    close();
    return rows;
  };
  return {
    dir,
    folders,
    read,
    names: () =>
      [...readdirSync(folders.events), ...readdirSync(folders.impressions)]
        .filter((name) => !name.startsWith('locks'))
        .sort(),
    forget: (forgotten = forgottenAt({ [USER]: AT })) =>
      forgetInFiles(folders, { forgotten, progress: SILENT_PROGRESS }),
  };
}

t.test('what is of before goes from every file, and all else is as it was', async (t) => {
  const { dir, folders, read, names, forget } = await setUp(t);
  const columns = 'sequence, "user", session, item, type, value, time, event_id, slate_id, context';
  const [events, impressions] = [
    await read('events', columns, 'sequence'),
    await read('impressions', '*', 'request_id, position'),
  ];
  const before = names();
  t.same(await forget(), {
    events: { rows: 2, files: 2 },
    impressions: { rows: 2, files: 1 },
    lines: { lines: 3, segments: 3 },
  });
  t.strictSame(
    await read('events', columns, 'sequence'),
    events.filter(({ event_id: id }) => id !== 'a' && id !== 'e'),
  );
  t.strictSame(
    await read('impressions', '*', 'request_id, position'),
    impressions.filter(({ request_id: id }) => id !== '1'),
  );
  t.equal(names().length, before.length - 1, 'a file without a row is none');
  t.notOk(existsSync(join(dir, 'impressions/a.jsonl')));
  t.equal(
    readFileSync(join(dir, 'impressions/b.jsonl.rejected'), 'utf8'),
    `half of a li\n${line('7', 'other')}`,
  );
  t.equal(
    readFileSync(join(dir, 'features/c.jsonl'), 'utf8'),
    line('9', 'other') + line('10', USER, AT + 61),
  );
  t.equal(
    readFileSync(join(dir, 'features/e~1-2-3.jsonl.open'), 'utf8'),
    line('12', USER),
    'a process writes to it',
  );
  const { connection, close } = await openDatabase();
  t.match(
    await queryRows(
      connection,
      `SELECT decode(value) AS value FROM parquet_kv_metadata('${folders.impressions}/*.parquet') WHERE decode(key) = 'shortlist.segments'`,
    ),
    [{ value: '["20260102T000000000Z-00000001.jsonl"]' }],
    'a file still says which segments it is of',
  );
  close();
  t.same(await forget(), {
    events: { rows: 0, files: 0 },
    impressions: { rows: 0, files: 0 },
    lines: { lines: 0, segments: 0 },
  });
});

t.test('files without a forgotten user are not touched', async (t) => {
  const { dir, forget } = await setUp(t);
  cpSync(dir, `${dir}-before`, { recursive: true });
  t.match(await forget(forgottenAt({ nobody: AT })), {
    events: { rows: 0 },
    impressions: { rows: 0 },
    lines: { lines: 0 },
  });
  for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((each) =>
    /\.(parquet|jsonl)/.test(each),
  ))
    t.same(readFileSync(join(dir, name)), readFileSync(join(`${dir}-before`, name)), name);
});

t.test('the command does it in the folders of the settings, which may be missing', async (t) => {
  const { dir } = await setUp(t);
  const list = openLocalForgottenUsers({
    folder: join(dir, 'list'),
    clock: () => AT,
    observer: { sized: () => undefined, changed: () => undefined },
  });
  await list.add(USER);
  const env = {
    SHORTLIST_FORGOTTEN_FOLDER: join(dir, 'list'),
    SHORTLIST_EVENTS_FOLDER: join(dir, 'events'),
    SHORTLIST_IMPRESSIONS_FOLDER: join(dir, 'impressions'),
    SHORTLIST_FEATURE_LOG_FOLDER: join(dir, 'features'),
  };
  const run = createCommandRunner({ env });
  t.match(await run('forget'), {
    code: 0,
    out: 'Removed 2 events in 2 files, 2 rows of impressions in 1 files, 3 lines in 3 segments of logs.',
  });
  const nowhere = Object.fromEntries(Object.keys(env).map((name) => [name, join(dir, 'nowhere')]));
  t.match(await createCommandRunner({ env: nowhere })('forget'), {
    code: 0,
    out: /^Removed 0 events in 0 files/,
  });
  t.notOk(existsSync(join(dir, 'nowhere')));
  mkdirSync(join(dir, 'nowhere'));
  writeFileSync(join(dir, 'nowhere/forgotten.txt'), 'nonsense\n');
  t.match(await createCommandRunner({ env: nowhere })('forget'), {
    code: 1,
    errors: /Nobody can tell who asked/,
  });
  t.match(await run('forget', 'u1'), { code: 2 });
});

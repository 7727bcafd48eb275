import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import t from 'tap';
import { openDatabase, queryRows } from '../../../../src/offline/data/database.js';
import { compactImpressions } from '../../../../src/offline/feedback/impressions/compact-impressions.js';
import type { LoggedImpression } from '../../../../src/offline/feedback/impressions/impression-rows.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { createCommandRunner } from '../../../support/command-runner.js';
import { forgottenAt } from '../../../support/forgotten-list.js';
import { NOBODY_FORGOTTEN } from '../../../support/nobody-forgotten.js';

const NOW = Date.parse('2026-01-03T00:00:00Z');

function impression(requestId: string, changes: Partial<LoggedImpression> = {}): LoggedImpression {
  return {
    time: '2026-01-02T03:04:05.678Z',
    requestId,
    user: 'ü"1',
    scenario: 'home',
    bundle: '20260101T000000Z-00000000',
    strategy: 'personalised',
    degraded: [],
    limit: 2,
    cache: 'miss',
    milliseconds: 1.25,
    items: [
      { id: 'i1', position: 1, score: 0.5, sources: [{ name: 'als', score: -1.5, rank: 3 }] },
      { id: 'i2', position: 2, score: 0.25, sources: [] },
    ],
    ...changes,
  };
}

const line = (...given: Parameters<typeof impression>): string => `${JSON.stringify(impression(...given))}\n`;

/** A log of segments by name; runs the compaction over it. */
function createLog(folder: string, segments: Record<string, string>) {
  for (const [name, text] of Object.entries(segments)) writeFileSync(join(folder, name), text);
  const outDir = join(folder, 'parquet');
  const glob = `'${outDir}/*.parquet'`;
  return {
    outDir,
    compact: (forgotten = NOBODY_FORGOTTEN) =>
      compactImpressions(folder, {
        outDir,
        abandonedBefore: NOW,
        forgotten,
        progress: SILENT_PROGRESS,
      }),
    rest: () =>
      readdirSync(folder)
        .filter((name) => name !== 'parquet')
        .sort(),
    query: async (sql: string) => {
      const { connection, close } = await openDatabase();
      const rows = await queryRows(connection, sql.replace('LOG', glob));
      close();
      return rows;
    },
  };
}

const DAYS = {
  '20260101T230000000Z-00000001.jsonl':
    line('a') + line('b', { items: [], degraded: [{ stage: 'ranking', reason: 'ranker_failed' }] }),
  '20260102T000000000Z-00000001.jsonl': line('c', { user: undefined, item: 'i7' } as object),
  '20260102T000000000Z-00000002.jsonl': line('d', { slateId: 'kq3Zb0VYTzWJx5uQ7l2n9A', session: 'v-17' }),
};
const ALL = 'SELECT DISTINCT request_id AS id FROM LOG ORDER BY id';
const COUNT = 'SELECT count(*)::INT AS rows FROM LOG';

t.test('segments become parquet, a file for each day, and DuckDB and hyparquet read the same', async (t) => {
  const log = createLog(t.testdir(), DAYS);
  const compaction = await log.compact();
  t.match(compaction, { segments: 3, impressions: 4, rows: 7, warnings: [] });
  t.equal(compaction.files.length, 2);
  t.same(log.rest(), []);
  const columns =
    'request_id, slate_id, user_id, session_id, basis_item_id, position, item_id, score, sources, source_scores, source_ranks, degraded, time_ms, milliseconds';
  const rows = await log.query(`SELECT ${columns} FROM LOG ORDER BY request_id, position`);
  const lists = (value: unknown) => (value as { items?: unknown[] } | null)?.items ?? value;
  t.match(rows[0], {
    request_id: 'a',
    slate_id: null,
    user_id: 'ü"1',
    session_id: null,
    basis_item_id: null,
    position: 1,
    item_id: 'i1',
    score: 0.5,
  });
  t.equal(rows[0]!['time_ms'], BigInt(Date.parse('2026-01-02T03:04:05.678Z')));
  t.same(
    [lists(rows[0]!['sources']), lists(rows[0]!['source_scores']), lists(rows[0]!['source_ranks'])],
    [['als'], [-1.5], [3]],
  );
  t.same(lists(rows[1]!['sources']), []);
  t.match(rows[2], { request_id: 'b', position: null, item_id: null, score: null });
  t.same(lists(rows[2]!['degraded']), ['ranking:ranker_failed']);
  t.match(rows[3], { request_id: 'c', user_id: null, basis_item_id: 'i7' });
  t.match(rows.at(-1), { request_id: 'd', slate_id: 'kq3Zb0VYTzWJx5uQ7l2n9A', session_id: 'v-17' });
  const read = await Promise.all(
    compaction.files.map(async (file) => parquetReadObjects({ file: await asyncBufferFromFile(file) })),
  );
  const own = (read.flat() as Record<string, unknown>[]).sort((a, b) =>
    `${String(a['request_id'])}${String(a['position'])}` <
    `${String(b['request_id'])}${String(b['position'])}`
      ? -1
      : 1,
  );
  t.same(
    own.map((row) => [
      row['request_id'],
      row['item_id'] ?? null,
      row['score'] ?? null,
      row['time_ms'],
      row['sources'] ?? [],
    ]),
    rows.map((row) => [
      row['request_id'],
      row['item_id'],
      row['score'],
      row['time_ms'],
      lists(row['sources']),
    ]),
  );
});

t.test('what a forgotten user was shown is in no file, and what they were shown later is', async (t) => {
  const at = Date.parse('2026-01-02T03:04:05.678Z') / 1000;
  const user = '日本"';
  const log = createLog(t.testdir(), {
    '20260101T000000000Z-00000001.jsonl': line('gone', { user }),
    '20260102T000000000Z-00000001.jsonl':
      line('before', { user }) +
      line('other') +
      line('nobody', { user: undefined, item: user } as object) +
      line('later', { user, time: '2026-01-02T03:10:00Z' }),
  });
  const compaction = await log.compact(forgottenAt({ [user]: at }));
  t.match(compaction, { segments: 2, impressions: 3, leftOut: 2, rows: 6 });
  t.equal(compaction.files.length, 1, 'a day of nobody else is no file');
  t.same(await log.query(ALL), [{ id: 'later' }, { id: 'nobody' }, { id: 'other' }]);
  t.same(log.rest(), [], 'and the segments are gone');
});

t.test('a user who is forgotten while a file is written is not in it', async (t) => {
  const log = createLog(t.testdir(), DAYS);
  const times: Record<string, number> = {};
  const list = forgottenAt(times);
  let asked = 0;
  const forgotten = {
    ...list,
    // After the line of the user was let through.
    latest: () => {
      if (++asked === 2) times['ü"1'] = NOW / 1000;
      return list.latest();
    },
  };
  t.match(await log.compact(forgotten), { impressions: 1, leftOut: 3 });
  t.same(await log.query(ALL), [{ id: 'c' }]);
  t.same(
    readdirSync(log.outDir).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

t.test('run again it does nothing, and takes what is new', async (t) => {
  const folder = t.testdir();
  const log = createLog(folder, DAYS);
  await log.compact();
  t.match(await log.compact(), { segments: 0, impressions: 0, files: [] });
  writeFileSync(join(folder, '20260102T010000000Z-00000003.jsonl'), line('e'));
  t.match(await log.compact(), { segments: 1, impressions: 1 });
  t.same(
    (await log.query(ALL)).map(({ id }) => id),
    ['a', 'b', 'c', 'd', 'e'],
  );
});

t.test(
  'killed after a file was put in place, before its segments were removed, it counts nothing twice',
  async (t) => {
    const dir = t.testdir({ log: {} });
    const [folder, copy] = [join(dir, 'log'), join(dir, 'copy')];
    const log = createLog(folder, DAYS);
    cpSync(folder, copy, { recursive: true });
    await log.compact();
    for (const name of Object.keys(DAYS)) copyFileSync(join(copy, name), join(folder, name));
    writeFileSync(join(log.outDir, '.x.parquet.01234567-89ab-cdef-0123-456789abcdef.tmp'), 'half a file');
    t.match(await log.compact(), { segments: 0 });
    t.same(log.rest(), []);
    t.same(await log.query(COUNT), [{ rows: 7 }]);
    t.equal(readdirSync(log.outDir).length, 2);
  },
);

t.test('killed between two days, the next run does the other one', async (t) => {
  const folder = t.testdir();
  const log = createLog(folder, DAYS);
  const script = join(import.meta.dirname, 'compact-and-die.js');
  const child = spawn(process.execPath, [...process.execArgv, script, folder, log.outDir], {
    stdio: 'inherit',
  });
  t.same(await once(child, 'exit'), [null, 'SIGKILL']);
  t.equal(readdirSync(log.outDir).filter((name) => name.endsWith('.parquet')).length, 1);
  t.match(await log.compact(), { segments: 2, impressions: 2 });
  t.same(
    (await log.query(ALL)).map(({ id }) => id),
    ['a', 'b', 'c', 'd'],
  );
});

t.test(
  'a last line that was cut off is left out with a warning; other damage is kept to be looked at',
  async (t) => {
    const log = createLog(t.testdir(), {
      '20260101T000000000Z-0000000a.jsonl': line('a') + line('b').slice(0, 50),
      '20260101T000000000Z-0000000b.jsonl': `${line('c')}nonsense\n{"time":"never"}\nnull\n${line('d')}`,
      '20260101T000000000Z-0000000c.jsonl': '',
      '20260102T000000000Z-0000000d.jsonl': '{"ti',
    });
    const { impressions, warnings, files } = await log.compact();
    t.equal(impressions, 3);
    t.equal(files.length, 1);
    t.match(warnings, [
      /0a\.jsonl: its last line was cut off/,
      /0b\.jsonl: lines 2, 3, 4 are no impressions/,
      /0d\.jsonl: its last/,
    ]);
    t.same(log.rest(), ['20260101T000000000Z-0000000b.jsonl.rejected']);
  },
);

t.test('a segment that is written to is left alone until its process must be gone', async (t) => {
  const folder = t.testdir();
  const log = createLog(folder, { '20260101T000000000Z-0000000a.jsonl.open': line('a') });
  const path = join(folder, '20260101T000000000Z-0000000a.jsonl.open');
  utimesSync(path, NOW / 1000, NOW / 1000);
  t.match(await log.compact(), { segments: 0 });
  t.ok(existsSync(path));
  utimesSync(path, NOW / 1000 - 1, NOW / 1000 - 1);
  t.match(await log.compact(), { segments: 1, impressions: 1 });
  t.same(log.rest(), []);
});

t.test('a parquet file that cannot be read stops the run: it may hold segments', async (t) => {
  const log = createLog(t.testdir(), DAYS);
  await log.compact();
  writeFileSync(join(log.outDir, readdirSync(log.outDir)[0]!), 'PAR1 no more');
  await t.rejects(log.compact(), { code: 'INVALID_DATASET', message: /move it away/ });
});

t.test('the command says what it did and what it left out', async (t) => {
  const folder = t.testdir();
  createLog(folder, { '20260101T000000000Z-0000000a.jsonl': `${line('a')}{"torn` });
  const run = createCommandRunner({ env: { SHORTLIST_IMPRESSIONS_FOLDER: folder } });
  const { code, out, errors } = await run('impressions', 'compact');
  t.equal(code, 0);
  t.match(
    out,
    /^1 impressions of 1 segments, 2 rows: .*parquet\/impressions-20260101-[0-9a-f]{12}\.parquet$/,
  );
  t.match(errors, /its last line was cut off/);
  const elsewhere = join(folder, 'elsewhere');
  t.match(await run('impressions', 'compact', '--out', elsewhere), {
    code: 0,
    out: '0 impressions of 0 segments, 0 rows.',
  });
  t.ok(statSync(elsewhere).isDirectory());
  t.match(await run('impressions', 'compact', '--folder', join(folder, 'nowhere'), '--out', elsewhere), {
    code: 1,
    errors: /INVALID_DATASET: There is no impression log in/,
  });
});

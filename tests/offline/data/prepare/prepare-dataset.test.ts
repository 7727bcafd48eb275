import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openDatabase } from '../../../../src/offline/data/database.js';
import { prepareDataset } from '../../../../src/offline/data/prepare/prepare-dataset.js';
import { GOOD_CSV, problemsOf, rowsOf, tryPrepare, type TryDataset } from './try-prepare.js';

const PLAIN = "SELECT * FROM '{dir}/log.csv'";

t.beforeEach((t) => void t.testdir({}));

t.test('rows come by user, then time, then order in the files, also from large files', async (t) => {
  const parquet = (from: number, to: number): string =>
    `SELECT 'u' || (i % 3) AS user_id, i AS item_id, 1700000000 - i // 50000 AS timestamp FROM range(${from}, ${to}) AS r(i)`;
  const { dataset } = await tryPrepare(t, {
    files: {
      'a.parquet': { parquet: parquet(0, 200_000), options: 'FORMAT parquet, ROW_GROUP_SIZE 2048' },
      'b.parquet': { parquet: parquet(200_000, 250_000), options: 'FORMAT parquet, ROW_GROUP_SIZE 2048' },
    },
    interactions: "SELECT * FROM '{dir}/*.parquet'",
  });
  const { user, item, timestamp } = dataset.interactions;
  const disorder = user.findIndex((index, row) => {
    if (row === 0 || index !== user[row - 1]) return row > 0 && index < user[row - 1]!;
    const earlier = timestamp[row]! - timestamp[row - 1]!;
    return earlier < 0 || (earlier === 0 && item[row]! < item[row - 1]!);
  });
  t.equal(disorder, -1);
  t.equal(user.length, 250_000);
});

t.test(
  'users and items are those of their tables and of the interactions, in the order of raw ids',
  async (t) => {
    const { dataset, report } = await tryPrepare(t, {
      files: { 'log.csv': 'user_id,item_id,timestamp\n10,b,1700000000\n9,a,1700000000\n' },
      interactions: PLAIN,
      items: { sql: "SELECT unnest(['Z', 'b', 'c']) AS item_id", columns: {} },
      users: { sql: 'SELECT unnest([100, 9]) AS user_id', columns: {} },
    });
    t.strictSame(dataset.users.entities.ids, ['9', '10', '100']);
    t.strictSame(dataset.catalogue.entities.ids, ['Z', 'a', 'b', 'c']);
    t.strictSame(report.items, { rows: 4, withoutInteractions: 2, withoutItemsRow: 1 });
    t.strictSame(report.users, { rows: 3, withoutInteractions: 1, withoutUsersRow: 1 });
  },
);

t.test('a minimum drops users and items with too few rows until all that are left have enough', async (t) => {
  // c's second row goes with item z, which leaves c one row, which leaves item y one row, which leaves b one row.
  const pairs = ['a,x', 'a,w', 'b,x', 'b,y', 'c,y', 'c,z', 'd,x', 'd,w'];
  const { dataset, report } = await tryPrepare(t, {
    files: {
      'log.csv': `user_id,item_id,timestamp\n${pairs.map((pair, at) => `${pair},${1_700_000_000 + at}`).join('\n')}\n`,
    },
    interactions: PLAIN,
    minimum: { interactionsPerUser: 2, interactionsPerItem: 2 },
  });
  t.strictSame(
    rowsOf(dataset).map(([user, item]) => user + item),
    ['ax', 'aw', 'dx', 'dw'],
  );
  t.match(report.sources[0], { rowsRead: 8, rowsKept: 4, dropped: { 'below the minimum': 4 } });
});

t.test('a minimum that nothing reaches is a problem', async (t) => {
  const problems = await problemsOf(t, {
    files: { 'log.csv': GOOD_CSV },
    interactions: PLAIN,
    minimum: { interactionsPerUser: 9, interactionsPerItem: 1 },
  });
  t.strictSame(problems, ['no interactions are left after the minimum and the minimum value']);
});

t.test('rows that repeat another are kept and counted', async (t) => {
  const { report, dataset } = await tryPrepare(t, {
    files: { 'log.csv': GOOD_CSV + GOOD_CSV.split('\n').slice(1).join('\n') },
    interactions: PLAIN,
  });
  t.equal(report.interactions.repeats, 2);
  t.equal(dataset.interactions.user.length, 4);
});

t.test('the type of an interaction is kept in the prepared table', async (t) => {
  const { outDir } = await tryPrepare(t, {
    files: { 'log.csv': 'user_id,item_id,timestamp,type\na,x,1700000000,view\na,x,1700000001,\n' },
    interactions: PLAIN,
  });
  const database = await openDatabase();
  const rows = await database.connection.runAndReadAll(
    `SELECT user_id, item_id, type FROM '${join(outDir, 'interactions.parquet')}'`,
  );
  database.close();
  t.strictSame(rows.getRowsJS(), [
    ['a', 'x', 'view'],
    ['a', 'x', null],
  ]);
});

t.test('the fingerprint is that of the content: not of files, row groups or threads', async (t) => {
  const query =
    'SELECT i % 7 AS user_id, i % 11 AS item_id, 1700000000 + i AS timestamp FROM range(5000) AS r(i)';
  const one = await tryPrepare(t, {
    files: { 'log.parquet': { parquet: query } },
    interactions: "SELECT * FROM '{dir}/log.parquet'",
  });
  const csv = await tryPrepare(t, {
    files: { 'log.csv': { parquet: query, options: 'FORMAT csv' } },
    interactions: PLAIN,
  });
  t.match(one.dataset.fingerprint, /^[0-9a-f]{64}$/);
  t.equal(one.dataset.fingerprint, csv.dataset.fingerprint);
  t.equal(one.report.fingerprint, one.dataset.fingerprint);
});

const BASE: TryDataset = {
  files: {
    'log.csv': 'user_id,item_id,timestamp,value,type\na,x,1700000000,1,view\nb,y,1700000001,1,view\n',
  },
  interactions: PLAIN,
  items: { sql: "SELECT 'x' AS item_id, 'a' AS genre", columns: { genre: { role: 'categorical' } } },
};
const changes: Record<string, Partial<TryDataset>> = {
  'a value': { interactions: "SELECT * REPLACE (value + 1 AS value) FROM '{dir}/log.csv'" },
  'a time': { interactions: "SELECT * REPLACE (timestamp + 1 AS timestamp) FROM '{dir}/log.csv'" },
  'a type': { interactions: "SELECT * REPLACE ('buy' AS type) FROM '{dir}/log.csv'" },
  'an id': { interactions: "SELECT * REPLACE (user_id || '2' AS user_id) FROM '{dir}/log.csv'" },
  'an attribute': { items: { ...BASE.items!, sql: "SELECT 'x' AS item_id, 'b' AS genre" } },
  'a role': { items: { ...BASE.items!, columns: { genre: { role: 'text' } } } },
};
for (const [what, change] of Object.entries(changes)) {
  t.test(`the fingerprint changes with ${what}`, async (t) => {
    const base = await tryPrepare(t, BASE);
    const changed = await tryPrepare(t, { ...BASE, ...change });
    t.not(base.dataset.fingerprint, changed.dataset.fingerprint);
  });
}

t.test('the folder holds the tables, the manifest and the report, and nothing else', async (t) => {
  const { outDir, report } = await tryPrepare(t, BASE);
  t.strictSame(readdirSync(outDir).sort(), [
    'interactions.parquet',
    'items.parquet',
    'prepared.json',
    'report.json',
    'users.parquet',
  ]);
  t.strictSame(JSON.parse(readFileSync(join(outDir, 'report.json'), 'utf8')), report);
  t.match(JSON.parse(readFileSync(join(outDir, 'prepared.json'), 'utf8')), {
    name: 'tried',
    counts: { interactions: 2, items: 2, users: 2 },
    window: { from: 1_700_000_000, to: 1_700_000_001 },
  });
});

t.test('a prepare that fails leaves the earlier tables as they were', async (t) => {
  const { outDir } = await tryPrepare(t, BASE);
  const before = readFileSync(join(outDir, 'prepared.json'), 'utf8');
  await problemsOf(t, { ...BASE, interactions: "SELECT * FROM '{dir}/none.csv'" });
  t.equal(readFileSync(join(outDir, 'prepared.json'), 'utf8'), before);
});

t.test('the error says how many problems there are and the progress which table has them', async (t) => {
  const steps: string[] = [];
  const prepared = prepareDataset(
    {
      name: 'broken',
      description: '',
      licence: '',
      path: '.',
      interactions: { sql: "SELECT NULL AS user_id, 'x' AS item_id, 1 AS timestamp" },
      items: { sql: 'SELECT 1', columns: {} },
      evaluation: { protocol: 'random' },
    },
    {
      outDir: join(t.testdirName, 'out'),
      progress: {
        start: (label) => ({
          advance: () => undefined,
          finish: (summary) => void steps.push(`${label}: ${String(summary).replace(/\d+\.\d+/, '…')}`),
        }),
      },
    },
  );
  await t.rejects(prepared, {
    code: 'INVALID_DATASET',
    message:
      /^dataset broken cannot be prepared: 2 problem\(s\); rows are counted from 1 without the header\n {2}- /,
  });
  t.strictSame(steps, ['read interactions: 1 rows in … s, 1 problems', 'read items: failed']);
  t.notOk(existsSync(join(t.testdirName, 'out')));
});

import t from 'tap';
import {
  renderPrepareReport,
  type PrepareReport,
} from '../../../../src/offline/data/prepare/prepare-report.js';
import { GOOD_CSV, tryPrepare } from './try-prepare.js';

const PLAIN = "SELECT * FROM '{dir}/log.csv'";

t.beforeEach((t) => void t.testdir({}));

t.test('files, bytes, rows, speed, distinct ids and dates of each source are reported', async (t) => {
  const { report } = await tryPrepare(t, {
    files: { 'log.csv': GOOD_CSV, 'items.csv': 'item_id,year\nx,1999\ny,\n' },
    interactions: PLAIN,
    items: { sql: "SELECT * FROM '{dir}/items.csv'", columns: { year: { role: 'numeric' } } },
  });
  const [interactions, items] = report.sources;
  t.match(interactions, {
    table: 'interactions',
    bytes: GOOD_CSV.length,
    rowsRead: 2,
    rowsKept: 2,
    dropped: {},
  });
  t.match(interactions!.files, [/log\.csv$/]);
  t.match(items, { table: 'items', rowsRead: 2, missing: { year: 1 } });
  t.ok(
    interactions!.seconds > 0 && interactions!.rowsPerSecond > 0 && report.seconds > interactions!.seconds,
  );
  t.strictSame(report.interactions, {
    rows: 2,
    distinctUsers: 2,
    distinctItems: 2,
    hasOrder: true,
    hasDates: false,
    orderedShare: 0,
    repeats: 0,
    from: '2023-11-14T22:13:20.000Z',
    to: '2023-11-14T22:15:00.000Z',
    times: {
      first: '2023-11-14T22:13:20.000Z',
      lowerQuartile: '2023-11-14T22:13:20.000Z',
      median: '2023-11-14T22:13:20.000Z',
      upperQuartile: '2023-11-14T22:15:00.000Z',
      last: '2023-11-14T22:15:00.000Z',
    },
    values: {
      lowest: 1,
      lowerQuartile: 1,
      median: 1,
      upperQuartile: 1,
      highest: 1,
      rowsBelowZero: 0,
      rowsOfZero: 0,
    },
  });
  t.strictSame(report.warnings, []);
});

t.test('a source that is larger or slower than its limits is warned of', async (t) => {
  const { report } = await tryPrepare(t, {
    files: { 'log.csv': GOOD_CSV },
    interactions: PLAIN,
    limits: { maxMegabytes: 0.000001, minRowsPerSecond: 1e12 },
  });
  t.match(report.warnings, [
    'source_large: interactions: 0.00006 MB of files are more than the limit of 0.000001 MB',
    /^source_slow: interactions: \d+ rows\/s are fewer than the limit of 1000000000000 rows\/s$/,
  ]);
});

t.test('interactions whose ids are in none of the rows of items or users are warned of', async (t) => {
  const { report } = await tryPrepare(t, {
    files: { 'log.csv': GOOD_CSV },
    interactions: PLAIN,
    items: { sql: "SELECT 'X' AS item_id", columns: {} },
    users: { sql: "SELECT 'Ann' AS user_id", columns: {} },
  });
  t.match(report.warnings, [
    'items: no item_id of the interactions is in the items table; do both write ids the same way?',
    'users: no user_id of the interactions is in the users table; do both write ids the same way?',
  ]);
});

t.test('ids that other tools write for no value are warned of', async (t) => {
  const { report } = await tryPrepare(t, {
    files: {
      'log.csv': 'user_id,item_id,timestamp\nNULL,x,1700000000\nann,nan,1700000001\nNULL,y,1700000002\n',
    },
    interactions: PLAIN,
  });
  t.strictSame(report.warnings, [
    "interactions: 2 rows have the user_id 'NULL', which is taken as any other text; where it stands for no value, say nullif(user_id, 'NULL') in the SQL",
    "interactions: 1 rows have the item_id 'nan', which is taken as any other text; where it stands for no value, say nullif(item_id, 'nan') in the SQL",
  ]);
});

t.test('ids that no request can name are warned of, with how many and an example', async (t) => {
  const long = 'é'.repeat(257);
  const rows = ['a\u0007nn,x', `${long},x`, `bob,${'é'.repeat(256)}`, 'bob,\u0085y'];
  const lines = rows.map((row, index) => `${row},${1700000000 + index}`);
  const { report } = await tryPrepare(t, {
    files: { 'log.csv': ['user_id,item_id,timestamp', ...lines, ''].join('\n') },
    interactions: PLAIN,
  });
  t.strictSame(report.warnings, [
    'users: requests cannot name 2 of the user_ids, which are longer than 256 characters or hold control characters; ' +
      'the first begins "a\\u0007nn"',
    'items: requests cannot name 1 of the item_ids, which are longer than 256 characters or hold control characters; ' +
      `the first begins "\u0085y"`,
  ]);
});

t.test('the types of the rows that are kept are counted, the most frequent first, 20 at most', async (t) => {
  const reportOf = async (sql: string, negative?: string[]) => {
    const given = { files: { 'log.csv': GOOD_CSV }, interactions: sql, ...(negative && { negative }) };
    return (await tryPrepare(t, given)).report;
  };
  const rows = 'SELECT i AS user_id, i AS item_id, 1700000000 + i AS timestamp';
  const some = await reportOf(
    `${rows}, CASE WHEN i < 5 THEN 'view' WHEN i < 7 THEN 'add to cart' WHEN i = 7 THEN 'hide' END AS type FROM range(9) t(i)`,
    ['hide'],
  );
  t.strictSame(some.interactions.types, [
    { type: 'view', rows: 5 },
    { type: 'add to cart', rows: 2 },
    { type: null, rows: 1 },
  ]);
  t.match(renderPrepareReport(some), '\n  types: view 5, "add to cart" 2, none 1\n');
  const many = await reportOf(`${rows}, 't' || least(i, 24) AS type FROM range(30) t(i)`);
  t.equal(many.interactions.types!.length, 20);
  t.equal(many.interactions.distinctTypes, 25);
  t.match(renderPrepareReport(many), /\n {2}types: t24 6, t0 1, t1 1, .*, and 5 others\n/);
  t.notMatch(renderPrepareReport(await reportOf(PLAIN)), 'types:');
});

const REPORT: PrepareReport = {
  dataset: 'films',
  fingerprint: '0123456789abcdef',
  sources: [
    {
      table: 'interactions',
      files: ['log.csv'],
      bytes: 2_500_000,
      hiddenFiles: 0,
      rowsRead: 100_000,
      rowsKept: 99_990,
      dropped: { 'below the minimum': 10 },
      missing: { value: 3 },
      seconds: 0.2,
      rowsPerSecond: 500_000,
      megabytesPerSecond: 12.5,
    },
  ],
  interactions: {
    rows: 99_990,
    distinctUsers: 1000,
    distinctItems: 500,
    hasOrder: true,
    hasDates: true,
    orderedShare: 0.9,
    repeats: 4,
    from: '2024-01-01T10:00:00.000Z',
    to: '2024-03-01T10:00:00.000Z',
    times: {
      first: '2024-01-02T10:00:00.000Z',
      lowerQuartile: '2024-01-15T10:00:00.000Z',
      median: '2024-02-01T10:00:00.000Z',
      upperQuartile: '2024-02-15T10:00:00.000Z',
      last: '2024-02-29T10:00:00.000Z',
    },
    values: {
      lowest: -1,
      lowerQuartile: 2,
      median: 3.5,
      upperQuartile: 4,
      highest: 5,
      rowsBelowZero: 7,
      rowsOfZero: 0,
    },
  },
  items: { rows: 600, withoutInteractions: 100, withoutItemsRow: 1 },
  users: { rows: 1100, withoutInteractions: 100, withoutUsersRow: 0 },
  views: [
    {
      name: 'prices',
      rows: 1200,
      keys: 800,
      knownKeys: 0.125,
      missing: { price: 0.5, stock: 0 },
      events: { oldest: '2024-01-02T00:00:00.000Z', newest: '2024-02-03T00:00:00.000Z' },
      rowsAfterLastInteraction: 0,
    },
    { name: 'tastes', rows: 3, keys: 3, knownKeys: 1, missing: {}, rowsAfterLastInteraction: 0 },
  ],
  warnings: ['interactions: slow'],
  seconds: 1.23,
};

t.test('the report is readable', async (t) => {
  t.equal(
    renderPrepareReport(REPORT),
    `films: prepared in 1.2 s, fingerprint 0123456789ab
  interactions: 100,000 rows read, 2.5 MB in 0.2 s: 500000 rows/s, 12.5 MB/s; 10 dropped (below the minimum); 3 without value
  99,990 interactions of 1,000 users with 500 items, 2024-01-01 to 2024-03-01
  times: 1, 25, 50, 75 and 99 % of them until 2024-01-02, 2024-01-15, 2024-02-01, 2024-02-15, 2024-02-29
  values: -1 to 5; 25, 50 and 75 % of them up to 2, 3.5, 4; 7 below zero, 0 of zero
  catalogue of 600 items, 100 without interactions, 1 without a row in items; 1,100 users, 100 without interactions
  4 interactions repeat another in every column; they are kept
  view prices: 1,200 rows of 800 keys, 12.5 % of them known to the dataset; 2024-01-02 to 2024-02-03; 50 % without price
  view tastes: 3 rows of 3 keys, 100 % of them known to the dataset
  warning: interactions: slow`,
  );
  const quiet = renderPrepareReport({
    ...REPORT,
    interactions: { ...REPORT.interactions, repeats: 0 },
    warnings: [],
  });
  t.notMatch(quiet, /repeat|warning/);
});

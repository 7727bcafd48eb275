import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ViewConfig, ViewFieldConfig } from '../../../src/config/view-config.js';
import { openDatabase, queryRows } from '../../../src/offline/database.js';
import { readPreparedDataset } from '../../../src/offline/prepared-dataset.js';
import type { PreparedView } from '../../../src/offline/prepared-views.js';
import { GOOD_CSV, problemsOf, tryPrepare, type TryDataset } from './try-prepare.js';

t.beforeEach((t) => void t.testdir({}));

const LOG = { 'log.csv': GOOD_CSV };
const INTERACTIONS = "SELECT * FROM '{dir}/log.csv'";

/** A dataset with one view `v` over `v.parquet`, written by a SELECT. */
function withView(parquet: string, view: Partial<ViewConfig> & { fields: ViewConfig['fields'] }): TryDataset {
  return {
    files: { ...LOG, 'v.parquet': { parquet } },
    interactions: INTERACTIONS,
    views: { v: { entity: 'item', key: 'id', source: '{path}/v.parquet', ...view } },
  };
}

/** What a view says of each key, by field, a row after the other; undefined where it has no value. */
function contentOf({ keys, offsets, eventTimes, columns, spec }: PreparedView): Record<string, unknown[][]> {
  return Object.fromEntries(
    keys.ids.map((id, key) => [
      id,
      Array.from({ length: offsets[key + 1]! - offsets[key]! }, (_, at) => {
        const row = offsets[key]! + at;
        const values = columns.map(({ values, missing, dictionary }, field) => {
          const { length = 1, type } = spec.fields[field]!;
          if (missing[row] === 1) return undefined;
          if (type === 'vector') return [...values.subarray(row * length, (row + 1) * length)];
          return dictionary === undefined ? values[row] : dictionary[values[row]!];
        });
        return eventTimes === undefined ? values : [eventTimes[row], ...values];
      }),
    ]),
  );
}

const EVERY_TYPE: ViewConfig['fields'] = {
  price: { type: 'float32', default: 0, timeToLive: '1d' },
  stock: { type: 'int32' },
  brand: { type: 'category', default: 'none' },
  on_sale: { type: 'boolean', input: false },
  taste: { type: 'vector', length: 2 },
};

const ROWS = `SELECT * FROM (VALUES
  ('y', 1.1::DOUBLE, 7::BIGINT, 'b', true, [0.5, -1.5]),
  ('x', NULL, NULL, NULL, NULL, NULL),
  ('z', 'nan'::DOUBLE, -2147483648, ' a ', false, [1e-50, 3.4e38])) AS t(id, price, stock, brand, on_sale, taste)`;

t.test('fields of every type are read, typed and sorted by key; null and NaN are no value', async (t) => {
  const { dataset, outDir, report } = await tryPrepare(t, withView(ROWS, { fields: EVERY_TYPE }));
  const [view] = dataset.views.declared;
  t.strictSame(contentOf(view!), {
    x: [[undefined, undefined, undefined, undefined, undefined]],
    y: [[Math.fround(1.1), 7, 'b', 1, [0.5, -1.5]]],
    z: [[undefined, -2_147_483_648, 'a', 0, [0, Math.fround(3.4e38)]]],
  });
  t.strictSame(view!.columns[2]!.dictionary, ['a', 'b', 'none'], 'the default is a value as well');
  t.match(view!.spec, {
    name: 'v',
    entity: 'item',
    key: 'id',
    rows: 3,
    fields: [
      { name: 'price', type: 'float32', default: 0, timeToLiveSeconds: 86_400 },
      { name: 'stock', type: 'int32' },
      { name: 'brand', type: 'category', default: 'none' },
      { name: 'on_sale', type: 'boolean', input: false },
      { name: 'taste', type: 'vector', length: 2 },
    ],
  });
  const database = await openDatabase();
  const file = join(outDir, 'views', 'v.parquet');
  const columns = await queryRows(database.connection, `DESCRIBE SELECT * FROM '${file}'`);
  t.strictSame(
    columns.map((column) => `${String(column.column_name)} ${String(column.column_type)}`),
    ['id VARCHAR', 'price FLOAT', 'stock INTEGER', 'brand VARCHAR', 'on_sale BOOLEAN', 'taste FLOAT[]'],
  );
  database.close();
  const third = 1 / 3;
  t.strictSame(report.views, [
    {
      name: 'v',
      rows: 3,
      keys: 3,
      knownKeys: 2 / 3,
      missing: { price: 2 / 3, stock: third, brand: third, on_sale: third, taste: third },
      rowsAfterLastInteraction: 0,
    },
  ]);
});

t.test('with event times a key has a row per time, in the order of time', async (t) => {
  const rows = `SELECT * FROM (VALUES
    ('x', TIMESTAMP '2023-11-14 22:15:01', 3), ('ann', TIMESTAMP '2023-11-14', 9), ('x', TIMESTAMP '2023-11-01', 1),
    ('x', TIMESTAMP '2023-11-02 00:00:00.25', 2)) AS t(id, since, n)`;
  const { dataset, report } = await tryPrepare(
    t,
    withView(rows, {
      eventTime: 'since',
      timeToLive: '2d',
      whenStale: 'use',
      fields: { n: { type: 'int32' } },
    }),
  );
  const [view] = dataset.views.declared;
  t.strictSame(contentOf(view!), {
    ann: [[1_699_920_000, 9]],
    x: [
      [1_698_796_800, 1],
      [1_698_883_200.25, 2],
      [1_700_000_101, 3],
    ],
  });
  t.match(view!.spec, { eventTime: 'since', timeToLiveSeconds: 172_800, whenStale: 'use' });
  t.match(report.views, [
    {
      rows: 4,
      keys: 2,
      knownKeys: 0.5,
      events: { oldest: '2023-11-01T00:00:00.000Z', newest: '2023-11-14T22:15:01.000Z' },
      rowsAfterLastInteraction: 1,
    },
  ]);
  t.strictSame(report.warnings, [
    'views.v: 1 of 4 rows are of after the last interaction; training does not use them',
  ]);
});

t.test('a view of nobody and fields without any value are warned of', async (t) => {
  const { report } = await tryPrepare(
    t,
    withView("SELECT 'X' AS id, NULL::FLOAT AS n", { fields: { n: { type: 'float32' } } }),
  );
  t.strictSame(report.warnings, [
    'views.v: none of its keys is an item of the dataset; do both write ids the same way?',
    'views.v: no row has a value of n',
  ]);
});

t.test('a source larger than its limits is warned of', async (t) => {
  const { report } = await tryPrepare(
    t,
    withView(ROWS, { limits: { maxMegabytes: 1e-6 }, fields: { price: { type: 'float32' } } }),
  );
  t.match(report.warnings, [/^views\.v: .* MB of files are more than the limit of 0\.000001 MB$/]);
  t.match(report.sources[1], { table: 'views.v', rowsRead: 3, missing: { price: 2 } });
});

/** How the same rows may lie in a folder called `v [1]`; `source` says where. */
const PLACES: Readonly<Record<string, { source: string; files: Readonly<Record<string, string>> }>> = {
  'a file': { source: '{path}/v [1]/a.parquet', files: { 'a.parquet': '' } },
  'a folder': { source: '{path}/v [1]/', files: { '1.parquet': 'n < 2', 'deep/2.parquet': 'n >= 2' } },
  'a glob': {
    source: '{path}/v [[]1]/part-*.parquet',
    files: { 'part-1.parquet': 'n < 2', 'part-2.parquet': 'n >= 2' },
  },
};

for (const [what, { source, files }] of Object.entries(PLACES)) {
  t.test(`the source may be ${what}`, async (t) => {
    const select = (where: string): string =>
      `SELECT * FROM (VALUES ('x', 1), ('y', 2), ('ann', 3)) AS t(id, n) ${where && `WHERE ${where}`}`;
    const written = Object.entries(files).map(([file, where]) => [
      `v [1]/${file}`,
      { parquet: select(where) },
    ]);
    const { dataset } = await tryPrepare(t, {
      ...withView('SELECT 1', { source, fields: { n: { type: 'int32' } } }),
      files: { ...LOG, ...Object.fromEntries(written) },
    });
    t.strictSame(contentOf(dataset.views.declared[0]!), { ann: [[3]], x: [[1]], y: [[2]] });
  });
}

t.test('a folder of key=value folders gives columns: key, event time and fields', async (t) => {
  const options = 'FORMAT parquet, PARTITION_BY (id, since, shop)';
  const parquet = `SELECT * FROM (VALUES ('007', DATE '2023-11-01', 'T', 1.5), ('007', DATE '2023-11-02', NULL, 2.5)) AS t(id, since, shop, price)`;
  const { dataset } = await tryPrepare(t, {
    ...withView('SELECT 1', {
      source: '{path}/v',
      eventTime: 'since',
      fields: { price: { type: 'float32' }, shop: { type: 'category' } },
    }),
    files: { ...LOG, v: { parquet, options } },
  });
  t.strictSame(contentOf(dataset.views.declared[0]!), {
    '007': [
      [1_698_796_800, 1.5, 'T'],
      [1_698_883_200, 2.5, undefined],
    ],
  });
});

t.test('files may have different types where all values have a common one', async (t) => {
  const { dataset } = await tryPrepare(t, {
    ...withView('SELECT 1', { source: '{path}/v', fields: { n: { type: 'float32' } } }),
    files: {
      ...LOG,
      'v/1.parquet': { parquet: "SELECT 7 AS id, 1 AS n, 'more' AS other" },
      'v/2.parquet': { parquet: "SELECT 'x' AS id, 2.5::DOUBLE AS n UNION ALL SELECT '8', 'nan'::DOUBLE" },
    },
  });
  t.strictSame(contentOf(dataset.views.declared[0]!), { 7: [[1]], 8: [[undefined]], x: [[2.5]] });
});

t.test(
  'columns are found without regard to case, and may have names that SQL or Shortlist use',
  async (t) => {
    const fields: ViewConfig['fields'] = {
      ordinal: { type: 'int32' },
      select: { type: 'int32' },
      'a "b" c': { type: 'int32' },
      price: { type: 'float32' },
    };
    const rows = 'SELECT 1 AS ID, 2 AS ordinal, 3 AS "select", 4 AS "a ""b"" c", 5 AS "Price"';
    const { dataset } = await tryPrepare(t, withView(rows, { fields }));
    t.strictSame(contentOf(dataset.views.declared[0]!), { 1: [[2, 3, 4, 5]] });
  },
);

t.test('items and users keep what their section says of freshness', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: LOG,
    interactions: INTERACTIONS,
    items: {
      sql: "SELECT 'x' AS item_id, 1 AS year",
      columns: { year: { role: 'numeric', timeToLive: '12h' } },
      whenStale: 'refuse',
    },
    users: { sql: "SELECT 'ann' AS user_id", columns: {}, timeToLive: '1m', online: 'redis' },
  });
  t.strictSame(dataset.views, {
    items: { whenStale: 'refuse', fieldTimeToLiveSeconds: { year: 43_200 } },
    users: { timeToLiveSeconds: 60, online: 'redis' },
    declared: [],
  });
});

t.test('the fingerprint covers values, event times and declarations of views', async (t) => {
  const fields: ViewConfig['fields'] = { n: { type: 'int32' }, c: { type: 'category' } };
  const rows = (id: string, at: number, n: string, c: string): string =>
    `SELECT '${id}' AS id, ${at} AS since, ${n}::INTEGER AS n, '${c}' AS c`;
  const base = rows('x', 1_699_999_999, '1', 'a');
  const print = async (sql: string, view: Partial<ViewConfig> = {}): Promise<string> =>
    (await tryPrepare(t, withView(sql, { eventTime: 'since', fields, ...view }))).dataset.fingerprint;
  const prints = [
    await print(base),
    await print(rows('y', 1_699_999_999, '1', 'a')),
    await print(rows('x', 1_699_999_998, '1', 'a')),
    await print(rows('x', 1_699_999_999, '0', 'a')),
    await print(rows('x', 1_699_999_999, 'NULL', 'a')),
    await print(rows('x', 1_699_999_999, '1', 'b')),
    await print(base, { timeToLive: '1d' }),
    await print(base, { fields: { n: { type: 'int32', default: 1 }, c: { type: 'category' } } }),
    await print(base, { entity: 'user' }),
  ];
  t.equal(new Set(prints).size, prints.length);
  t.equal(await print(base), prints[0]);
});

t.test('a prepared view with other rows than were prepared is refused by name', async (t) => {
  const { outDir } = await tryPrepare(t, withView(ROWS, { fields: { price: { type: 'float32' } } }));
  const file = join(outDir, 'prepared.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"rows": 3', '"rows": 4'));
  await t.rejects(readPreparedDataset(outDir), {
    code: 'INVALID_DATASET',
    problems: [/views\/v\.parquet: 3 rows instead of 4$/],
  });
});

/** One column of a view, its declared type, and what is said of its rows. */
interface BadColumn {
  /** Values of rows 1, 2, …, as SQL. */
  readonly values: readonly string[];
  readonly field: ViewFieldConfig;
  /** Without the file and the column. */
  readonly says: readonly string[];
}

const FLOAT: ViewFieldConfig = { type: 'float32' };
const INT: ViewFieldConfig = { type: 'int32' };
const FLAG: ViewFieldConfig = { type: 'boolean' };
const BRAND: ViewFieldConfig = { type: 'category' };
const PAIR: ViewFieldConfig = { type: 'vector', length: 2 };
const INT_RANGE = 'does not fit an int32, which holds -2147483648 to 2147483647';

const BAD_COLUMNS: Readonly<Record<string, BadColumn>> = {
  'a float32 with infinities and numbers too large': {
    values: ["'inf'::DOUBLE", "'-inf'", '1e39', '-1e300', '3.4e38', 'NULL', "'nan'"],
    field: FLOAT,
    says: [
      ", row 1: 'inf' is not a finite number",
      ", row 2: '-inf' is not a finite number",
      ", row 3: '1e+39' is too large for a float32",
      ", row 4: '-1e+300' is too large for a float32",
    ],
  },
  'a float32 with text': {
    values: ["'1.5'", "'cheap'", "''", 'NULL'],
    field: FLOAT,
    says: [", row 2: 'cheap' is not a number"],
  },
  'a float32 of dates': {
    values: ["DATE '2024-01-01'"],
    field: FLOAT,
    says: [': is of type DATE; a number is wanted; convert it in the SQL, year(…) or epoch(…) for a date'],
  },
  'an int32 out of range, infinite or with a fraction': {
    values: ['2147483648::DOUBLE', '-2147483649', '1.5', "'inf'", '2147483647', "'nan'"],
    field: INT,
    says: [
      ", row 4: 'inf' is not a finite number",
      ", row 3: '1.5' is not a whole number",
      `, row 1: '2147483648.0' ${INT_RANGE}`,
      `, row 2: '-2147483649.0' ${INT_RANGE}`,
    ],
  },
  'an int32 of 64 bits': {
    values: ['9223372036854775807', '-1'],
    field: INT,
    says: [`, row 1: '9223372036854775807' ${INT_RANGE}`],
  },
  'a boolean of other numbers': {
    values: ['0', '1', '2'],
    field: FLAG,
    says: [", row 3: '2' is neither 1 nor 0"],
  },
  'a category of lists': {
    values: ["['a']"],
    field: BRAND,
    says: [': is of type VARCHAR[]; the role category needs single values'],
  },
  'a category that is no UTF-8': {
    values: ["'\\xFF'::BLOB"],
    field: BRAND,
    says: [', row 1: is no UTF-8 text'],
  },
  'vectors of other lengths': {
    values: ['[1.5]::FLOAT[]', '[1, 2]', '[1, 2, 3]', '[]', 'NULL'],
    field: PAIR,
    says: [
      ", row 1: '[1.5]' does not have 2 components",
      ", row 3: '[1.0, 2.0, 3.0]' does not have 2 components",
      ", row 4: '[]' does not have 2 components",
    ],
  },
  'vectors with null, NaN, infinite and too large components': {
    values: ['[NULL, 1]::DOUBLE[]', "[1, 'nan'::DOUBLE]", "['inf'::DOUBLE, 1]", '[1, -1e39]', '[0, 3.4e38]'],
    field: PAIR,
    says: [
      ", row 1: '[NULL, 1.0]' has a component that is null or NaN",
      ", row 2: '[1.0, nan]' has a component that is null or NaN",
      ", row 3: '[inf, 1.0]' has a component that is infinite or too large for a float32",
      ", row 4: '[1.0, -1e+39]' has a component that is infinite or too large for a float32",
    ],
  },
  'a vector of texts': {
    values: ["['1', '2']"],
    field: PAIR,
    says: [': is of type VARCHAR[]; a list of numbers is wanted'],
  },
  'a vector of lists': {
    values: ['[[1], [2]]'],
    field: PAIR,
    says: [': is of type INTEGER[][]; a list of numbers is wanted'],
  },
  'a vector that is text': {
    values: ["'[1, 2]'"],
    field: PAIR,
    says: [': is of type VARCHAR; a list of numbers is wanted'],
  },
  'a vector that is a number': {
    values: ['1'],
    field: PAIR,
    says: [': is of type INTEGER; a list of numbers is wanted'],
  },
};

for (const [what, { values, field, says }] of Object.entries(BAD_COLUMNS)) {
  t.test(`${what} is refused by file, column and row`, async (t) => {
    const rows = values.map((value, row) => `(${row}, ${value})`).join(', ');
    const sql = `SELECT * FROM (VALUES ${rows}) AS t(id, f)`;
    t.strictSame(
      await problemsOf(t, withView(sql, { fields: { f: field } })),
      says.map((said) => `views.v: v.parquet, column f${said}`),
    );
  });
}

/** A view that cannot be read, and what is said of it. */
const BAD_VIEWS: Readonly<
  Record<string, { sql: string; view?: Partial<ViewConfig>; problems: readonly (string | RegExp)[] }>
> = {
  'null and empty keys': {
    sql: "SELECT * FROM (VALUES (NULL, 1), ('', 2), ('x', 3)) AS t(id, n)",
    problems: [
      'views.v: v.parquet, column id, row 1: is null; every row needs one',
      'views.v: v.parquet, column id, row 2: is empty; every row needs one',
    ],
  },
  'a key twice': {
    sql: "SELECT * FROM (VALUES ('x', 1), ('y', 2), ('x', 3)) AS t(id, n)",
    problems: [
      "views.v: v.parquet, column id, row 3: 'x' occurs before, at views.v: v.parquet, column id, row 1",
    ],
  },
  'a key twice at one time': {
    sql: "SELECT * FROM (VALUES ('x', 1, 100), ('x', 2, 200), ('x', 3, 100)) AS t(id, n, since)",
    view: { eventTime: 'since' },
    problems: [
      "views.v: v.parquet, column id, row 3: 'x' occurs with the same since before, at views.v: v.parquet, column id, row 1",
    ],
  },
  'event times that are none': {
    sql: "SELECT * FROM (VALUES ('x', 1, '2024-01-01'), ('x', 2, NULL), ('x', 3, 'soon')) AS t(id, n, since)",
    view: { eventTime: 'since' },
    problems: [
      'views.v: v.parquet, column since, row 2: is null; every row needs a time',
      "views.v: v.parquet, column since, row 3: 'soon' is no time: give a date, an ISO 8601 timestamp or Unix seconds",
    ],
  },
  'a column that is not there': {
    sql: "SELECT 'x' AS id, 1 AS m",
    problems: ['views.v: v.parquet: has no column n; its columns are id, m'],
  },
  'several columns that are not there': {
    sql: "SELECT 'x' AS id, 1 AS m",
    view: { key: 'item', eventTime: 'since' },
    problems: ['item', 'since', 'n'].map(
      (name) => `views.v: v.parquet: has no column ${name}; its columns are id, m`,
    ),
  },
  'no rows': { sql: 'SELECT 1 AS id, 2 AS n LIMIT 0', problems: ['views.v: v.parquet has no rows'] },
  'a glob without files': {
    sql: 'SELECT 1 AS id, 2 AS n',
    view: { source: '{path}/part-*.parquet' },
    problems: ['views.v: there is no file part-*.parquet'],
  },
  'a folder without files': {
    sql: 'SELECT 1 AS id, 2 AS n',
    view: { source: '{path}/empty' },
    problems: ['views.v: there is no file empty/**/*.parquet'],
  },
  'an address': {
    sql: 'SELECT 1 AS id, 2 AS n',
    view: { source: 's3://bucket/v.parquet' },
    problems: ['views.v: s3://bucket/v.parquet: only local files are read; download it first'],
  },
};

for (const [what, { sql, view = {}, problems }] of Object.entries(BAD_VIEWS)) {
  t.test(`a view with ${what} is refused, and nothing is written`, async (t) => {
    t.testdir({ empty: {} });
    t.match(await problemsOf(t, withView(sql, { fields: { n: INT }, ...view })), problems);
  });
}

t.test('of several files, those that lack a column are named', async (t) => {
  const problems = await problemsOf(t, {
    ...withView('SELECT 1', { source: '{path}/v', fields: { n: INT, shop: BRAND } }),
    files: {
      ...LOG,
      'v/shop=a/1.parquet': { parquet: 'SELECT 1 AS id, 1 AS n' },
      'v/shop=a/2.parquet': { parquet: 'SELECT 2 AS id, 1 AS m' },
      'v/shop=b/3.parquet': { parquet: 'SELECT 3 AS n' },
    },
  });
  t.strictSame(problems, [
    'views.v: v/shop=a/2.parquet: has no column n, which other files have',
    'views.v: v/shop=b/3.parquet: has no column id, which other files have',
  ]);
});

t.test('of several files, those whose values another type would change are named', async (t) => {
  const problems = await problemsOf(t, {
    ...withView('SELECT 1', { source: '{path}/*.parquet', fields: { n: INT } }),
    files: {
      ...LOG,
      '1.parquet': { parquet: 'SELECT 9007199254740993 AS id, 1 AS n' },
      '2.parquet': { parquet: 'SELECT 1.0::DOUBLE AS id, 1 AS n' },
    },
  });
  t.strictSame(problems, [
    'views.v: 1.parquet, column id, row 1: 9007199254740993 (BIGINT) would be read as 9007199254740992.0 (DOUBLE), as other files have it; write the column with one type in all files',
  ]);
});

t.test('files that are empty, cut, damaged or no parquet are refused by name', async (t) => {
  const whole = withView('SELECT range AS id, range::INTEGER AS n FROM range(2000)', { fields: { n: INT } });
  await tryPrepare(t, whole);
  const bytes = readFileSync(join(t.testdirName, 'v.parquet'));
  const zeroed = Buffer.from(bytes).fill(0, 40, 400);
  const damaged = {
    empty: Buffer.alloc(0),
    cut: bytes.subarray(0, -20),
    text: Buffer.from('id,n\n1,2\n'),
    zeroed,
  };
  for (const [name, content] of Object.entries(damaged)) {
    const problems = await problemsOf(t, { ...whole, files: { ...LOG, 'v.parquet': content } });
    t.ok(problems.length > 0, name);
    t.same(
      problems.filter((problem) => !problem.startsWith('views.v: v.parquet')),
      [],
    );
  }
  t.ok(existsSync(join(t.testdirName, 'prepared')), 'what was prepared before stays');
});

t.test('all views and tables with problems are told at once', async (t) => {
  const problems = await problemsOf(t, {
    files: {
      'log.csv': 'user_id,item_id,timestamp\n,x,1\n',
      'v.parquet': { parquet: "SELECT 'x' AS id, 'a' AS n" },
    },
    interactions: INTERACTIONS,
    views: {
      one: { entity: 'item', key: 'id', source: '{path}/v.parquet', fields: { n: INT } },
      two: { entity: 'user', key: 'id', source: '{path}/w.parquet', fields: { n: INT } },
    },
  });
  t.strictSame(problems, [
    'interactions: log.csv, column user_id, row 1: is null; every row needs one',
    "views.one: v.parquet, column n, row 1: 'a' is not a number",
    'views.two: there is no file w.parquet',
  ]);
});

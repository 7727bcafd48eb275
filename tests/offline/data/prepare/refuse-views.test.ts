import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ViewConfig, ViewFieldConfig } from '../../../../src/config/view-config.js';
import { LOG, problemsOf, tryPrepare, withView } from './try-prepare.js';

t.beforeEach((t) => void t.testdir({}));

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
    says: [
      ': is of type DATE; a number is wanted; of a date take year(…) or epoch(…), in the SQL or where the file is written',
    ],
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
    interactions: "SELECT * FROM '{dir}/log.csv'",
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

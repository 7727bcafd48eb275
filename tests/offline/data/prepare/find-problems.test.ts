import { readFileSync } from 'node:fs';
import t from 'tap';
import { openDatabase } from '../../../../src/offline/data/database.js';
import { GOOD_CSV, problemsOf, type TryDataset } from './try-prepare.js';

const HEADER = 'user_id,item_id,timestamp\n';
const PLAIN = "SELECT * FROM '{dir}/log.csv'";

t.beforeEach((t) => void t.testdir({}));

/** Interactions from one CSV file. */
const log = (text: string | Uint8Array, interactions = PLAIN): TryDataset => ({
  files: { 'log.csv': text },
  interactions,
});

t.test('null and empty ids and times are named by file, column and row', async (t) => {
  const text = `u,item_id,timestamp\nann,x,1700000000\n,"",1700000000\n"  ",y,\n`;
  t.strictSame(
    await problemsOf(t, log(text, "SELECT u AS user_id, item_id, timestamp FROM '{dir}/log.csv'")),
    [
      'interactions: log.csv, column u (user_id), row 2: is null; every row needs one',
      'interactions: log.csv, column u (user_id), row 3: is empty; every row needs one',
      'interactions: log.csv, column item_id, row 2: is null; every row needs one',
      'interactions: log.csv, column timestamp, row 3: is null; every row needs a time',
    ],
  );
});

t.test('rows are numbered in the file, whatever the query filters, orders or limits', async (t) => {
  const text = `${HEADER}ann,x,1700000000\n\nbob,y,1700000001\ncat,,1700000002\n`;
  const sql = "SELECT * FROM '{dir}/log.csv' WHERE user_id <> 'bob' ORDER BY timestamp DESC LIMIT 2";
  t.strictSame(await problemsOf(t, log(text, sql)), [
    'interactions: log.csv, column item_id, row 3: is null; every row needs one',
  ]);
});

t.test('rows are numbered per file when there are several', async (t) => {
  const bad = `${HEADER}ann,x,1700000000\nbob,,1700000000\n`;
  const files = { '1.csv': GOOD_CSV, '2.csv': bad, '3.csv': bad };
  const expected = (file: string): string =>
    `interactions: ${file}, column item_id, row 2: is null; every row needs one`;
  t.strictSame(await problemsOf(t, { files, interactions: "SELECT * FROM '{dir}/*.csv'" }), [
    expected('2.csv'),
    expected('3.csv'),
  ]);
  const union = "SELECT * FROM '{dir}/1.csv' UNION ALL SELECT * FROM '{dir}/3.csv'";
  t.strictSame(await problemsOf(t, { files, interactions: union }), [expected('3.csv')]);
});

t.test('rows of parquet files are numbered in the file behind a filter', async (t) => {
  const parquet = `SELECT i AS user_id, CASE i WHEN 7 THEN NULL ELSE i END AS item_id, 1700000000 AS timestamp FROM range(10) AS r(i)`;
  const problems = await problemsOf(t, {
    files: { 'a.parquet': { parquet } },
    interactions: "SELECT * FROM '{dir}/a.parquet' WHERE user_id > 4",
  });
  t.strictSame(problems, ['interactions: a.parquet, column item_id, row 8: is null; every row needs one']);
});

t.test('rows of a query that joins, groups or nests are rows of its result', async (t) => {
  const text = `${HEADER}ann,x,1700000000\n,y,1700000000\n`;
  const where = "interactions: log.csv, column user_id, row 2 of the query's result";
  for (const sql of [
    "SELECT DISTINCT ON (item_id) * FROM '{dir}/log.csv' ORDER BY item_id",
    "SELECT user_id, item_id, max(timestamp) AS timestamp FROM '{dir}/log.csv' GROUP BY ALL ORDER BY item_id",
    "WITH raw AS (SELECT * FROM '{dir}/log.csv') SELECT * FROM raw",
    "SELECT * FROM '{dir}/log.csv' UNION SELECT * FROM '{dir}/log.csv' ORDER BY item_id",
    "SELECT * FROM '{dir}/log.csv' WHERE false UNION ALL (SELECT * FROM '{dir}/log.csv' INTERSECT SELECT * FROM '{dir}/log.csv') ORDER BY item_id",
  ]) {
    t.strictSame(await problemsOf(t, log(text, sql)), [`${where}: is null; every row needs one`], sql);
  }
});

t.test('data with a column called filename is traced all the same', async (t) => {
  const text = 'filename,user_id,item_id,timestamp\na.jpg,ann,,1700000000\n';
  t.strictSame(await problemsOf(t, log(text)), [
    'interactions: log.csv, column item_id, row 1: is null; every row needs one',
  ]);
});

t.test('at most ten rows of a kind are named, the others are counted', async (t) => {
  const problems = await problemsOf(t, log(HEADER + 'ann,,1700000000\n'.repeat(25)));
  t.equal(problems.length, 11);
  t.equal(problems[10], 'interactions: log.csv, column item_id: … and 15 more rows like these');
});

t.test('times that cannot be read are problems, and so are rows in another unit than most', async (t) => {
  const times = ['1700000000', 'abc', 'nan', 'inf', '1700000001', '1700000002000', '2024-01-01', ''];
  const text = `${HEADER}${times.map((time) => `u,i,${time}`).join('\n')}\n`;
  const at = (row: number): string => `interactions: log.csv, column timestamp, row ${row}`;
  t.strictSame(await problemsOf(t, log(text)), [
    `${at(8)}: is null; every row needs a time`,
    `${at(2)}: 'abc' is no time: give a date, an ISO 8601 timestamp or Unix seconds`,
    `${at(3)}: 'nan' is no time: give a date, an ISO 8601 timestamp or Unix seconds`,
    `${at(6)}: '1700000002000' is not in seconds since 1970 as most rows are`,
    `${at(4)}: 'inf' is no time before the year 10000`,
  ]);
});

t.test('times beyond any calendar, infinite ones and empty text are problems', async (t) => {
  const rows =
    "(TIMESTAMP 'infinity', 1), (TIMESTAMP '20000-01-01', 2), (NULL, 3), (TIMESTAMP '2024-01-01', 4)";
  const problems = await problemsOf(t, {
    files: {
      'a.parquet': { parquet: `SELECT item_id AS user_id, * FROM (VALUES ${rows}) AS t(timestamp, item_id)` },
    },
    interactions: "SELECT * FROM '{dir}/a.parquet'",
  });
  const at = (row: number): string => `interactions: a.parquet, column timestamp, row ${row}`;
  t.strictSame(problems, [
    `${at(3)}: is null; every row needs a time`,
    `${at(1)}: 'infinity' is no time: give a date, an ISO 8601 timestamp or Unix seconds`,
    `${at(2)}: '20000-01-01 00:00:00' is no time before the year 10000`,
  ]);
  const empty = "SELECT 1 AS user_id, 2 AS item_id, '' AS timestamp FROM '{dir}/a.parquet' LIMIT 1";
  t.strictSame(await problemsOf(t, { files: {}, interactions: empty }), [
    `${at(1)}: is empty; every row needs a time`,
  ]);
});

t.test('values that are no finite numbers are problems', async (t) => {
  const values = ['high', 'inf', '1e300', '4', ''];
  const text = `user_id,item_id,timestamp,value\n${values.map((value) => `u,i,1700000000,${value}`).join('\n')}\n`;
  const at = (row: number): string => `interactions: log.csv, column value, row ${row}`;
  t.strictSame(await problemsOf(t, log(text)), [
    `${at(2)}: 'inf' is not a finite number`,
    `${at(1)}: 'high' is not a number`,
    `${at(3)}: '1e300' is too large`,
  ]);
});

t.test('ids that are fractions or too large for their float are problems', async (t) => {
  const problems = await problemsOf(t, {
    files: {},
    interactions: `SELECT unnest([1.5, 2, 1e16, 'nan', 'inf']::DOUBLE[]) AS user_id,
      unnest([16777217, 2.5, 1, 1, 1]::FLOAT[]) AS item_id, 1700000000 AS timestamp`,
    items: { sql: 'SELECT 1.5::DECIMAL(4, 1) AS item_id', columns: {} },
    users: { sql: "SELECT '\\xFF'::BLOB AS user_id", columns: {} },
  });
  const at = (column: string, row: number): string =>
    `interactions: the SQL, column ${column}, row ${row} of the query's result`;
  t.strictSame(problems, [
    `${at('user_id', 4)}: is null; every row needs one`,
    `${at('user_id', 1)}: '1.5' is not a whole number; cast ids to text`,
    `${at('user_id', 5)}: 'inf' is not a whole number; cast ids to text`,
    `${at('user_id', 3)}: '1e+16' may be another id, rounded: DOUBLE is exact up to 9007199254740991; write ids as whole numbers or text`,
    `${at('item_id', 2)}: '2.5' is not a whole number; cast ids to text`,
    `${at('item_id', 1)}: '16777216.0' may be another id, rounded: FLOAT is exact up to 16777215; write ids as whole numbers or text`,
    "items: the SQL, column item_id, row 1 of the query's result: '1.5' is not a whole number; cast ids to text",
    "users: the SQL, column user_id, row 1 of the query's result: is no UTF-8 text",
  ]);
});

t.test('types that cannot be what a column is for are named with the type', async (t) => {
  const problems = await problemsOf(t, {
    files: {},
    interactions:
      "SELECT ['a'] AS user_id, true AS item_id, true AS timestamp, DATE '2024-01-01' AS value, ['x'] AS type",
    items: {
      sql: `SELECT 'x' AS item_id, DATE '2024-01-01' AS released, ['a'] AS genre, 'a|b' AS tags, {'a': 1} AS raw,
        [['a']] AS nested, {'a': 1} AS tree, TIME '10:00' AS flag, [1] AS title, DATE '2024-01-01' AS fresh`,
      columns: {
        released: { role: 'numeric' },
        genre: { role: 'categorical' },
        tags: { role: 'multi-valued' },
        raw: { role: 'categorical' },
        nested: { role: 'multi-valued' },
        tree: { role: 'multi-valued', splitBy: '|' },
        title: { role: 'text' },
        fresh: { role: 'boolean' },
      },
    },
  });
  const number =
    'a number is wanted; of a date take year(…) or epoch(…), in the SQL or where the file is written';
  t.strictSame(problems, [
    'interactions: the SQL, column user_id: is of type VARCHAR[]; an id must be text or a whole number',
    'interactions: the SQL, column item_id: is of type BOOLEAN; an id must be text or a whole number',
    'interactions: the SQL, column timestamp: is of type BOOLEAN; a date, a timestamp or Unix seconds are wanted',
    `interactions: the SQL, column value: is of type DATE; ${number}`,
    'interactions: the SQL, column type: is of type VARCHAR[]; the role text needs single values',
    `items: the SQL, column released: is of type DATE; ${number}`,
    'items: the SQL, column genre: is of type VARCHAR[]; a list needs the role multi-valued',
    "items: the SQL, column tags: is of type VARCHAR; it is no list: say what separates its values (splitBy: '|') or make a list in the SQL",
    'items: the SQL, column raw: is of type STRUCT(a INTEGER); the role categorical needs single values',
    'items: the SQL, column nested: is of type VARCHAR[][]; a list of single values is wanted',
    'items: the SQL, column tree: is of type STRUCT(a INTEGER); a list of single values is wanted',
    'items: the SQL, column title: is of type INTEGER[]; the role text needs single values',
    'items: the SQL, column fresh: is of type DATE; true or false, or 1 or 0, are wanted',
  ]);
});

t.test('attributes of mixed types are named by row', async (t) => {
  const problems = await problemsOf(t, {
    files: {
      'log.csv': GOOD_CSV,
      'items.csv': 'item_id,year,price,fresh,rare\nx,1999,inf,yes,2\ny,MCMXC,2,maybe,1\nz,,,,\n',
      'users.parquet': { parquet: "SELECT 'ann' AS user_id, '\\xFF'::BLOB AS name, '\\xFF'::BLOB AS tags" },
    },
    interactions: PLAIN,
    items: {
      sql: "SELECT * FROM '{dir}/items.csv'",
      columns: {
        year: { role: 'numeric' },
        price: { role: 'numeric' },
        fresh: { role: 'boolean' },
        rare: { role: 'boolean' },
      },
    },
    users: {
      sql: "SELECT * FROM '{dir}/users.parquet'",
      columns: { name: { role: 'text' }, tags: { role: 'multi-valued', splitBy: ',' } },
    },
  });
  t.strictSame(problems, [
    "items: items.csv, column year, row 2: 'MCMXC' is not a number",
    "items: items.csv, column price, row 1: 'inf' is not a finite number",
    "items: items.csv, column fresh, row 2: 'maybe' is neither true nor false",
    "items: items.csv, column rare, row 1: '2' is neither true nor false",
    'users: users.parquet, column name, row 1: is no UTF-8 text',
    'users: users.parquet, column tags, row 1: is no UTF-8 text',
  ]);
});

t.test('an id that occurs twice in items or users is named with both rows', async (t) => {
  const problems = await problemsOf(t, {
    files: {
      'log.csv': GOOD_CSV,
      'items.csv': 'movie,title\n1,A\n2,B\n1,C\n 2,D\n',
      'users.csv': 'user_id\nann\nbob\nann\n',
    },
    interactions: PLAIN,
    items: {
      sql: "SELECT movie AS item_id, title FROM '{dir}/items.csv'",
      columns: { title: { role: 'text' } },
    },
    users: { sql: "SELECT * FROM read_csv('{dir}/users.csv', header = true)", columns: {} },
  });
  const items = 'items: items.csv, column movie (item_id), row';
  const users = 'users: users.csv, column user_id, row';
  t.strictSame(problems, [
    `${items} 3: '1' occurs before, at ${items} 1`,
    `${items} 4: '2' occurs before, at ${items} 2`,
    `${users} 3: 'ann' occurs before, at ${users} 1`,
  ]);
});

t.test('many duplicate ids are counted', async (t) => {
  const problems = await problemsOf(t, {
    files: { 'log.csv': GOOD_CSV },
    interactions: PLAIN,
    items: { sql: "SELECT 'x' AS item_id FROM range(30)", columns: {} },
  });
  t.equal(problems.length, 11);
  t.equal(problems[10], 'items: the SQL, column item_id: … and 19 more duplicate rows');
});

t.test('columns that the files do not have are all named, with those they have', async (t) => {
  const problems = await problemsOf(t, {
    files: { 'log.csv': GOOD_CSV, 'items.csv': 'x,Foo\ny,Bar\n' },
    interactions: `SELECT userId AS user_id, l.movieId AS item_id, timestamp, list_filter([1], lambda v, n: v > n) AS x
      FROM '{dir}/log.csv' AS l WHERE rating > 3 AND filename <> 'x'`,
    items: { sql: "SELECT item_id FROM read_csv('{dir}/items.csv', header = false)", columns: {} },
  });
  const columns = 'its columns are user_id, item_id, timestamp';
  t.strictSame(problems, [
    `interactions: log.csv: has no column userId; ${columns}`,
    `interactions: log.csv: has no column l.movieId; ${columns}`,
    `interactions: log.csv: has no column rating; ${columns}`,
    'items: items.csv: has no column item_id; its columns are column0, column1 (is the first line the header? then say header = true)',
  ]);
});

t.test('columns that the SQL does not give are named with those it gives', async (t) => {
  const problems = await problemsOf(t, {
    files: { 'log.csv': GOOD_CSV },
    interactions: "SELECT user_id, timestamp FROM '{dir}/log.csv'",
    items: { sql: "SELECT item_id FROM '{dir}/log.csv'", columns: { title: { role: 'text' } } },
  });
  t.strictSame(problems, [
    'interactions: the SQL gives no column item_id; it gives user_id, timestamp',
    'items: the SQL gives no column title; it gives item_id',
  ]);
});

t.test('SQL that is none, is no SELECT, is two, or calls what is not there is a problem', async (t) => {
  const problems = await problemsOf(t, {
    files: { 'log.csv': GOOD_CSV },
    interactions: 'SELEC 1',
    items: { sql: 'DROP TABLE x', columns: {} },
    users: { sql: 'SELECT 1; SELECT 2', columns: {} },
  });
  t.match(problems, [
    'interactions: its SQL cannot be read: syntax error at or near "SELEC"',
    'items: its SQL cannot be read: Only SELECT statements can be serialized to json!',
    'users: its SQL cannot be read: 2 statements where one is wanted',
  ]);
  const [problem] = await problemsOf(
    t,
    log(GOOD_CSV, "SELECT no_such_function(1) AS user_id FROM '{dir}/log.csv'"),
  );
  t.match(
    problem,
    /^interactions \(log\.csv\): Catalog Error: Scalar Function with name no_such_function does not exist!/,
  );
});

t.test('files that are missing, empty, elsewhere, or no parquet are all named', async (t) => {
  const problems = await problemsOf(t, {
    files: {
      'empty.csv': '',
      'empty.parquet': '',
      'text.parquet': 'this is no parquet',
      'cut.parquet': 'PAR1 and then nothing',
    },
    interactions: "SELECT * FROM '{dir}/empty.csv'",
    items: {
      sql: "SELECT * FROM read_parquet(['{dir}/none.parquet', '{dir}/empty.parquet', '{dir}/text.parquet', '{dir}/cut.parquet'])",
      columns: {},
    },
    users: { sql: "SELECT * FROM 'https://example.com/users.parquet'", columns: {} },
  });
  t.strictSame(problems, [
    'interactions: empty.csv: is empty (0 bytes)',
    'items: there is no file none.parquet',
    'items: empty.parquet: is empty (0 bytes)',
    'items: text.parquet: is not a parquet file (it does not begin with PAR1)',
    'items: cut.parquet: is a truncated parquet file (it does not end with PAR1)',
    'users: https://example.com/users.parquet: only local files are read; download it first',
  ]);
});

t.test('files without rows are problems', async (t) => {
  const problems = await problemsOf(t, {
    files: { 'log.csv': HEADER, 'items.parquet': { parquet: 'SELECT 1 AS item_id WHERE false' } },
    interactions: PLAIN,
    items: { sql: "SELECT * FROM '{dir}/items.parquet'", columns: {} },
    users: { sql: 'SELECT 1 AS user_id WHERE false', columns: {} },
  });
  t.strictSame(problems, [
    'interactions: log.csv has no rows',
    'items: items.parquet has no rows',
    'users: the SQL has no rows',
  ]);
});

t.test('an empty CSV file among others is a partition without rows', async (t) => {
  const files = { '1.csv': GOOD_CSV, '2.csv': '', '3.csv': `${HEADER}ann,,1700000000\n` };
  t.strictSame(
    await problemsOf(t, {
      files,
      interactions: "SELECT * FROM read_csv('{dir}/*.csv', union_by_name = true)",
    }),
    ['interactions: 3.csv, column item_id, row 1: is null; every row needs one'],
  );
});

t.test('lines of a CSV file that do not fit are all named, early and late ones', async (t) => {
  const early = `${HEADER}ann,x,1700000000\nbob,y\ncat,z,1700000000,9\n${'dan,w,1700000000\n'.repeat(5)}`;
  const expected = [
    'interactions: log.csv, row 2: has 2 values, not 3',
    'interactions: log.csv, row 3: has 4 values, not 3',
  ];
  t.strictSame(await problemsOf(t, log(early)), expected);
  const named = "SELECT user_id, item_id, timestamp FROM '{dir}/log.csv'";
  t.strictSame(await problemsOf(t, log(early, named)), expected);
  const late = HEADER + 'ann,x,1700000000\n'.repeat(30_000);
  t.strictSame(await problemsOf(t, log(`${late}bob,y\n`)), [
    'interactions: log.csv, row 30001: has 2 values, not 3',
  ]);
  const problems = await problemsOf(t, log(`${late}bob,y,soon\n${'bob,y,later\n'.repeat(12)}`));
  t.equal(problems.length, 11);
  t.equal(
    problems[0],
    "interactions: log.csv, column timestamp, row 30001: 'soon' is no time: give a date, an ISO 8601 timestamp or Unix seconds",
  );
  t.equal(problems[10], 'interactions: log.csv, column timestamp: … and 3 more rows like these');
});

t.test('text in another encoding is named by row', async (t) => {
  const text = Buffer.from(`${HEADER}ann,caf\xe9,1700000000\n${'bob,y,1700000000\n'.repeat(9)}`, 'latin1');
  const [problem] = await problemsOf(t, log(text));
  t.match(problem, /^interactions: log\.csv, column item_id, row 1: .*not utf-8 encoded/);
  const [small] = await problemsOf(
    t,
    log(Buffer.from(`${HEADER}ann,x,1700000000\nbob,caf\xe9,1700000000\n`, 'latin1')),
  );
  t.match(small, /^interactions: log\.csv, column item_id, row \d: .*not utf-8 encoded/);
});

t.test('a cast in the SQL that fails is named by row and value', async (t) => {
  const text = `user_id,item_id,timestamp,rating\nann,x,1700000000,5\nbob,y,1700000000,five\n`;
  const sql = "SELECT * EXCLUDE (rating), round(rating::DOUBLE) AS value FROM '{dir}/log.csv'";
  t.strictSame(await problemsOf(t, log(text, sql)), [
    "interactions: log.csv, column value, row 2: 'five' is no DOUBLE",
  ]);
});

t.test('a cast inside a lambda fails in the words of DuckDB', async (t) => {
  const sql =
    "SELECT *, list_sum(list_transform([user_id, '1'], lambda id: id::INTEGER)) AS value FROM '{dir}/log.csv'";
  t.match(await problemsOf(t, log(GOOD_CSV, sql)), [
    /^interactions \(log\.csv\): Conversion Error: Could not convert string 'ann' to INT32/,
  ]);
});

t.test('a column that a join does not have is told in the words of DuckDB', async (t) => {
  const sql = "SELECT a.nope AS user_id FROM '{dir}/log.csv' AS a JOIN '{dir}/log.csv' AS b USING (user_id)";
  t.match(await problemsOf(t, log(GOOD_CSV, sql)), [/^interactions \(log\.csv\): Binder Error: .*nope/]);
});

t.test('any other failure of a query is told in the words of DuckDB', async (t) => {
  const sql = "SELECT * FROM '{dir}/log.csv' WHERE error('this one is out of ideas') IS NULL";
  t.match(await problemsOf(t, log(GOOD_CSV, sql)), [
    /^interactions \(log\.csv\): Invalid Input Error: this one is out of ideas/,
  ]);
  const joined =
    "SELECT a.* FROM '{dir}/log.csv' AS a JOIN '{dir}/log.csv' AS b USING (user_id) WHERE error('no more') IS NULL";
  t.match(await problemsOf(t, log(GOOD_CSV, joined)), [
    /^interactions \(log\.csv\): Invalid Input Error: no more/,
  ]);
});

t.test('damaged pages of a parquet file are named by file, column and rows', async (t) => {
  const file = `${t.testdirName}/log.parquet`;
  const database = await openDatabase();
  await database.connection.run(
    `COPY (SELECT hash(i) AS user_id, hash(i + 1) AS item_id, 1700000000 AS timestamp FROM range(100000) AS r(i))
     TO '${file}' (FORMAT parquet, ROW_GROUP_SIZE 20480)`,
  );
  const chunks = await database.connection.runAndReadAll(
    `SELECT data_page_offset FROM parquet_metadata('${file}') WHERE row_group_id = 2 AND path_in_schema = 'item_id'`,
  );
  database.close();
  const offset = Number(chunks.getRowsJS()[0]![0]);
  const bytes = readFileSync(file);
  bytes.fill(0xff, offset, offset + 40);
  const problems = await problemsOf(t, {
    files: { 'log.parquet': bytes },
    interactions: "SELECT * FROM '{dir}/log.parquet'",
  });
  t.equal(problems.length, 1);
  t.match(problems[0], /^interactions: log\.parquet, column item_id, rows 40961 to 61440: cannot be read: /);
});

t.test('a parquet file whose footer is damaged is named', async (t) => {
  const bytes = Buffer.from(`PAR1${'x'.repeat(100)}\xff\xff\xff\x7fPAR1`, 'latin1');
  const problems = await problemsOf(t, {
    files: { 'log.parquet': bytes },
    interactions: "SELECT * FROM '{dir}/log.parquet'",
  });
  t.match(problems, [/^interactions \(log\.parquet\): Invalid Input Error: .*footer/i]);
});

t.test('more than three files are named by their number', async (t) => {
  const files = Object.fromEntries(Array.from({ length: 5 }, (_, index) => [`${index}.csv`, GOOD_CSV]));
  const sql = "SELECT user_id, item_id, timestamp, no_such_function(1) FROM '{dir}/*.csv'";
  t.match(await problemsOf(t, { files, interactions: sql }), [
    /^interactions \(0\.csv, 1\.csv, 2\.csv and 2 more files\): /,
  ]);
});

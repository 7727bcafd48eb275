import t from 'tap';
import { GOOD_CSV, rowsOf, tryPrepare } from './try-prepare.js';

const START = 1_700_000_000;

t.beforeEach((t) => void t.testdir({}));

t.test('ids of a CSV file keep their leading zeros, quotes, commas and line breaks', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: {
      'log.csv': `user_id,item_id,timestamp\n007,0012,${START}\n"a ""b"", c","line\nbreak",${START}\n`,
    },
    interactions: "SELECT * FROM '{dir}/log.csv'",
  });
  t.strictSame(dataset.users.entities.ids, ['007', 'a "b", c']);
  t.strictSame(dataset.catalogue.entities.ids, ['0012', 'line\nbreak']);
});

t.test('ids keep their leading zeros under other names, casts, aliases and filters', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': `uid;Movie;seen\n01;09;${START}\n02;08;${START}\n02;07;5\n` },
    interactions: `SELECT l.uid AS user_id, movie::VARCHAR AS item_id, seen AS timestamp
      FROM read_csv('{dir}/log.csv', delim = ';') AS l WHERE l.seen > 10`,
  });
  t.strictSame(rowsOf(dataset), [
    ['01', '09', START, 1],
    ['02', '08', START, 1],
  ]);
});

t.test('ids that the SQL computes with stay numbers', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': `user_id,item_id,timestamp\n7,1,${START}\n8,2,${START}\n` },
    interactions: "SELECT user_id + 100 AS user_id, item_id, timestamp FROM '{dir}/log.csv'",
  });
  t.strictSame(dataset.users.entities.ids, ['107', '108']);
});

t.test('a query whose filter needs numbers still works on ids that are numbers', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': `user_id,item_id,timestamp\n7,1,${START}\n8,2,${START}\n` },
    interactions: "SELECT * FROM '{dir}/log.csv' WHERE user_id % 2 = 0",
  });
  t.strictSame(dataset.users.entities.ids, ['8']);
});

t.test('types that the SQL gives are not touched', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': `u,i,t\n007,12,${START}\n` },
    interactions: `SELECT u AS user_id, i AS item_id, t AS timestamp
      FROM read_csv('{dir}/log.csv', types = { u: 'INTEGER' })`,
  });
  t.strictSame(dataset.users.entities.ids, ['7']);
});

t.test('a byte order mark, CRLF and blanks around ids do no harm', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': `\uFEFFuser_id, item_id, timestamp\r\n1, 5, ${START}\r\n2, 6, ${START}\r\n` },
    interactions: "SELECT * FROM '{dir}/log.csv'",
  });
  t.strictSame(rowsOf(dataset), [
    ['1', '5', START, 1],
    ['2', '6', START, 1],
  ]);
});

t.test(
  'ids that pandas wrote as floats are the whole numbers they were, in CSV and in parquet',
  async (t) => {
    const { dataset } = await tryPrepare(t, {
      files: {
        'log.csv': `user_id,item_id,timestamp\n1.0,10.0,${START}\n2.0,11.0,${START}\n`,
        'items.parquet': {
          parquet: 'SELECT * FROM (VALUES (10.0::DOUBLE, 1.5), (12.0, 2.5)) AS t(item_id, price)',
        },
      },
      interactions: "SELECT * FROM '{dir}/log.csv'",
      items: { sql: "SELECT * FROM '{dir}/items.parquet'", columns: { price: { role: 'numeric' } } },
    });
    t.strictSame(dataset.users.entities.ids, ['1', '2']);
    t.strictSame(dataset.catalogue.entities.ids, ['10', '11', '12']);
    t.strictSame(dataset.catalogue.attributes[0]!.values, [1.5, undefined, 2.5]);
  },
);

t.test('ids beyond 2^53, decimals and enums keep every digit', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: {
      'log.parquet': {
        parquet: `SELECT * FROM (VALUES
          (9007199254740993::BIGINT, 18446744073709551615::UBIGINT),
          (9007199254740992::BIGINT, 18446744073709551614::UBIGINT)) AS t(big, unsigned)`,
      },
    },
    interactions: `SELECT big AS user_id, unsigned AS item_id, ${START} AS timestamp FROM '{dir}/log.parquet'`,
    items: {
      sql: `SELECT 12345678901234567890.0::DECIMAL(38, 1) AS item_id FROM '{dir}/log.parquet' LIMIT 1`,
      columns: {},
    },
    users: { sql: "SELECT 'one'::ENUM('one') AS user_id", columns: {} },
  });
  t.strictSame(dataset.users.entities.ids, ['9007199254740992', '9007199254740993', 'one']);
  t.strictSame(dataset.catalogue.entities.ids, [
    '12345678901234567890',
    '18446744073709551614',
    '18446744073709551615',
  ]);
});

t.test('text that parquet holds as plain bytes is read as UTF-8', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: {
      'log.parquet': {
        parquet: `SELECT encode('café') AS user_id, encode('x') AS item_id, ${START} AS timestamp`,
      },
    },
    interactions: "SELECT * FROM '{dir}/log.parquet'",
  });
  t.strictSame(rowsOf(dataset), [['café', 'x', START, 1]]);
});

t.test('ids of mixed types in JSON lines come without quotes', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: {
      'log.jsonl': `{"user_id": 1, "item_id": "x", "timestamp": ${START}}\n{"user_id": "b", "item_id": "x", "timestamp": ${START}}\n`,
    },
    interactions: "SELECT * FROM '{dir}/log.jsonl'",
  });
  t.strictSame(dataset.users.entities.ids, ['1', 'b']);
});

const instants: Record<string, string> = {
  'whole seconds': `${START}::BIGINT`,
  'seconds as text': `'${START}'`,
  'seconds with a fraction': `${START}.0::DOUBLE`,
  milliseconds: `${START}000::BIGINT`,
  microseconds: `${START}000000::BIGINT`,
  nanoseconds: `${START}000000000::BIGINT`,
  TIMESTAMP_S: `to_timestamp(${START})::TIMESTAMP::TIMESTAMP_S`,
  TIMESTAMP_MS: `to_timestamp(${START})::TIMESTAMP::TIMESTAMP_MS`,
  TIMESTAMP: `to_timestamp(${START})::TIMESTAMP`,
  TIMESTAMP_NS: `to_timestamp(${START})::TIMESTAMP::TIMESTAMP_NS`,
  TIMESTAMPTZ: `to_timestamp(${START})`,
  'ISO text in UTC': `'2023-11-14T22:13:20Z'`,
  'ISO text with an offset': `'2023-11-15T00:13:20+02:00'`,
  'ISO text without a zone': `'2023-11-14 22:13:20'`,
};
for (const [name, sql] of Object.entries(instants)) {
  t.test(`a time given as ${name} is the same instant`, async (t) => {
    const { dataset } = await tryPrepare(t, {
      files: { 'log.parquet': { parquet: `SELECT 'u' AS user_id, 'i' AS item_id, ${sql} AS timestamp` } },
      interactions: "SELECT * FROM '{dir}/log.parquet'",
    });
    t.strictSame(rowsOf(dataset), [['u', 'i', START, 1]]);
  });
}

t.test('a date is the beginning of its day in UTC, and 0 is 1970 in any unit', async (t) => {
  const dates = await tryPrepare(t, {
    files: { 'log.csv': 'user_id,item_id,timestamp\nu,i,2023-11-14\n' },
    interactions: "SELECT * FROM '{dir}/log.csv'",
  });
  t.strictSame([...dates.dataset.interactions.timestamp], [1_699_920_000]);
  const zero = await tryPrepare(t, {
    files: { 'log.csv': `user_id,item_id,timestamp\nu,i,0\nu,i,${START}000\n` },
    interactions: "SELECT * FROM '{dir}/log.csv'",
  });
  t.strictSame([...zero.dataset.interactions.timestamp], [0, START]);
});

t.test('values are numbers of any type; a missing one, NULL or NaN, is 1', async (t) => {
  const { dataset, report } = await tryPrepare(t, {
    files: {
      'log.parquet': {
        parquet: `SELECT 'u' AS user_id, i::VARCHAR AS item_id, ${START} + i AS timestamp,
          CASE i WHEN 0 THEN 2.5 WHEN 1 THEN NULL WHEN 2 THEN 'nan'::DOUBLE ELSE 0 END AS value FROM range(4) AS r(i)`,
      },
    },
    interactions: "SELECT * FROM '{dir}/log.parquet'",
  });
  t.strictSame([...dataset.interactions.value], [2.5, 1, 1, 0]);
  t.strictSame(report.sources[0]!.missing, { value: 2 });
});

for (const [type, sql, value] of [
  ['a decimal', '4.5::DECIMAL(4, 1)', 4.5],
  ['a truth value', 'true', 1],
  ['text', "' 4 '", 4],
  ['empty text', "''", 1],
] as const) {
  t.test(`a value given as ${type} is a number`, async (t) => {
    const { dataset } = await tryPrepare(t, {
      files: {
        'log.parquet': {
          parquet: `SELECT 1 AS user_id, 2 AS item_id, ${START} AS timestamp, ${sql} AS value`,
        },
      },
      interactions: "SELECT * FROM '{dir}/log.parquet'",
    });
    t.strictSame([...dataset.interactions.value], [value]);
  });
}

t.test('compressed, dictionary-coded and partitioned parquet folders are read', async (t) => {
  const parquet = (from: number, to: number): string =>
    `SELECT 'u' || (i % 5) AS user_id, 'i' || (i % 7) AS item_id, ${START} + i AS timestamp FROM range(${from}, ${to}) AS r(i)`;
  const { report } = await tryPrepare(t, {
    files: {
      'day=1/a.parquet': {
        parquet: parquet(0, 100),
        options: 'FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION V2',
      },
      'day=2/b.parquet': { parquet: parquet(100, 250), options: 'FORMAT parquet, COMPRESSION gzip' },
    },
    interactions: "SELECT * FROM read_parquet('{dir}/*/*.parquet', hive_partitioning = true) WHERE day = 2",
  });
  t.equal(report.interactions.rows, 150);
  t.equal(report.sources[0]!.files.length, 2);
});

t.test('a folder is read as all files of the kind in it', async (t) => {
  const { report } = await tryPrepare(t, {
    files: {
      'log/a.parquet': { parquet: `SELECT 1 AS user_id, 2 AS item_id, ${START} AS timestamp` },
      'log/deep/b.parquet': { parquet: `SELECT 2 AS user_id, 2 AS item_id, ${START} AS timestamp` },
    },
    interactions: "SELECT * FROM read_parquet('{dir}/log')",
  });
  t.equal(report.interactions.rows, 2);
  t.equal(report.sources[0]!.files.length, 2);
});

t.test('column names are taken without regard to case', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: { 'log.csv': `USER_ID,Item_Id,TIMESTAMP,Value\na,b,${START},3\n` },
    interactions: "SELECT * FROM '{dir}/log.csv'",
  });
  t.strictSame(rowsOf(dataset), [['a', 'b', START, 3]]);
});

t.test('a query that groups, joins or deduplicates is prepared the same every time', async (t) => {
  const wanted = {
    files: { 'log.csv': GOOD_CSV.repeat(1), 'more.csv': 'user_id,group\nann,1\nbob,2\n' },
    interactions: `SELECT DISTINCT l.user_id, item_id, max(timestamp) AS timestamp
      FROM '{dir}/log.csv' AS l JOIN '{dir}/more.csv' AS m USING (user_id) GROUP BY ALL`,
  };
  const first = await tryPrepare(t, wanted);
  const second = await tryPrepare(t, wanted);
  t.equal(first.dataset.fingerprint, second.dataset.fingerprint);
  t.strictSame(rowsOf(first.dataset), [
    ['ann', 'x', 1_700_000_000, 1],
    ['bob', 'y', 1_700_000_100, 1],
  ]);
});

t.test('numbers in the SQL beyond what JSON carries keep their digits', async (t) => {
  const { dataset } = await tryPrepare(t, {
    files: {
      'log.csv': `user_id,item_id,timestamp\n9007199254740993,a,${START}\n9007199254740992,b,${START}\n`,
    },
    interactions: "SELECT * FROM '{dir}/log.csv' WHERE user_id = 9007199254740993",
  });
  t.strictSame(dataset.users.entities.ids, ['9007199254740993']);
});

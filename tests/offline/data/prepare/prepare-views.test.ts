import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { ViewConfig } from '../../../../src/config/view-config.js';
import { openDatabase, queryRows } from '../../../../src/offline/data/database.js';
import { readPreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import type { PreparedView } from '../../../../src/offline/data/prepared-views.js';
import { LOG, tryPrepare, withView } from './try-prepare.js';

t.beforeEach((t) => void t.testdir({}));

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
  t.match(report.warnings, [
    /^source_large: views\.v: .* MB of files are more than the limit of 0\.000001 MB$/,
  ]);
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
    interactions: "SELECT * FROM '{dir}/log.csv'",
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

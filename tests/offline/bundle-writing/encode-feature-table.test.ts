import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import t from 'tap';
import { IdIndex } from '../../../src/domain/id-index.js';
import { createSeededRandom } from '../../../src/domain/seeded-random.js';
import type { FeatureTable } from '../../../src/features/feature-table.js';
import { readFeatureTable } from '../../../src/features/read-feature-table.js';
import { RowSet } from '../../../src/features/row-set.js';
import { encodeFeatureTable } from '../../../src/offline/bundle-writing/encode-feature-table.js';

function createTable(rows: number): FeatureTable {
  const random = createSeededRandom('feature table');
  const columns = [
    Float32Array.from({ length: rows }, (_, row) => (row % 5 === 0 ? 0 : random.normal() * 1e10)),
    Float32Array.from({ length: rows }, () => random.integer(3) - 1),
    Float32Array.from({ length: rows }, () => random.integer(3) - 1),
  ];
  return {
    view: {
      name: 'users',
      entity: 'user',
      key: 'user_id',
      file: 'features/users.parquet',
      fields: [
        { name: 'activity', type: 'float32', default: 0 },
        { name: 'premium', type: 'boolean', default: -1 },
        { name: 'country: "home", of.user', type: 'category', default: -1, dictionary: ['de', 'jp'] },
      ],
    },
    entities: new IdIndex(Array.from({ length: rows }, (_, row) => `usér ${row}`)),
    columns,
    // Of the numbers that are 0 every other one: a value that is there may equal the default.
    defaulted: columns.map((column, field) =>
      rowSetOf(column, (value, row) => (field === 0 ? row % 10 === 0 : value === -1)),
    ),
  };
}

function rowSetOf(column: Float32Array, belongs: (value: number, row: number) => boolean): RowSet {
  const set = new RowSet(column.length);
  column.forEach((value, row) => {
    if (belongs(value, row)) set.add(row);
  });
  return set;
}

t.test('a table comes back from its file bit by bit, over several row groups', async (t) => {
  for (const rows of [0, 1, 7, 50_000, 120_001]) {
    const path = join(t.testdir(), 'users.parquet');
    const table = createTable(rows);
    await writeFile(path, encodeFeatureTable(table));
    const read = await readFeatureTable(await readFile(path), table.view, { file: 'users.parquet' });
    t.ok(isDeepStrictEqual(read.columns, table.columns), `${rows} rows`);
    t.ok(isDeepStrictEqual(read.entities.ids, table.entities.ids));
    t.ok(isDeepStrictEqual(bytesOf(read), bytesOf(table)), 'the same values are defaulted');
    t.strictSame(sizesOf(read), sizesOf(table));
  }
});

t.test('the floats that are hard to keep are kept', async (t) => {
  const hard = Float32Array.of(-0, 1e-45, -3.4028234663852886e38, 0.1, 16777217);
  const table = {
    ...createTable(5),
    view: { ...createTable(5).view, fields: [{ name: 'x', type: 'float32' as const, default: 0 }] },
    columns: [hard],
    defaulted: [new RowSet(5)],
  };
  const [read] = (await readFeatureTable(encodeFeatureTable(table), table.view, { file: 'x' })).columns;
  t.strictSame(new Uint32Array(read!.buffer), new Uint32Array(hard.buffer));
});

t.test(
  'DuckDB reads the same values, NaN for those that are missing, and every column as REQUIRED float',
  async (t) => {
    const path = join(t.testdir(), 'users.parquet');
    const table = createTable(2000);
    await writeFile(path, encodeFeatureTable(table));
    const connection = await (await DuckDBInstance.create()).connect();
    const rows = (await connection.runAndReadAll(`SELECT * FROM '${path}'`)).getRows();
    t.strictSame(
      rows,
      table.entities.ids.map((id, row) => [
        id,
        ...table.columns.map((column, field) =>
          table.defaulted[field]!.has(row) ? Number.NaN : column[row]!,
        ),
      ]),
    );
    const schema = await connection.runAndReadAll(
      `SELECT name, type, repetition_type FROM parquet_schema('${path}') WHERE type IS NOT NULL`,
    );
    t.strictSame(schema.getRows(), [
      ['user_id', 'BYTE_ARRAY', 'REQUIRED'],
      ...table.view.fields.map(({ name }) => [name, 'FLOAT', 'REQUIRED']),
    ]);
    connection.closeSync();
  },
);

t.test('the same table gives the same bytes', async (t) => {
  t.strictSame(encodeFeatureTable(createTable(500)), encodeFeatureTable(createTable(500)));
});

t.test('a column that is not one value per entity is not written', async (t) => {
  const table = { ...createTable(3), columns: createTable(2).columns };
  t.throws(() => encodeFeatureTable(table), new RangeError('column activity has 2 values for 3 entities'));
});

function bytesOf(table: FeatureTable): Uint8Array[] {
  return table.defaulted.map(({ bytes }) => bytes);
}

function sizesOf(table: FeatureTable): number[] {
  return table.defaulted.map(({ size }) => size);
}

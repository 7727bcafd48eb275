import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import type { FeatureTable } from '../../../../src/features/feature-table.js';
import type { FeatureView } from '../../../../src/features/feature-view.js';
import { readFeatureTable } from '../../../../src/features/read-feature-table.js';
import { encodeFeatureTable } from '../../../../src/offline/training/bundle/encode-feature-table.js';
import { columnsOf, featureTable, KNOWN_UNTIL, tableOf } from '../../../support/feature-tables.js';

const VIEW: FeatureView = {
  name: 'users',
  entity: 'user',
  key: 'user_id',
  file: 'features/users.parquet',
  eventTime: 'since',
  fields: [
    { name: 'activity', type: 'float32', default: 0 },
    { name: 'premium', type: 'boolean', default: -1 },
    { name: 'country: "home", of.user', type: 'category', default: -1, dictionary: ['de', 'jp'] },
    { name: 'visits', type: 'int32', default: 0 },
    { name: 'taste', type: 'vector', length: 5, default: 0.5 },
  ],
};

const FILE = { file: 'users.parquet', knownUntil: KNOWN_UNTIL };

/** Of every field some rows have no value, and some a value that equals the default. */
function createTable(rows: number): FeatureTable {
  const random = createSeededRandom('feature table');
  const orMissing = <T>(value: T): T | undefined => (random.integer(4) === 0 ? undefined : value);
  return tableOf(
    VIEW,
    Array.from({ length: rows }, (_, row) => [
      `usér ${row}`,
      [
        orMissing(row % 5 === 0 ? 0 : random.normal() * 1e10),
        orMissing(random.integer(2)),
        orMissing(random.integer(2)),
        orMissing(row % 5 === 0 ? 0 : 2147483647 - random.integer(1000)),
        orMissing(Array.from({ length: 5 }, () => (row % 5 === 0 ? 0.5 : random.normal()))),
      ],
    ]),
    { eventTimes: Array.from({ length: rows }, (_, row) => KNOWN_UNTIL - row / 8) },
  );
}

t.test('a table comes back from its file bit by bit, over several row groups', async (t) => {
  for (const rows of [0, 1, 7, 50_000, 120_001]) {
    const path = join(t.testdir(), 'users.parquet');
    const table = createTable(rows);
    await writeFile(path, encodeFeatureTable(table));
    const read = await readFeatureTable(await readFile(path), table.view, FILE);
    t.ok(isDeepStrictEqual(read.parts, table.parts), `${rows} rows`);
    t.ok(isDeepStrictEqual(read.entities.ids, table.entities.ids));
  }
});

t.test('the floats that are hard to keep are kept', async (t) => {
  const hard = [-0, 1e-45, -3.4028234663852886e38, Math.fround(0.1), 16777216];
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const table = featureTable('user', ids, {
    x: { values: hard },
    v: { values: hard.map((value) => [1, value]), type: 'vector', length: 2 },
  });
  const read = await readFeatureTable(encodeFeatureTable(table), table.view, FILE);
  t.strictSame(new Uint32Array(read.parts.values.buffer), new Uint32Array(table.parts.values.buffer));
  t.ok(Object.is(columnsOf(read)[0]![0], -0));
});

t.test('DuckDB reads the same values, NaN for those that are missing, null for a whole number', async (t) => {
  const path = join(t.testdir(), 'users.parquet');
  const table = createTable(2000);
  await writeFile(path, encodeFeatureTable(table));
  const connection = await (await DuckDBInstance.create()).connect();
  const rows = (await connection.runAndReadAll(`SELECT * EXCLUDE taste FROM '${path}'`)).getRows();
  const columns = columnsOf(table);
  t.strictSame(
    rows,
    table.entities.ids.map((id, row) => [
      id,
      KNOWN_UNTIL - row / 8,
      ...[0, 1, 2].map((field) => (table.isDefaulted(row, field) ? Number.NaN : columns[field]![row]!)),
      table.isDefaulted(row, 3) ? null : columns[3]![row]!,
    ]),
  );
  const schema = await connection.runAndReadAll(
    `SELECT name, type, type_length, repetition_type FROM parquet_schema('${path}') WHERE type IS NOT NULL`,
  );
  t.strictSame(schema.getRows(), [
    ['user_id', 'BYTE_ARRAY', null, 'REQUIRED'],
    ['since', 'DOUBLE', null, 'REQUIRED'],
    ['activity', 'FLOAT', null, 'REQUIRED'],
    ['premium', 'FLOAT', null, 'REQUIRED'],
    ['country: "home", of.user', 'FLOAT', null, 'REQUIRED'],
    ['visits', 'INT32', null, 'OPTIONAL'],
    ['taste', 'FIXED_LEN_BYTE_ARRAY', '20', 'REQUIRED'],
  ]);
  connection.closeSync();
});

t.test('the same table gives the same bytes', async (t) => {
  t.strictSame(encodeFeatureTable(createTable(500)), encodeFeatureTable(createTable(500)));
});

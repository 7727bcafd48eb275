import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { DuckDBInstance } from '@duckdb/node-api';
import t from 'tap';
import {
  type AttributeColumn,
  type AttributeValue,
  type Catalogue,
  codeValues,
  type ColumnRole,
} from '../../../../src/domain/catalogue.js';
import { IdIndex } from '../../../../src/domain/id-index.js';
import { readCatalogue } from '../../../../src/features/read-catalogue.js';
import { encodeCatalogue } from '../../../../src/offline/training/bundle/encode-catalogue.js';

function column(name: string, role: ColumnRole, values: (AttributeValue | undefined)[]): AttributeColumn {
  const spec = { name, role, shown: true, filterable: true, feature: false };
  return role === 'numeric' || role === 'text'
    ? { ...spec, values }
    : { ...spec, values, coded: codeValues(values) };
}

const CATALOGUE: Catalogue = {
  entities: new IdIndex(['1', '__proto__', '\uFEFFü']),
  attributes: [
    column('title', 'text', ['Heat "1"', undefined, '']),
    column('year', 'numeric', [1995, undefined, -0.1]),
    column('kind', 'categorical', [undefined, 'film', 'film']),
    column('available', 'boolean', [true, false, undefined]),
    column('genres', 'multi-valued', [['drama', 'crime'], undefined, []]),
    column('nothing', 'multi-valued', [undefined, undefined, undefined]),
    column('never', 'numeric', [undefined, undefined, undefined]),
  ],
};

async function roundTrip(catalogue: Catalogue): Promise<Catalogue> {
  const path = join(t.testdir(), 'catalogue.parquet');
  await writeFile(path, encodeCatalogue(catalogue));
  return readCatalogue(await readFile(path), { file: 'catalogue.parquet', attributes: specsOf(catalogue) });
}

function specsOf(catalogue: Catalogue): Omit<AttributeColumn, 'values' | 'coded'>[] {
  return catalogue.attributes.map(({ name, role, shown, filterable, feature }) => ({
    name,
    role,
    shown,
    filterable,
    feature,
  }));
}

t.test('a catalogue comes back from its file as it was', async (t) => {
  const read = await roundTrip(CATALOGUE);
  t.strictSame(read.entities.ids, CATALOGUE.entities.ids);
  t.strictSame(read.attributes, CATALOGUE.attributes);
});

t.test('a catalogue of several row groups, and one of no items, come back', async (t) => {
  for (const size of [0, 50_100]) {
    const index = Array.from({ length: size }, (_, row) => row);
    const catalogue = {
      entities: new IdIndex(index.map(String)),
      attributes: [
        column(
          'title',
          'text',
          index.map((row) => (row % 10 === 0 ? undefined : `title ${row % 5000}`)),
        ),
        column(
          'genres',
          'multi-valued',
          index.map((row) => (row % 7 === 0 ? undefined : ['a', 'b', 'c'].slice(0, row % 4))),
        ),
      ],
    };
    const read = await roundTrip(catalogue);
    t.ok(isDeepStrictEqual(read.entities.ids, catalogue.entities.ids));
    t.ok(isDeepStrictEqual(read.attributes, catalogue.attributes), `${size} items`);
  }
});

t.test('numbers that stand as categories become texts', async (t) => {
  const catalogue = {
    entities: new IdIndex(['a', 'b']),
    attributes: [column('age', 'categorical', [18, true])],
  };
  t.strictSame((await roundTrip(catalogue)).attributes[0]?.values, ['18', 'true']);
});

t.test('DuckDB reads the same values in columns of their own types', async (t) => {
  const path = join(t.testdir(), 'catalogue.parquet');
  await writeFile(path, encodeCatalogue({ ...CATALOGUE, entities: new IdIndex(['1', '__proto__', 'ü']) }));
  const connection = await (await DuckDBInstance.create()).connect();
  const reader = await connection.runAndReadAll(`SELECT * FROM '${path}'`);
  t.strictSame(reader.getRowsJson(), [
    ['1', 'Heat "1"', 1995, null, true, ['drama', 'crime'], null, null],
    ['__proto__', null, null, 'film', false, null, null, null],
    ['ü', '', -0.1, 'film', null, [], null, null],
  ]);
  const types = ['VARCHAR', 'VARCHAR', 'DOUBLE', 'VARCHAR', 'BOOLEAN', 'VARCHAR[]', 'VARCHAR[]', 'DOUBLE'];
  t.strictSame(reader.columnTypes().map(String), types);
  connection.closeSync();
});

t.test('the same catalogue gives the same bytes', async (t) => {
  t.strictSame(encodeCatalogue(CATALOGUE), encodeCatalogue(CATALOGUE));
});

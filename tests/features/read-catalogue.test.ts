import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import t from 'tap';
import type { AttributeSpec, ColumnRole } from '../../src/domain/catalogue.js';
import type { ShortlistError } from '../../src/domain/errors.js';
import { readCatalogue } from '../../src/features/read-catalogue.js';

function attribute(name: string, role: ColumnRole): AttributeSpec {
  return { name, role, shown: true, filterable: false, feature: true };
}

function write(...columnData: ColumnSource[]): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

const IDS: ColumnSource = { name: 'item_id', data: ['a', 'b', 'c'], type: 'STRING' };

async function problemsOf(bytes: Uint8Array, ...attributes: AttributeSpec[]): Promise<readonly string[]> {
  try {
    await readCatalogue(bytes, { file: 'catalogue.parquet', attributes });
    return [];
  } catch (error) {
    t.match(error, { code: 'INVALID_BUNDLE', message: /^catalogue.parquet does not fit the attributes/ });
    return (error as ShortlistError).problems;
  }
}

t.test('values come by role, whatever types DuckDB stored them in', async (t) => {
  const path = join(t.testdir(), 'catalogue.parquet');
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(`COPY (SELECT * FROM (VALUES
      (9007199254740993::BIGINT, 'Heat', 1995::BIGINT, 0.1::DOUBLE, true, ['drama', NULL, 'crime'], 18::TINYINT, 7::HUGEINT),
      (2, NULL, NULL, 'NaN'::DOUBLE, NULL, NULL, NULL, NULL),
      (3, '日本', -1, 1e300, false, [], 12, 1)
    ) t(item_id, title, year, score, available, genres, age, code)) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`);
  connection.closeSync();
  const attributes = [
    attribute('title', 'text'),
    attribute('year', 'numeric'),
    attribute('score', 'numeric'),
    attribute('available', 'boolean'),
    attribute('genres', 'multi-valued'),
    attribute('age', 'categorical'),
  ];
  const catalogue = await readCatalogue(await readFile(path), { file: 'catalogue.parquet', attributes });
  t.strictSame(catalogue.entities.ids, ['9007199254740993', '2', '3']);
  t.strictSame(
    catalogue.attributes.map(({ values }) => values),
    [
      ['Heat', undefined, '日本'],
      [1995, undefined, -1],
      [0.1, undefined, 1e300],
      [true, undefined, false],
      [['drama', 'crime'], undefined, []],
      ['18', undefined, '12'],
    ],
  );
  t.match(catalogue.attributes[0], attributes[0]!);
});

t.test('categories, lists and booleans are coded, numbers and texts are not', async (t) => {
  const bytes = write(
    IDS,
    { name: 'kind', data: ['film', 'book', 'film'], type: 'STRING' },
    { name: 'flag', data: [true, null, false], type: 'BOOLEAN' },
    { name: 'year', data: [1, 2, 3], type: 'INT32' },
  );
  const attributes = [
    attribute('kind', 'categorical'),
    attribute('flag', 'boolean'),
    attribute('year', 'numeric'),
  ];
  const catalogue = await readCatalogue(bytes, { file: 'catalogue.parquet', attributes });
  t.match(catalogue.attributes[0]?.coded, { vocabulary: ['book', 'film'], codes: Uint32Array.of(1, 0, 1) });
  t.match(catalogue.attributes[1]?.coded, {
    vocabulary: ['false', 'true'],
    offsets: Uint32Array.of(0, 1, 1, 2),
  });
  t.notOk('coded' in catalogue.attributes[2]!);
});

t.test('booleans may be stored as 0 and 1', async (t) => {
  for (const column of [
    { data: [0, 1, null], type: 'INT32' },
    { data: [0n, 1n, null], type: 'INT64' },
  ] as const) {
    const bytes = write(IDS, { name: 'flag', data: [...column.data], type: column.type });
    const options = { file: 'catalogue.parquet', attributes: [attribute('flag', 'boolean')] };
    t.strictSame((await readCatalogue(bytes, options)).attributes[0]?.values, [false, true, undefined]);
  }
});

t.test('a catalogue without attributes or items is a catalogue', async (t) => {
  const none = write({ name: 'item_id', data: [], type: 'STRING' });
  t.strictSame((await readCatalogue(none, { file: 'x', attributes: [] })).entities.size, 0);
});

t.test('values that do not fit their role are told with column and row, all at once', async (t) => {
  const bytes = write(
    { name: 'item_id', data: ['a', 'a', ''], type: 'STRING' },
    { name: 'year', data: ['1995', 'x', null], type: 'STRING' },
    { name: 'score', data: [1, Number.POSITIVE_INFINITY, 2], type: 'DOUBLE' },
    { name: 'flag', data: [2, 1, 0.5], type: 'DOUBLE' },
    { name: 'genres', data: ['a|b', 'c', null], type: 'STRING' },
    { name: 'title', data: [new Date(0), null, new Date(1)], type: 'TIMESTAMP' },
  );
  const problems = await problemsOf(
    bytes,
    attribute('year', 'numeric'),
    attribute('score', 'numeric'),
    attribute('flag', 'boolean'),
    attribute('genres', 'multi-valued'),
    attribute('title', 'text'),
    attribute('gone', 'text'),
  );
  t.strictSame(problems, [
    'catalogue.parquet: column item_id, row 2: the id "a" is also in row 1',
    'catalogue.parquet: column item_id, row 3: the id is empty',
    "catalogue.parquet: column year, row 1: '1995' is not a finite number (and 1 more row)",
    'catalogue.parquet: column score, row 2: Infinity is not a finite number',
    'catalogue.parquet: column flag, row 1: 2 is not true or false (and 1 more row)',
    "catalogue.parquet: column genres, row 1: 'a|b' is not a list of texts (and 1 more row)",
    'catalogue.parquet: column title, row 1: 1970-01-01T00:00:00.000Z is not a text (and 1 more row)',
    'catalogue.parquet: it has no column gone',
  ]);
});

t.test('a list of things that are no texts is refused', async (t) => {
  const path = join(t.testdir(), 'catalogue.parquet');
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(
    `COPY (SELECT 'a' AS item_id, [['x']] AS nested, [1, 2] AS numbers) TO '${path}' (FORMAT parquet)`,
  );
  connection.closeSync();
  const bytes = await readFile(path);
  t.strictSame(await problemsOf(bytes, attribute('numbers', 'multi-valued')), []);
  t.match(await problemsOf(bytes, attribute('nested', 'multi-valued')), [
    "catalogue.parquet: column nested, row 1: [ [ 'x' ] ] is not a list of texts",
  ]);
});

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import {
  ByteWriter,
  type ColumnSource,
  ParquetWriter,
  parquetWriteBuffer,
  schemaFromColumnData,
} from 'hyparquet-writer';
import t, { type Test } from 'tap';
import type { ShortlistError } from '../../src/domain/errors.js';
import type { FeatureField, FeatureView } from '../../src/features/feature-view.js';
import { readFeatureTable } from '../../src/features/read-feature-table.js';
import { columnsOf, defaultedRowsOf, KNOWN_UNTIL } from '../support/feature-tables.js';

const FILE = { file: 'features/items.parquet', knownUntil: KNOWN_UNTIL };

function viewOf(...fields: FeatureField[]): FeatureView {
  return { name: 'items', entity: 'item', key: 'item_id', file: FILE.file, fields };
}

function float(name: string, fallback = 0): FeatureField {
  return { name, type: 'float32', default: fallback };
}

function write(...columnData: ColumnSource[]): Uint8Array {
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

function ids(...data: unknown[]): ColumnSource {
  return { name: 'item_id', data, type: 'STRING', nullable: data.includes(null) };
}

async function problemsOf(bytes: Uint8Array, view: FeatureView): Promise<readonly string[]> {
  try {
    await readFeatureTable(bytes, view, FILE);
    return [];
  } catch (error) {
    t.match(error, { code: 'INVALID_BUNDLE', message: /features\/items.parquet/ });
    const { problems, message } = error as ShortlistError;
    return problems.length > 0 ? problems : [message];
  }
}

/** The bytes of a parquet file that DuckDB writes from a query. */
async function writeByDuckdb(
  t: Test,
  { query, options }: { query: string; options: string },
): Promise<Uint8Array> {
  const path = join(t.testdir(), 'table.parquet');
  const connection = await (await DuckDBInstance.create()).connect();
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet, ${options})`);
  connection.closeSync();
  return readFile(path);
}

t.test('numbers of any width and booleans become float32, whoever wrote them', async (t) => {
  const rows = 2500;
  const query = `SELECT 'id' || i AS item_id, i::FLOAT / 7 AS f, i::DOUBLE / 7 AS d, i::INTEGER - 9 AS i32, i::BIGINT AS i64,
    (i % 200)::UTINYINT AS u8, 4000000000::UINTEGER + i AS u32, i % 2 = 0 AS b, (i / 4)::DECIMAL(9, 2) AS m,
    CASE WHEN i % 3 > 0 THEN i::FLOAT END AS n FROM range(${rows}) t(i)`;
  const names = ['f', 'd', 'i32', 'i64', 'u8', 'u32', 'b', 'm', 'n'];
  const expected: Record<string, (i: number) => number> = {
    f: (i) => Math.fround(Math.fround(i) / 7),
    d: (i) => Math.fround(i / 7),
    i32: (i) => i - 9,
    i64: (i) => i,
    u8: (i) => i % 200,
    u32: (i) => Math.fround(4000000000 + i),
    b: (i) => (i % 2 === 0 ? 1 : 0),
    m: (i) => Math.fround(i / 4),
    n: (i) => (i % 3 > 0 ? i : -5),
  };
  const variants = [
    'PARQUET_VERSION v1, COMPRESSION snappy, ROW_GROUP_SIZE 2048',
    'PARQUET_VERSION v2, COMPRESSION zstd',
    'PARQUET_VERSION v2, COMPRESSION gzip, ROW_GROUP_SIZE 2048',
    'PARQUET_VERSION v1, COMPRESSION lz4_raw',
    'PARQUET_VERSION v1, COMPRESSION brotli',
    'PARQUET_VERSION v2, COMPRESSION uncompressed',
  ];
  for (const options of variants) {
    const bytes = await writeByDuckdb(t, { query, options });
    const table = await readFeatureTable(bytes, viewOf(...names.map((name) => float(name, -5))), FILE);
    t.equal(table.entities.idAt(2499), 'id2499', options);
    names.forEach((name, index) => {
      t.strictSame(
        columnsOf(table)[index],
        Array.from({ length: rows }, (_, i) => expected[name]!(i)),
        `${name}, ${options}`,
      );
    });
    t.strictSame(
      defaultedRowsOf(table).map((defaulted) => defaulted.length),
      [0, 0, 0, 0, 0, 0, 0, 0, 834],
    );
  }
});

t.test('columns are found by name: their order and other columns do not matter', async (t) => {
  const bytes = write(
    { name: 'b', data: [3, 4], type: 'INT32' },
    { name: 'note', data: ['x', 'y'] },
    { name: 'a.b c:d', data: [1, 2], type: 'DOUBLE' },
    ids('2', '1'),
  );
  const table = await readFeatureTable(bytes, viewOf(float('a.b c:d'), float('b')), FILE);
  t.strictSame(columnsOf(table), [
    [1, 2],
    [3, 4],
  ]);
  t.strictSame(table.entities.ids, ['2', '1']);
});

t.test('a value that is missing becomes the default of its field and is counted', async (t) => {
  const bytes = write(
    ids('a', 'b', 'c', 'd'),
    { name: 'x', data: [1, null, Number.NaN, 4], type: 'DOUBLE' },
    { name: 'flag', data: [true, null, false, true], type: 'BOOLEAN' },
    { name: 'kind', data: [1, 0, null, 1], type: 'INT32' },
    { name: 'full', data: Float32Array.of(1, Number.NaN, 3, 4), type: 'FLOAT', nullable: false },
  );
  const view = viewOf(
    float('x', 0.5),
    { name: 'flag', type: 'boolean', default: -1 },
    { name: 'kind', type: 'category', default: -1, dictionary: ['film', 'series'] },
    float('full'),
  );
  const table = await readFeatureTable(bytes, view, FILE);
  t.strictSame(columnsOf(table), [
    [1, 0.5, 0.5, 4],
    [1, -1, 0, 1],
    [1, 0, -1, 1],
    [1, 0, 3, 4],
  ]);
  t.strictSame(defaultedRowsOf(table), [[1, 2], [1], [2], [1]]);
});

t.test(
  'the stand-in of a boolean or category that has no value is a default where it is written out',
  async (t) => {
    const bytes = write(
      ids('a', 'b'),
      { name: 'flag', data: Float32Array.of(-1, 1), type: 'FLOAT' },
      { name: 'kind', data: Float32Array.of(-1, 0), type: 'FLOAT' },
    );
    const view = viewOf(
      { name: 'flag', type: 'boolean', default: -1 },
      { name: 'kind', type: 'category', default: -1, dictionary: ['film'] },
    );
    const table = await readFeatureTable(bytes, view, FILE);
    t.strictSame(columnsOf(table), [
      [-1, 1],
      [-1, 0],
    ]);
    t.strictSame(defaultedRowsOf(table), [[0], [0]]);
  },
);

t.test('other work of the process goes on while a table is read, row group by row group', async (t) => {
  const columnData = [
    { name: 'item_id', data: Array.from({ length: 40 }, (_, row) => `${row}`), type: 'STRING' as const },
    { name: 'x', data: new Float32Array(40), type: 'FLOAT' as const },
  ];
  const bytes = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 10 }));
  let turns = 0;
  const reading = readFeatureTable(bytes, viewOf(float('x')), FILE).finally(() => (turns += 1000));
  while (turns < 1000) {
    await setImmediate();
    turns++;
  }
  await reading;
  t.ok(turns - 1000 >= 4, 'a turn per row group');
});

t.test('a table without rows, or without fields, is a table', async (t) => {
  const empty = await readFeatureTable(
    write({ name: 'item_id', data: [], type: 'STRING' }, { name: 'x', data: [], type: 'FLOAT' }),
    viewOf(float('x')),
    FILE,
  );
  t.strictSame([empty.entities.size, columnsOf(empty)], [0, [[]]]);
  const bare = await readFeatureTable(write(ids('a')), viewOf(), FILE);
  t.strictSame([bare.entities.ids, columnsOf(bare)], [['a'], []]);
});

t.test('ids may be texts of any script, or whole numbers', async (t) => {
  const texts = ['\uFEFFbom', '日本', '__proto__', ' a ', '\u0000', '😀'];
  const table = await readFeatureTable(write(ids(...texts)), viewOf(), FILE);
  t.strictSame(table.entities.ids, texts);
  const numbers = write({ name: 'item_id', data: [5n, 9007199254740993n], type: 'INT64' });
  t.strictSame((await readFeatureTable(numbers, viewOf(), FILE)).entities.ids, ['5', '9007199254740993']);
  const small = write({ name: 'item_id', data: [5, -1], type: 'INT32' });
  t.strictSame((await readFeatureTable(small, viewOf(), FILE)).entities.ids, ['5', '-1']);
});

t.test('ids that are empty, missing, repeated or no ids are told with their rows', async (t) => {
  t.strictSame(await problemsOf(write(ids('a', '', 'b', 'a', null, 'a')), viewOf()), [
    'features/items.parquet: column item_id, row 2: the id is empty',
    'features/items.parquet: column item_id, row 4: the id "a" is also in row 1 (and 1 more row)',
    'features/items.parquet: column item_id, row 5: null is not an id',
  ]);
  t.strictSame(
    await problemsOf(write({ name: 'item_id', data: [0.5, 1, 1.5, 2.5], type: 'DOUBLE' }), viewOf()),
    ['features/items.parquet: column item_id, row 1: 0.5 is not an id (and 2 more rows)'],
  );
});

t.test('values that a field cannot have are told with column and row, all at once', async (t) => {
  const bytes = write(
    ids('a', 'b', 'c'),
    {
      name: 'inf',
      data: Float32Array.of(1, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
      type: 'FLOAT',
    },
    { name: 'huge', data: [1, 1e39, 2], type: 'DOUBLE' },
    { name: 'flag', data: [0, 1, 2], type: 'INT32' },
    { name: 'kind', data: [0.5, -1, 2], type: 'DOUBLE' },
  );
  const view = viewOf(
    float('inf'),
    float('huge'),
    { name: 'flag', type: 'boolean', default: 0 },
    { name: 'kind', type: 'category', default: 0, dictionary: ['film', 'series'] },
    float('gone'),
  );
  t.strictSame(await problemsOf(bytes, view), [
    'features/items.parquet: column inf, row 2: -Infinity is not a finite float32 (and 1 more row)',
    'features/items.parquet: column huge, row 2: 1e+39 is not a finite float32',
    'features/items.parquet: column flag, row 3: 2 is not 0 or 1',
    'features/items.parquet: column kind, row 1: 0.5 is not one of the 2 codes of its dictionary (and 2 more rows)',
    'features/items.parquet: it has no column gone',
  ]);
});

t.test('columns that are not numeric are refused by what they are', async (t) => {
  const query = `SELECT 'a' AS item_id, 'x' AS text, DATE '2026-01-01' AS day, TIMESTAMP '2026-01-01' AS moment,
    TIME '10:00' AS clock, [1.0] AS list, {'a': 1} AS struct, '\\xE9'::BLOB AS bytes, uuid() AS uuid`;
  const bytes = await writeByDuckdb(t, { query, options: 'COMPRESSION snappy' });
  const fields = ['text', 'day', 'moment', 'clock', 'list', 'struct', 'bytes', 'uuid'].map((name) =>
    float(name),
  );
  t.match(await problemsOf(bytes, viewOf(...fields)), [
    /column text is (UTF8|STRING), not numeric/,
    /column day is DATE, not numeric/,
    /column moment is TIMESTAMP\w*, not numeric/,
    /column clock is TIME\w*, not numeric/,
    /column list is LIST, not numeric/,
    /column struct is a group of columns, not numeric/,
    /column bytes is BYTE_ARRAY, not numeric/,
    /column uuid is UUID, not numeric/,
  ]);
});

t.test('a key column that is missing is told together with the rest', async (t) => {
  t.strictSame(await problemsOf(write({ name: 'x', data: [1], type: 'FLOAT' }), viewOf(float('y'))), [
    'features/items.parquet: it has no column item_id to take ids from',
    'features/items.parquet: it has no column y',
  ]);
});

t.test('what is no parquet file is refused by name', async (t) => {
  const whole = write(ids('a', 'b'), { name: 'x', data: [1, 2], type: 'FLOAT' });
  const lengthLies = new Uint8Array(whole);
  new DataView(lengthLies.buffer).setUint32(whole.length - 8, 1 << 30, true);
  const lengthZero = new Uint8Array(whole);
  new DataView(lengthZero.buffer).setUint32(whole.length - 8, 0, true);
  const cases: [string, Uint8Array][] = [
    ['nothing', new Uint8Array(0)],
    ['a text', new TextEncoder().encode('item_id,x\na,1\n')],
    ['a footer length beyond the file', lengthLies],
    ['a footer length of 0', lengthZero],
    ...[1, 2, 3, 4, 5, 6, 7].map((part): [string, Uint8Array] => [
      `a file cut at ${part}/8`,
      whole.subarray(0, Math.floor((whole.length * part) / 8)),
    ]),
  ];
  for (const [what, bytes] of cases) {
    const [problem, ...more] = await problemsOf(bytes, viewOf(float('x')));
    t.match(problem, /^features\/items.parquet (is not a parquet file|says it has|cannot be read)/, what);
    t.strictSame(more, []);
  }
});

t.test('texts that are not UTF-8 and codecs that nobody knows are refused, naming the column', async (t) => {
  const latin1 = write({ name: 'item_id', data: [Uint8Array.of(0xe9)], type: 'BYTE_ARRAY' });
  t.match(await problemsOf(latin1, viewOf()), [
    'features/items.parquet: column item_id, row 1: the id is not UTF-8',
  ]);
  const lzo = new Uint8Array(
    parquetWriteBuffer({ columnData: [ids('a')], codec: 'LZO', compressors: { LZO: (input) => input } }),
  );
  t.match(await problemsOf(lzo, viewOf()), [/cannot be read at column item_id: .*LZO/]);
});

/** A file of three ids whose footer is changed before it is written. */
function writeWith(change: (writer: ParquetWriter) => void): Uint8Array {
  const columnData = [ids('a', 'b', 'c')];
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({ writer: bytes, schema: schemaFromColumnData({ columnData }) });
  void writer.write({ columnData });
  change(writer);
  void writer.finish();
  return bytes.getBytes();
}

/** A file whose footer says other row counts than its pages hold. */
function writeLiar({ groupRows, fileRows }: { groupRows: bigint | undefined; fileRows: bigint }): Uint8Array {
  return writeWith((writer) => {
    Object.assign(writer.row_groups[0]!, { num_rows: groupRows });
    writer.num_rows = fileRows;
  });
}

/** A file of two row groups of two rows, of which the second comes first in the file. */
function writeSwapped(columnData: ColumnSource[]): Uint8Array {
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({ writer: bytes, schema: schemaFromColumnData({ columnData }) });
  for (const from of [2, 0]) {
    void writer.write({
      columnData: columnData.map((column) => ({ ...column, data: column.data.slice(from, from + 2) })),
    });
  }
  writer.row_groups.reverse();
  void writer.finish();
  return bytes.getBytes();
}

t.test('row counts that do not fit the values are refused', async (t) => {
  t.strictSame(await problemsOf(writeLiar({ groupRows: 3n, fileRows: 3n }), viewOf()), []);
  t.strictSame(await problemsOf(writeLiar({ groupRows: 3n, fileRows: 4n }), viewOf()), [
    'features/items.parquet says it has 4 rows, its row groups have 3.',
  ]);
  t.strictSame(await problemsOf(writeLiar({ groupRows: 5n, fileRows: 5n }), viewOf()), [
    'Column item_id of features/items.parquet has 3 values in the 5 rows from row 1 on.',
  ]);
  t.match(await problemsOf(writeLiar({ groupRows: undefined, fileRows: 3n }), viewOf()), [
    /^features\/items.parquet says it has 3 rows/,
  ]);
});

t.test('whole numbers keep all their bits; what is no int32 is told with its row', async (t) => {
  const view = viewOf({ name: 'n', type: 'int32', default: -7 });
  const whole = [2147483647, -2147483648, 16777217, null];
  const table = await readFeatureTable(
    write(ids('a', 'b', 'c', 'd'), { name: 'n', data: whole, type: 'INT32' }),
    view,
    FILE,
  );
  t.strictSame(columnsOf(table), [[2147483647, -2147483648, 16777217, -7]]);
  t.strictSame(defaultedRowsOf(table), [[3]]);
  const wide = { name: 'n', data: [5n, 2147483648n, -2147483649n], type: 'INT64' as const };
  t.strictSame(await problemsOf(write(ids('a', 'b', 'c'), wide), view), [
    'features/items.parquet: column n, row 2: 2147483648 is not an int32 (and 1 more row)',
  ]);
  const broken = { name: 'n', data: [1, 1.5, Number.POSITIVE_INFINITY, Number.NaN], type: 'DOUBLE' as const };
  t.strictSame(await problemsOf(write(ids('a', 'b', 'c', 'd'), broken), view), [
    'features/items.parquet: column n, row 2: 1.5 is not an int32 (and 1 more row)',
  ]);
});

t.test('vectors are taken from lists of any numbers, of any writer', async (t) => {
  const query = `SELECT 'id' || i AS item_id,
    CASE WHEN i % 5 = 0 THEN NULL ELSE [i::FLOAT, i / 2, -1] END AS f,
    [i::DOUBLE, 0.1, 1e-3] AS d, [i, i + 1, 2]::BIGINT[] AS b, [i, 0, 1]::FLOAT[3] AS a FROM range(3000) t(i)`;
  const vector = (name: string): FeatureField => ({ name, type: 'vector', length: 3, default: 9 });
  for (const options of ['COMPRESSION snappy, ROW_GROUP_SIZE 2048', 'PARQUET_VERSION v2, COMPRESSION zstd']) {
    const bytes = await writeByDuckdb(t, { query, options });
    const table = await readFeatureTable(bytes, viewOf(...['f', 'd', 'b', 'a'].map(vector)), FILE);
    const [f, d, b, a] = columnsOf(table);
    for (const i of [0, 1, 7, 2049, 2999]) {
      const at = (column: number[] | undefined): number[] => column!.slice(3 * i, 3 * i + 3);
      t.strictSame(at(f), i % 5 === 0 ? [9, 9, 9] : [i, i / 2, -1], `f of ${i}`);
      t.strictSame(at(d), [i, Math.fround(0.1), Math.fround(1e-3)]);
      t.strictSame(at(b), [i, i + 1, 2]);
      t.strictSame(at(a), [i, 0, 1]);
    }
    t.strictSame(
      defaultedRowsOf(table).map((rows) => rows.length),
      [600, 0, 0, 0],
    );
  }
});

t.test('vectors that are ragged, or not finite, are told with their row', async (t) => {
  const query = `SELECT unnest(['a', 'b', 'c', 'd', 'e', 'f']) AS item_id,
    unnest([[1, 2], [1], [1, 2, 3], [], [NULL, 2], ['NaN'::DOUBLE, 'NaN'::DOUBLE]]) AS v,
    unnest([[1, 2], ['Infinity'::DOUBLE, 1], [1e39, 1], [1, 2], [1, 2], [1, 2]]) AS w`;
  const bytes = await writeByDuckdb(t, { query, options: 'COMPRESSION snappy' });
  const view = viewOf(
    { name: 'v', type: 'vector', length: 2, default: 0 },
    { name: 'w', type: 'vector', length: 2, default: 0 },
  );
  t.strictSame(await problemsOf(bytes, view), [
    'features/items.parquet: column v, row 2: the vector has 1 components, not 2 (and 2 more rows)',
    'features/items.parquet: column v, row 5: the vector has a component that is not a finite float32',
    'features/items.parquet: column w, row 2: the vector has a component that is not a finite float32 (and 1 more row)',
  ]);
});

t.test('columns that hold no vectors of the length are refused by what they are', async (t) => {
  const query = `SELECT 'a' AS item_id, 1.5::FLOAT AS number, ['x'] AS texts, uuid() AS uuid`;
  const bytes = await writeByDuckdb(t, { query, options: 'COMPRESSION snappy' });
  const vector = (name: string): FeatureField => ({ name, type: 'vector', length: 4, default: 0 });
  t.match(await problemsOf(bytes, viewOf(...['number', 'texts', 'uuid', 'gone'].map(vector))), [
    /column number is FLOAT, not a list of numbers or a vector of float32$/,
    /column texts is LIST, not a list of numbers or a vector of float32$/,
    /column uuid is UUID, not a list of numbers or a vector of float32$/,
    /it has no column gone$/,
  ]);
  const short = new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'item_id', data: ['a'] },
        { name: 'v', data: [new Uint8Array(8)] },
      ],
      schema: [
        { name: 'root', num_children: 2 },
        { name: 'item_id', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
        { name: 'v', type: 'FIXED_LEN_BYTE_ARRAY', type_length: 8, repetition_type: 'REQUIRED' },
      ],
    }),
  );
  t.strictSame(await problemsOf(short, viewOf(vector('v'))), [
    'features/items.parquet: column v is FIXED_LEN_BYTE_ARRAY of 8 bytes, a vector of 4 float32 has 16',
  ]);
});

t.test(
  'event times are read by row; a row without one is told, as is a column that is no number',
  async (t) => {
    const view = { ...viewOf(), eventTime: 'since' };
    const times = { name: 'since', data: [1.5, 1_700_000_000, -1], type: 'DOUBLE' as const };
    const table = await readFeatureTable(write(ids('a', 'b', 'c'), times), view, FILE);
    t.strictSame(
      [0, 1, 2].map((row) => table.eventTimeOf(row)),
      times.data,
    );
    t.equal(table.newestEventTime, 1_700_000_000);
    const holes = { name: 'since', data: [1, null, Number.NaN], type: 'DOUBLE' as const };
    t.strictSame(await problemsOf(write(ids('a', 'b', 'c'), holes), view), [
      'features/items.parquet: column since, row 2: null is no time (and 1 more row)',
    ]);
    t.strictSame(await problemsOf(write(ids('a')), view), ['features/items.parquet: it has no column since']);
    const same = await readFeatureTable(write(ids('a')), viewOf(), FILE);
    t.strictSame([same.eventTimeOf(0), same.newestEventTime], [KNOWN_UNTIL, KNOWN_UNTIL]);
    t.equal((await readFeatureTable(write(ids()), viewOf(), FILE)).newestEventTime, undefined);
  },
);

t.test('row groups in any place of the file are read', async (t) => {
  const columnData = [
    { name: 'item_id', data: ['a', 'b', 'c', 'd'], type: 'STRING' as const },
    { name: 'x', data: Float32Array.of(1, 2, 3, 4), type: 'FLOAT' as const },
  ];
  const swapped = writeSwapped(columnData);
  const table = await readFeatureTable(swapped, viewOf(float('x')), FILE);
  t.strictSame(columnsOf(table), [[1, 2, 3, 4]]);
  t.strictSame(table.entities.ids, ['a', 'b', 'c', 'd']);
});

t.test('a footer that points out of the file is refused, naming the column', async (t) => {
  for (const [field, value] of [
    ['data_page_offset', 1n << 40n],
    ['data_page_offset', -5n],
    ['total_compressed_size', 1n << 40n],
  ] as const) {
    const bytes = writeWith((writer) => {
      Object.assign(writer.row_groups[0]!.columns[0]!.meta_data!, { [field]: value });
    });
    t.match(await problemsOf(bytes, viewOf()), [/cannot be read at column item_id: /], `${field} ${value}`);
  }
});

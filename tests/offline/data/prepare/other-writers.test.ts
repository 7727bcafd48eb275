import t from 'tap';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ColumnConfig, DatasetConfig } from '../../../../src/config/dataset-config.js';
import type { AttributeValue } from '../../../../src/domain/catalogue.js';
import type { ShortlistError } from '../../../../src/domain/errors.js';
import { prepareDataset } from '../../../../src/offline/data/prepare/prepare-dataset.js';
import { readPreparedDataset, type PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';

// Each dataset waits for DuckDB more than for this process.
t.jobs = 4;

const FIXTURES = 'tests/fixtures/parquet/';

/** Files that hold the same items, and the values that went into them. */
interface ItemsTruth {
  readonly files: readonly string[];
  /** `{file}` stands for the file or folder. */
  readonly sql?: string;
  readonly ids: readonly string[];
  readonly columns: Readonly<
    Record<string, { role: ColumnConfig['role']; values: readonly (AttributeValue | null)[] }>
  >;
}

/** A file of interactions with several columns of times, in Unix seconds. */
interface TimesTruth {
  readonly file: string;
  readonly columns: Readonly<Record<string, readonly number[]>>;
}

interface Truth {
  readonly items: readonly ItemsTruth[];
  readonly times: readonly TimesTruth[];
}

for (const truthFile of readdirSync(FIXTURES).filter((name) => name.endsWith('.truth.json'))) {
  const truth = JSON.parse(readFileSync(join(FIXTURES, truthFile), 'utf8')) as Truth;
  for (const items of truth.items) {
    for (const file of items.files) {
      const sql = (items.sql ?? "SELECT * FROM '{file}'").replaceAll('{file}', join(FIXTURES, file));
      t.test(`${file} holds its ${items.ids.length} items: ${items.sql ?? 'all columns'}`, async (t) => {
        const dataset = await prepareItems(t.testdir(), { sql, truth: items });
        t.strictSame(readItems(dataset), expectItems(items));
      });
    }
  }
  for (const { file, columns } of truth.times) {
    for (const [column, seconds] of Object.entries(columns)) {
      t.test(`${file} holds the times of ${column}`, async (t) => {
        const sql = `SELECT n AS user_id, n AS item_id, "${column}" AS timestamp FROM '${join(FIXTURES, file)}'`;
        const { interactions } = await prepare(t.testdir(), {
          interactions: { sql, times: { to: '2300-01-01' } },
        });
        t.strictSame([...interactions.timestamp], seconds);
      });
    }
  }
}

/** What a file is refused for: problems without the table's name, {file} standing for the file or folder. */
interface Refused {
  readonly file: string;
  readonly sql?: string;
  readonly columns?: Readonly<Record<string, ColumnConfig['role']>>;
  readonly problems: readonly string[];
}

const ROUNDED = 'write ids as whole numbers or text';
const MIXED = 'as other files have it; say union_by_name = true, or select each file with its own CAST';

const REFUSED: readonly Refused[] = [
  {
    file: 'pyarrow-split-integers.parquet',
    columns: { year: 'numeric' },
    problems: ['item_id', 'year'].map(
      (column) =>
        `{file}, column ${column}, rows 1 to 6: cannot be read: Invalid Error: BYTE_STREAM_SPLIT encoding is only supported for FLOAT or DOUBLE data`,
    ),
  },
  {
    file: 'pyarrow-encrypted.parquet',
    problems: [
      "items ({file}): Invalid Input Error: File '{file}' is encrypted, but 'encryption_config' was not set",
    ],
  },
  {
    file: 'pyarrow-encrypted-columns.parquet',
    columns: { label: 'categorical' },
    problems: ['rating', 'label'].map(
      (column) =>
        `{file}, column ${column}, rows 1 to 6: cannot be read: damaged or encrypted (Invalid Error: TProtocolException: Invalid data)`,
    ),
  },
  { file: 'pyarrow-zero-rows.parquet', problems: ['{file} has no rows'] },
  { file: 'polars-zero-rows.parquet', problems: ['{file} has no rows'] },
  {
    file: 'pyarrow-case.parquet',
    columns: { label: 'categorical' },
    problems: ['{file}: SQL cannot tell column label from column Label; rename one where it is written'],
  },
  {
    file: 'pyarrow-nested.parquet',
    columns: { maker: 'categorical', tags: 'multi-valued', cast: 'multi-valued' },
    problems: [
      '{file}, column maker: is of type STRUCT("name" VARCHAR, born BIGINT); the role categorical needs single values',
      '{file}, column tags: is of type MAP(VARCHAR, VARCHAR); a list of single values is wanted',
      '{file}, column cast: is of type STRUCT(actor VARCHAR)[]; a list of single values is wanted',
    ],
  },
  {
    file: 'pyarrow-bad-values.parquet',
    columns: { number: 'numeric', words: 'numeric', flag: 'boolean', bytes: 'text' },
    problems: [
      '{file}, column item_id, row 2: is null; every row needs one',
      "{file}, column number, row 2: 'inf' is not a finite number",
      "{file}, column words, row 2: 'two' is not a number",
      "{file}, column flag, row 3: '2' is neither 1 nor 0",
      '{file}, column bytes, row 2: is no UTF-8 text',
    ],
  },
  {
    file: 'pyarrow-bad-values.parquet',
    sql: "SELECT fraction AS item_id FROM '{file}'",
    problems: [
      "{file}, column fraction (item_id), row 1: '1.5' is not a whole number; cast ids to text",
      `{file}, column fraction (item_id), row 3: '9007199254740992.0' may be another id, rounded: DOUBLE is exact up to 9007199254740991; ${ROUNDED}`,
    ],
  },
  {
    file: 'pyarrow-bad-values.parquet',
    sql: "SELECT coalesce(item_id, 'b') AS item_id FROM '{file}'",
    problems: ["{file}, column item_id, row 3: 'a' occurs before, at items: {file}, column item_id, row 1"],
  },
  {
    file: 'pandas-float-ids.parquet',
    problems: ['{file}, column item_id, row 2: is null; every row needs one'],
  },
  {
    file: 'pandas-large-float-ids.parquet',
    problems: [
      `{file}, column item_id, row 2: '9007199254740994.0' may be another id, rounded: DOUBLE is exact up to 9007199254740991; ${ROUNDED}`,
    ],
  },
  {
    file: 'pandas-float32-ids.parquet',
    problems: [
      `{file}, column item_id, row 2: '16777216.0' may be another id, rounded: FLOAT is exact up to 16777215; ${ROUNDED}`,
    ],
  },
  {
    file: 'duckdb-hugeint-ids.parquet',
    problems: [
      `{file}, column item_id, row 2: '1.7014118346046923e+38' may be another id, rounded: DOUBLE is exact up to 9007199254740991; ${ROUNDED}`,
    ],
  },
  {
    file: 'pandas-parts',
    sql: "SELECT * FROM '{file}/*.parquet'",
    columns: { year: 'numeric' },
    problems: [
      `{file}/3.parquet, column year, row 1: 1999.5 (DOUBLE) would be read as 2000 (BIGINT), ${MIXED}`,
    ],
  },
  {
    file: 'pyarrow-parts',
    sql: "SELECT * FROM '{file}/*.parquet'",
    columns: { score: 'numeric' },
    problems: [
      `{file}/2.parquet, column score, row 1: 3.5 (DOUBLE) would be read as 4 (BIGINT), ${MIXED}`,
      `{file}/2.parquet, column score, row 2: 4.5 (DOUBLE) would be read as 4 (BIGINT), ${MIXED}`,
    ],
  },
  { file: 'pandas-utf-16.csv', problems: ['{file}: is UTF-16 text; write it as UTF-8'] },
  {
    file: 'pandas-latin-1.csv',
    columns: { title: 'text' },
    problems: [
      '{file}, column title, row 1: Invalid unicode (byte sequence mismatch) detected. This file is not utf-8 encoded.',
    ],
  },
];

for (const { file, sql = "SELECT * FROM '{file}'", columns = {}, problems } of REFUSED) {
  t.test(`${file} is refused: ${sql} ${Object.keys(columns).join(', ')}`, async (t) => {
    const path = join(FIXTURES, file);
    const roles = Object.entries(columns).map(([name, role]) => [name, { role }] as const);
    const found = await problemsOf(t.testdir(), {
      interactions: { sql: "SELECT 'u' AS user_id, 'a' AS item_id, 0 AS timestamp" },
      items: { sql: sql.replaceAll('{file}', path), columns: Object.fromEntries(roles) },
    });
    t.strictSame(
      found.map((problem) => problem.replaceAll(path, '{file}').replace(/^items: /, '')),
      problems,
    );
  });
}

const WHOLE = readFileSync(join(FIXTURES, 'pyarrow-snappy-pages-1.parquet'));
const FOOTER_BYTES = WHOLE.readUInt32LE(WHOLE.length - 8);

const DAMAGED: Readonly<Record<string, Uint8Array>> = {
  ...Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7].map((eighths) => [
      `cut at ${eighths}/8`,
      WHOLE.subarray(0, Math.floor((WHOLE.length * eighths) / 8)),
    ]),
  ),
  'without its last byte': WHOLE.subarray(0, -1),
  'of its first three bytes': WHOLE.subarray(0, 3),
  'of two magic words only': Buffer.from('PAR1PAR1'),
  empty: Buffer.alloc(0),
  'with another first word': changed((bytes) => bytes.write('PAR2', 0)),
  'with another last word': changed((bytes) => bytes.write('PAR2', bytes.length - 4)),
  ...Object.fromEntries(
    [0, 1, FOOTER_BYTES - 1, FOOTER_BYTES + 1, WHOLE.length, 0x7fffffff, 0xffffffff].map((length) => [
      `that says its footer has ${length} bytes`,
      changed((bytes) => bytes.writeUInt32LE(length, bytes.length - 8)),
    ]),
  ),
  'with zeros for a footer': changed((bytes) =>
    bytes.fill(0, bytes.length - 8 - FOOTER_BYTES, bytes.length - 8),
  ),
  'with zeros for pages': changed((bytes) => bytes.fill(0, 4, bytes.length - 8 - FOOTER_BYTES)),
  'that is text': Buffer.from('item_id,title\na,A\n'),
  'that is text between magic words': Buffer.from(`PAR1${'item_id,title\n'.repeat(40)}PAR1`),
};

for (const [damage, bytes] of Object.entries(DAMAGED)) {
  t.test(`a parquet file ${damage} is refused by name, and nothing is written`, async (t) => {
    const dir = t.testdir({ source: {}, out: {} });
    const file = join(dir, 'source', 'items.parquet');
    writeFileSync(file, bytes);
    const problems = await problemsOf(join(dir, 'out'), {
      interactions: { sql: "SELECT 'u' AS user_id, 'a' AS item_id, 0 AS timestamp" },
      items: { sql: `SELECT * FROM '${file}'`, columns: { title: { role: 'text' } } },
    });
    t.ok(problems.length > 0);
    t.same(
      problems.filter((problem) => !problem.startsWith('items') || !problem.includes(file)),
      [],
    );
  });
}

function changed(change: (bytes: Buffer) => void): Uint8Array {
  const bytes = Buffer.from(WHOLE);
  change(bytes);
  return bytes;
}

/** The problems that keep a dataset from being prepared; nothing may be written. */
async function problemsOf(
  dir: string,
  tables: Pick<DatasetConfig, 'interactions' | 'items' | 'users'>,
): Promise<readonly string[]> {
  try {
    await prepare(dir, tables);
  } catch (error) {
    const { code, problems } = error as ShortlistError;
    if (code !== 'INVALID_DATASET') throw error;
    const left = readdirSync(dir);
    return left.length === 0 ? problems : [...problems, `left behind: ${left.join()}`];
  }
  return [];
}

async function prepareItems(
  dir: string,
  options: { sql: string; truth: ItemsTruth },
): Promise<PreparedDataset> {
  const columns = Object.entries(options.truth.columns).map(([name, { role }]) => [name, { role }] as const);
  const id = options.truth.ids[0]!;
  return prepare(dir, {
    interactions: { sql: `SELECT 'u' AS user_id, '${id}' AS item_id, 0 AS timestamp` },
    items: { sql: options.sql, columns: Object.fromEntries(columns) },
  });
}

async function prepare(
  dir: string,
  tables: Pick<DatasetConfig, 'interactions' | 'items' | 'users'>,
): Promise<PreparedDataset> {
  const outDir = join(dir, 'prepared');
  const config: DatasetConfig = {
    name: 'other-writers',
    description: 'Files by other writers.',
    licence: 'none',
    path: FIXTURES,
    ...tables,
    evaluation: { protocol: 'chronological' },
  };
  await prepareDataset(config, { outDir, progress: SILENT_PROGRESS });
  return readPreparedDataset(outDir);
}

type Rows = Readonly<Record<string, Readonly<Record<string, AttributeValue | null>>>>;

function readItems({ catalogue }: PreparedDataset): Rows {
  return Object.fromEntries(
    catalogue.entities.ids.map((id, row) => [
      id,
      Object.fromEntries(catalogue.attributes.map(({ name, values }) => [name, values[row] ?? null])),
    ]),
  );
}

function expectItems({ ids, columns }: ItemsTruth): Rows {
  return Object.fromEntries(
    ids.map((id, row) => [
      id,
      Object.fromEntries(Object.entries(columns).map(([name, { values }]) => [name, values[row] ?? null])),
    ]),
  );
}

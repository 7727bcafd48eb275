import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { DatasetConfig } from '../../../../src/config/dataset-config.js';
import type { ViewConfig } from '../../../../src/config/view-config.js';
import { createFeatureRows, VALUE_STATUS } from '../../../../src/features/feature-store.js';
import type { FeatureField, FeatureView } from '../../../../src/features/feature-view.js';
import { placesOf, rowWidthOf, widthOf } from '../../../../src/features/feature-view.js';
import { createMemoryStore } from '../../../../src/features/memory-store.js';
import { readFeatureTable } from '../../../../src/features/read-feature-table.js';
import { encodeFeatureTable } from '../../../../src/offline/training/bundle/encode-feature-table.js';
import { prepareDataset } from '../../../../src/offline/data/prepare/prepare-dataset.js';
import { readPreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import type { PreparedView } from '../../../../src/offline/data/prepared-views.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { buildDeclaredView } from '../../../../src/offline/training/views/declared-view.js';

// Each dataset waits for DuckDB more than for this process.
t.jobs = 4;

const FIXTURES = 'tests/fixtures/parquet/';
const WRITERS = ['pyarrow', 'pandas', 'polars', 'fastparquet', 'duckdb', 'spark-like'];

type Value = number | string | boolean | readonly number[] | null;

/** A source, what it is declared to hold, and what went into it: a row after the other. */
interface Truth {
  readonly source: string;
  readonly fields: ViewConfig['fields'];
  readonly keys: readonly string[];
  readonly since: readonly number[];
  readonly values: Readonly<Record<string, readonly Value[]>>;
}

/** What an attribute of the items in the other fixtures is as a field of a view. */
const TYPE_OF_ROLE: Readonly<Record<string, ViewConfig['fields'][string]['type']>> = {
  numeric: 'float32',
  boolean: 'boolean',
  categorical: 'category',
  text: 'category',
};

const VIEWS = JSON.parse(readFileSync(join(FIXTURES, 'views.json'), 'utf8')) as Truth[];

for (const truth of VIEWS) {
  t.test(`${truth.source} holds its view at every time`, async (t) => {
    const { view: prepared } = await prepareView(t.testdir(), truth, { eventTime: 'since' });
    for (const cut of [...new Set(truth.since)].flatMap((time) => [time, time - 0.5])) {
      await t.test(`as of ${cut}`, async (t) => {
        t.same(await readBack(prepared, { truth, cut }), expectAt(truth, cut));
      });
    }
  });
}

for (const writer of WRITERS) {
  for (const truth of listItemTruths(writer)) {
    t.test(`${truth.source} holds its ${truth.keys.length} rows as a view`, async (t) => {
      const { view } = await prepareView(t.testdir(), truth, {});
      t.same(await readBack(view, { truth, cut: 0 }), expectAt(truth, 0));
    });
  }
}

t.test('a number too large for the declared type is refused by file, column and row', async (t) => {
  const [truth] = listItemTruths('spark-like');
  const fields: ViewConfig['fields'] = { rating: { type: 'float32' }, year: { type: 'int32' } };
  await t.rejects(prepareView(t.testdir(), { ...truth!, fields }, {}), {
    code: 'INVALID_DATASET',
    problems: [
      `views.v: ${join(FIXTURES, truth!.source)}, column rating, row 6: '1e+300' is too large for a float32`,
    ],
  });
});

/** The items of the other fixtures, where they are parquet as it is: columns that no single value of fits a type left out. */
function listItemTruths(writer: string): Truth[] {
  const { items } = JSON.parse(readFileSync(join(FIXTURES, `${writer}.truth.json`), 'utf8')) as {
    items: {
      files: string[];
      sql?: string;
      ids: string[];
      columns: Record<string, { role: string; values: Value[] }>;
    }[];
  };
  return items
    .filter(({ sql = '' }) => !/ AS |union_by_name|EXCLUDE|REPLACE|WHERE/.test(sql))
    .flatMap(({ files, ids, columns }) => {
      const fitting = Object.entries(columns).filter(
        ([, { role, values }]) =>
          TYPE_OF_ROLE[role] !== undefined &&
          values.every((value) => typeof value !== 'number' || Math.abs(value) < 3.4e38),
      );
      const fields = fitting.map(([name, { role }]) => [name, { type: TYPE_OF_ROLE[role]! }] as const);
      // One file of each kind is enough here: all of them are read as items by other-writers.test.ts.
      return files
        .filter((file) => !/\.(csv|csv\.gz|jsonl)$/.test(file) && fields.length > 0)
        .slice(0, 1)
        .map((file) => ({
          source: file,
          fields: Object.fromEntries(fields),
          keys: ids,
          since: ids.map(() => 0),
          values: Object.fromEntries(fitting.map(([name, { values }]) => [name, values])),
        }));
    });
}

async function prepareView(
  dir: string,
  { source, fields, keys }: Truth,
  times: { eventTime?: string },
): Promise<{ view: PreparedView }> {
  const outDir = join(dir, 'prepared');
  const config: DatasetConfig = {
    name: 'other-writers',
    description: 'Files by other writers.',
    licence: 'none',
    path: FIXTURES,
    interactions: { sql: `SELECT 'u' AS user_id, '${keys[0]!}' AS item_id, 0 AS timestamp` },
    views: { v: { entity: 'item', key: 'item_id', source: `{path}${source}`, ...times, fields } },
    evaluation: { protocol: 'chronological' },
  };
  await prepareDataset(config, { outDir, progress: SILENT_PROGRESS });
  return { view: (await readPreparedDataset(outDir)).views.declared[0]! };
}

/** What serving reads of each key: from the bundle's file, through the memory store; null where it is a default. */
async function readBack(
  prepared: PreparedView,
  { truth, cut }: { truth: Truth; cut: number },
): Promise<Record<string, Value[] | string>> {
  const written = buildDeclaredView(prepared, { knownUntil: cut });
  const file = { file: written.view.file, knownUntil: cut };
  const table = await readFeatureTable(encodeFeatureTable(written), written.view, file);
  const { view } = table;
  const ids = [...new Set(truth.keys)];
  const rows = createFeatureRows(view, ids.length);
  await createMemoryStore(table).getMany(ids, rows, { now: cut });
  return Object.fromEntries(
    ids.map((id, row) => [
      id,
      view.fields.map((field, index) => readValue(view, rows, { row, index, field })),
    ]),
  );
}

function readValue(
  view: FeatureView,
  { values, statuses }: { values: Float32Array; statuses: Uint8Array },
  { row, index, field }: { row: number; index: number; field: FeatureField },
): Value {
  const status = statuses[row * view.fields.length + index];
  if (status === VALUE_STATUS.UNKNOWN_ENTITY) return 'unknown';
  if (status === VALUE_STATUS.DEFAULTED) return null;
  const start = row * rowWidthOf(view) + placesOf(view)[index]!;
  const found = [...values.subarray(start, start + widthOf(field))];
  if (field.type === 'vector') return found;
  if (field.type === 'boolean') return found[0] === 1;
  return field.dictionary === undefined ? found[0]! : field.dictionary[found[0]!]!;
}

/** What was true of each key at the cut. */
function expectAt({ keys, since, fields, values }: Truth, cut: number): Record<string, Value[]> {
  return Object.fromEntries(
    keys.map((key) => {
      const rows = [...keys.keys()].filter((row) => keys[row] === key && since[row]! <= cut);
      const latest = rows.sort((a, b) => since[a]! - since[b]!).at(-1);
      return [
        key,
        Object.keys(fields).map((name) =>
          latest === undefined ? 'unknown' : asFloat32(values[name]![latest]!),
        ),
      ];
    }),
  );
}

function asFloat32(value: Value): Value {
  if (typeof value === 'number') return Math.fround(value);
  return Array.isArray(value) ? (value as number[]).map(Math.fround) : value;
}

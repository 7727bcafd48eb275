import t from 'tap';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ColumnConfig, DatasetConfig } from '../../../src/config/dataset-config.js';
import type { AttributeValue } from '../../../src/domain/catalogue.js';
import { prepareDataset } from '../../../src/offline/prepare/prepare-dataset.js';
import { readPreparedDataset, type PreparedDataset } from '../../../src/offline/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures/parquet/', import.meta.url));

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
        const { interactions } = await prepare(t.testdir(), { interactions: { sql } });
        t.strictSame([...interactions.timestamp], seconds);
      });
    }
  }
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

import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { DatasetConfig } from '../../../../src/config/dataset-config.js';
import type { ViewConfig } from '../../../../src/config/view-config.js';
import type { ForgottenList } from '../../../../src/domain/forgetting.js';
import type { ShortlistError } from '../../../../src/domain/errors.js';
import { openDatabase } from '../../../../src/offline/data/database.js';
import { prepareDataset } from '../../../../src/offline/data/prepare/prepare-dataset.js';
import type { PrepareReport } from '../../../../src/offline/data/prepare/prepare-report.js';
import { readPreparedDataset, type PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';

/** A test that has a folder of its own. */
export interface TestWithFolder {
  readonly testdirName: string;
}

/** A dataset of a test; `{dir}` in SQL stands for the folder of its files. */
export interface TryDataset {
  /** Name to content: text or bytes, or `{ parquet: SELECT … }` that DuckDB writes (with COPY options when given). */
  readonly files: Readonly<Record<string, string | Uint8Array | { parquet: string; options?: string }>>;
  readonly interactions: string;
  readonly items?: DatasetConfig['items'];
  readonly users?: DatasetConfig['users'];
  readonly views?: DatasetConfig['views'];
  readonly minimum?: DatasetConfig['minimum'];
  readonly limits?: DatasetConfig['interactions']['limits'];
  readonly weights?: DatasetConfig['interactions']['weights'];
  readonly minimumValue?: number;
  readonly negative?: DatasetConfig['interactions']['negative'];
  readonly target?: DatasetConfig['interactions']['target'];
  /** Whether it takes events, those of the folder `events` beside its files. */
  readonly events?: boolean;
  readonly context?: DatasetConfig['interactions']['context'];
  readonly times?: DatasetConfig['interactions']['times'];
  /** Users who asked to be forgotten. */
  readonly forgotten?: ForgottenList;
  /** When it is prepared; the clock's time when absent. */
  readonly now?: Date;
}

export interface Prepared {
  readonly report: PrepareReport;
  readonly dataset: PreparedDataset;
  readonly outDir: string;
}

/** Interactions of two users that nothing is wrong with. */
export const GOOD_CSV = 'user_id,item_id,timestamp\nann,x,1700000000\nbob,y,1700000100\n';

/** The file of these interactions. */
export const LOG = { 'log.csv': GOOD_CSV };

/** A dataset with one view `v` over `v.parquet`, written by a SELECT. */
export function withView(
  parquet: string,
  view: Partial<ViewConfig> & { fields: ViewConfig['fields'] },
): TryDataset {
  return {
    files: { ...LOG, 'v.parquet': { parquet } },
    interactions: "SELECT * FROM '{dir}/log.csv'",
    views: { v: { entity: 'item', key: 'id', source: '{path}/v.parquet', ...view } },
  };
}

/** Writes the files, prepares the dataset and reads it back. */
export async function tryPrepare(t: TestWithFolder, wanted: TryDataset): Promise<Prepared> {
  await writeFiles(t.testdirName, wanted.files);
  const outDir = join(t.testdirName, 'prepared');
  const report = await prepareDataset(toConfig(t, wanted), { outDir, ...optionsOf(t, wanted) });
  return { report, dataset: await readPreparedDataset(outDir), outDir };
}

/** The problems that keep a dataset from being prepared, the folder left out of their paths; nothing may be written. */
export async function problemsOf(t: TestWithFolder, wanted: TryDataset): Promise<string[]> {
  await writeFiles(t.testdirName, wanted.files);
  const before = readdirSync(t.testdirName);
  const outDir = join(t.testdirName, 'prepared');
  try {
    await prepareDataset(toConfig(t, wanted), { outDir, ...optionsOf(t, wanted) });
  } catch (error) {
    const { code, problems } = error as ShortlistError;
    if (code !== 'INVALID_DATASET') throw error;
    const after = readdirSync(t.testdirName);
    if (after.join() !== before.join()) throw new Error(`left behind: ${after.join()}`, { cause: error });
    return problems.map((problem) => problem.replaceAll(`${t.testdirName}/`, ''));
  }
  throw new Error(`prepared what should fail: ${existsSync(outDir)}`);
}

/** One row per interaction of a prepared dataset: raw ids, time and value. */
export function rowsOf({ interactions }: PreparedDataset): [string, string, number, number][] {
  const { users, items, user, item, timestamp, value } = interactions;
  return Array.from(user, (index, row) => [
    users.idAt(index),
    items.idAt(item[row]!),
    timestamp[row]!,
    value[row]!,
  ]);
}

function optionsOf(
  t: TestWithFolder,
  { now, events, forgotten }: TryDataset,
): Omit<Parameters<typeof prepareDataset>[1], 'outDir'> {
  return {
    progress: SILENT_PROGRESS,
    ...(now && { now }),
    ...(forgotten && { forgotten }),
    ...(events && { eventsFolder: join(t.testdirName, 'events') }),
  };
}

function toConfig(t: TestWithFolder, wanted: TryDataset): DatasetConfig {
  const inFolder = <T extends { sql: string }>(source: T): T => ({
    ...source,
    sql: source.sql.replaceAll('{dir}', t.testdirName),
  });
  return {
    name: 'tried',
    description: 'A dataset of a test.',
    licence: 'none',
    path: t.testdirName,
    interactions: inFolder({
      sql: wanted.interactions,
      ...(wanted.limits && { limits: wanted.limits }),
      ...(wanted.weights && { weights: wanted.weights }),
      ...(wanted.negative && { negative: wanted.negative }),
      ...(wanted.target && { target: wanted.target }),
      ...(wanted.events && { events: wanted.events }),
      ...(wanted.times && { times: wanted.times }),
      ...(wanted.context && { context: wanted.context }),
      ...(wanted.minimumValue !== undefined && { minimumValue: wanted.minimumValue }),
    }),
    ...(wanted.items && { items: inFolder(wanted.items) }),
    ...(wanted.users && { users: inFolder(wanted.users) }),
    ...(wanted.views && { views: wanted.views }),
    ...(wanted.minimum && { minimum: wanted.minimum }),
    evaluation: { protocol: 'chronological' },
  };
}

async function writeFiles(dir: string, files: TryDataset['files']): Promise<void> {
  const database = await openDatabase();
  for (const [name, content] of Object.entries(files)) {
    const file = join(dir, name);
    mkdirSync(dirname(file), { recursive: true });
    if (typeof content === 'string' || content instanceof Uint8Array) writeFileSync(file, content);
    else {
      const { parquet, options = 'FORMAT parquet' } = content;
      await database.connection.run(`COPY (${parquet}) TO '${file}' (${options})`);
    }
  }
  database.close();
}

import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { atPath } from '../../../domain/system-failure.js';
import type { DuckDBConnection } from '@duckdb/node-api';
import {
  isFilterableItemColumn,
  readTarget,
  type ColumnConfig,
  type DatasetConfig,
  type InteractionsConfig,
} from '../../../config/dataset-config.js';
import type { DependencyAccess } from '../../../domain/dependency-access.js';
import type { AttributeSpec } from '../../../domain/catalogue.js';
import type { ForgottenList } from '../../../domain/forgetting.js';
import type { Target } from '../../../domain/target.js';
import { openDatabase } from '../database.js';
import { readPreparedTables, type PreparedManifest, type PreparedTables } from '../prepared-dataset.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { replaceFolder } from '../replace-folder.js';
import { buildReport } from './build-report.js';
import { checkValues } from './check-values.js';
import { fingerprintTables } from './fingerprint.js';
import { keepInteractions, listTypeProblems } from './keep-interactions.js';
import type { PrepareReport } from './prepare-report.js';
import { specifyViews, writeViews } from './prepare-views.js';
import { leaveForgottenOut } from './leave-forgotten-out.js';
import { countKept } from './read-table.js';
import { invalidDataset, readTables, type ReadTables } from './read-tables.js';
import { listContextObstacles, specifyContext } from './specify-context.js';
import { summariseInteractions } from './summarise-interactions.js';
import { findTarget, listTargetObstacles } from './target-rows.js';
import { writeTables } from './write-tables.js';

/**
 * Runs the SQL of a dataset, checks every row and writes `interactions.parquet`, `items.parquet`, `users.parquet`,
 * `unwanted.parquet` where types are negative, `views/<name>.parquet`, `prepared.json` and `report.json` into `options.outDir`, all at once.
 *
 * Rows below the dataset's minimum are dropped and counted, rows that repeat another in every column are kept and
 * counted; whatever is wrong (a missing or damaged file, a missing column, a null, empty or duplicate id, a time or a
 * number that cannot be read, a time after now or years after all others, a weight below zero, a value that is not of the type that its view declares) fails.
 *
 * @throws {ShortlistError} INVALID_DATASET with every problem found by file, column and row; nothing is written then
 */
export async function prepareDataset(
  config: DatasetConfig,
  options: {
    outDir: string;
    progress: ProgressReporter;
    access?: DependencyAccess | undefined;
    /** Rows of after that are mistakes; the clock's time when absent. */
    now?: Date;
    /** The folder of a server's events; needed where the dataset takes them. */
    eventsFolder?: string | undefined;
    /** Users who asked to be forgotten; nobody did when absent. */
    forgotten?: ForgottenList | undefined;
  },
): Promise<PrepareReport> {
  const { now = new Date() } = options;
  const started = performance.now();
  return replaceFolder(options.outDir, async (dir) => {
    const spillDir = join(dir, 'spill');
    const database = await openDatabase({ spillDir });
    try {
      const all = await readTables(database.connection, config, { ...options, now });
      const { forgotten } = options;
      const left = await leaveForgottenOut(database.connection, all, { config, forgotten });
      return await writePrepared(database.connection, dir, {
        config,
        ...left,
        started,
        progress: options.progress,
      });
    } finally {
      database.close();
      await rm(spillDir, { recursive: true, force: true });
    }
  });
}

async function writePrepared(
  connection: DuckDBConnection,
  dir: string,
  options: {
    config: DatasetConfig;
    read: ReadTables;
    forgottenUntil?: number | undefined;
    started: number;
    progress: ProgressReporter;
  },
): Promise<PrepareReport> {
  const { config, read, forgottenUntil } = options;
  const step = options.progress.start('write prepared tables');
  const { loaded } = read.interactions;
  const columns = [...loaded.types.keys()];
  const { weights, context, negative } = config.interactions;
  const problems = await listObstacles(connection, config, columns);
  if (problems.length > 0) throw invalidDataset(config, problems);
  const dropped = {
    ...read.interactions.dropped,
    ...(await keepInteractions(connection, { columns, ...config })),
  };
  const summary = await summariseInteractions(connection);
  if (summary.rows === 0)
    throw invalidDataset(config, ['no interactions are left after the minimum and the minimum value']);
  const values = await checkValues(connection, {
    isGiven: columns.includes('value'),
    isWeighted: weights !== undefined,
  });
  if (values.problems.length > 0) throw invalidDataset(config, values.problems);
  const wanted = readTarget(config.interactions);
  const found = wanted && (await findTarget(connection, wanted));
  if (found?.problems.length) throw invalidDataset(config, found.problems);
  const specs = {
    items: listSpecs(config.items, { of: 'items' }),
    users: listSpecs(config.users, { of: 'users' }),
  };
  await writeTables(connection, dir, {
    ...(config.items && { items: specs.items.map((spec) => spec.name) }),
    ...(config.users && { users: specs.users.map((spec) => spec.name) }),
    context: Object.keys(context?.columns ?? {}),
    hasUnwanted: negative !== undefined,
    hasTarget: wanted !== undefined,
  });
  await writeViews(connection, dir, config.views ?? {});
  const views = specifyViews(config, (table) => countKept(read[table]!));
  const declared = context && { context: await specifyContext(connection, context) };
  const tables = await readPreparedTables(connection, dir, {
    ...specs,
    views,
    ...declared,
    hasUnwanted: negative !== undefined,
    target: found?.target,
  });
  const manifest: PreparedManifest = {
    ...describeDataset(config, found?.target),
    fingerprint: fingerprintTables(tables),
    counts: countRows(tables),
    window: { from: summary.from, to: summary.to },
    ...(forgottenUntil !== undefined && { forgottenUntil }),
    ...declared,
    ...specs,
    views,
  };
  const report = await buildReport(connection, {
    ...options,
    manifest,
    tables,
    dropped,
    summary,
    values,
    found,
  });
  await writeJson(join(dir, 'prepared.json'), manifest);
  await writeJson(join(dir, 'report.json'), report);
  step.finish(
    `${summary.rows.toLocaleString('en-GB')} interactions, ${manifest.counts.items} items, ${manifest.counts.users} users`,
  );
  return report;
}

/** What the config says of columns and types that the rows do not have. */
async function listObstacles(
  connection: DuckDBConnection,
  { interactions }: DatasetConfig,
  columns: readonly string[],
): Promise<string[]> {
  return [
    ...(await listTypeProblems(connection, { columns, interactions })),
    ...listContextObstacles(interactions.context, { columns }),
    ...listTargetObstacles(readTarget(interactions), { columns, ...interactions }),
  ];
}

/** What the manifest has from the config. */
function describeDataset(
  { name, description, licence, interactions, evaluation }: DatasetConfig,
  target: Target | undefined,
): Pick<
  PreparedManifest,
  'formatVersion' | 'name' | 'description' | 'licence' | 'weighted' | 'counting' | 'evaluation'
> {
  return {
    formatVersion: 1,
    name,
    description,
    licence,
    ...(interactions.weights !== undefined && { weighted: true }),
    ...describeCounting(interactions, target),
    ...(evaluation && { evaluation }),
  };
}

function countRows({ interactions, catalogue, users }: PreparedTables): PreparedManifest['counts'] {
  return {
    interactions: interactions.user.length,
    items: catalogue.entities.size,
    users: users.entities.size,
    ...(interactions.unwanted && { unwanted: interactions.unwanted.user.length }),
  };
}

function describeCounting(
  { weights, minimumValue, negative }: InteractionsConfig,
  target: Target | undefined,
): Pick<PreparedManifest, 'counting'> {
  const counting = {
    ...(weights !== undefined && { weights }),
    ...(minimumValue !== undefined && { minimumValue }),
    ...(negative !== undefined && { negative }),
    ...(target !== undefined && { target: copyTarget(target) }),
  };
  return Object.keys(counting).length === 0 ? {} : { counting };
}

/** The manifest's own copy: its type has no readonly arrays. */
function copyTarget({
  types,
  minimumValue,
  evidence,
}: Target): NonNullable<NonNullable<PreparedManifest['counting']>['target']> {
  return {
    ...(types && { types: [...types] }),
    ...(minimumValue !== undefined && { minimumValue }),
    ...(evidence && { evidence: [...evidence] }),
  };
}

/** Items are there to be shown and filtered on; of users nothing leaves the server unless asked for. */
function listSpecs(table: DatasetConfig['items'], options: { of: 'items' | 'users' }): AttributeSpec[] {
  const ofItems = options.of === 'items';
  const columns: [string, ColumnConfig][] = Object.entries(table?.columns ?? {});
  return columns.map(([name, column]) => ({
    name,
    role: column.role,
    shown: column.shown ?? ofItems,
    filterable: ofItems ? isFilterableItemColumn(column) : (column.filterable ?? false),
    feature: column.feature ?? column.role !== 'text',
  }));
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await atPath(file, () => writeFile(file, `${JSON.stringify(value, null, 2)}\n`));
}

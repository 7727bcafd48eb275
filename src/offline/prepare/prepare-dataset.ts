import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import {
  isCoded,
  type ColumnConfig,
  type DatasetConfig,
  type EntitySourceConfig,
  type SourceLimits,
} from '../../config/dataset-config.js';
import type { ViewConfig } from '../../config/view-config.js';
import type { AttributeSpec } from '../../domain/catalogue.js';
import { isAskable, LONGEST_ID } from '../../domain/entity-id.js';
import { ShortlistError } from '../../domain/errors.js';
import type { IdIndex } from '../../domain/id-index.js';
import { openDatabase, queryRows, quoteLiteral, readBlocks } from '../database.js';
import { readPreparedTables, type PreparedManifest, type PreparedTables } from '../prepared-dataset.js';
import type { ProgressReporter } from '../progress.js';
import { replaceFolder } from '../replace-folder.js';
import { fingerprintTables } from './fingerprint.js';
import { countRepeats, keepInteractions, listWeightProblems } from './keep-interactions.js';
import { loadSource, type LoadedSource } from './load-source.js';
import { listLimitWarnings, reportSource, type PrepareReport, type SourceReport } from './prepare-report.js';
import {
  listViewRequests,
  listViewWarnings,
  reportView,
  specifyViews,
  writeViews,
  type ViewReport,
} from './prepare-views.js';
import { rawTable, type SourceRequest, type TableName } from './source-request.js';
import { typeEntities, typeInteractions, typeView, type TypedSource } from './type-source.js';
import { writeTables } from './write-tables.js';

/** A table that could be loaded, checked and typed. */
interface ReadSource extends TypedSource {
  readonly source: LoadedSource;
  /** Loading, checking and typing. */
  readonly seconds: number;
}

type ReadSources = { readonly interactions: ReadSource } & Partial<Record<TableName, ReadSource>>;

/**
 * Runs the SQL of a dataset, checks every row and writes `interactions.parquet`, `items.parquet`, `users.parquet`,
 * `views/<name>.parquet`, `prepared.json` and `report.json` into `options.outDir`, all at once.
 *
 * Rows below the dataset's minimum are dropped and counted, rows that repeat another in every column are kept and
 * counted; whatever is wrong (a missing or damaged file, a missing column, a null, empty or duplicate id, a time or a
 * number that cannot be read, a value that is not of the type that its view declares) fails.
 *
 * @throws {ShortlistError} INVALID_DATASET with every problem found by file, column and row; nothing is written then
 */
export async function prepareDataset(
  config: DatasetConfig,
  options: { outDir: string; progress: ProgressReporter },
): Promise<PrepareReport> {
  const started = performance.now();
  return replaceFolder(options.outDir, async (dir) => {
    const spillDir = join(dir, 'spill');
    const database = await openDatabase({ spillDir });
    try {
      const sources = await readSources(database.connection, config, options);
      return await writePrepared(database.connection, dir, {
        config,
        sources,
        started,
        progress: options.progress,
      });
    } finally {
      database.close();
      await rm(spillDir, { recursive: true, force: true });
    }
  });
}

async function readSources(
  connection: DuckDBConnection,
  config: DatasetConfig,
  options: { progress: ProgressReporter },
): Promise<ReadSources> {
  const problems: string[] = [];
  const read: Partial<Record<TableName, ReadSource>> = {};
  for (const request of listRequests(config)) {
    const step = options.progress.start(`read ${request.table}`);
    const result = await readSource(connection, config, request);
    problems.push(...result.problems);
    if ('source' in result) read[request.table] = result;
    step.finish('source' in result ? describeRead(result) : 'failed');
  }
  const { interactions } = read;
  if (problems.length > 0 || interactions === undefined) throw invalidDataset(config, problems);
  return { ...read, interactions };
}

function listRequests(config: DatasetConfig): SourceRequest[] {
  const { interactions, items, users } = config;
  const requests: SourceRequest[] = [
    {
      table: 'interactions',
      sql: interactions.sql,
      keys: ['user_id', 'item_id'],
      required: [],
      optional: ['timestamp', 'value', 'type'],
      texts: ['type'],
      times: ['timestamp'],
    },
  ];
  if (items) requests.push(entityRequest('items', 'item_id', items));
  if (users) requests.push(entityRequest('users', 'user_id', users));
  return [...requests, ...listViewRequests(config)];
}

function entityRequest(
  table: 'items' | 'users',
  key: string,
  { sql, columns }: EntitySourceConfig,
): SourceRequest {
  const texts = Object.entries(columns).filter(([, { role }]) => role !== 'numeric' && role !== 'boolean');
  return {
    table,
    sql,
    keys: [key],
    required: Object.keys(columns),
    optional: [],
    texts: texts.map(([name]) => name),
    times: [],
  };
}

async function readSource(
  connection: DuckDBConnection,
  config: DatasetConfig,
  request: SourceRequest,
): Promise<ReadSource | { problems: readonly string[] }> {
  const started = performance.now();
  const source = await loadSource(connection, request);
  if ('problems' in source) return source;
  if (source.rowsRead === 0) return { problems: [`${request.table}: ${describeSource(source)} has no rows`] };
  const typed = await typeTable(connection, source, config);
  await connection.run(`DROP TABLE ${rawTable(request.table)}`);
  return { ...typed, source, seconds: (performance.now() - started) / 1000 };
}

function typeTable(
  connection: DuckDBConnection,
  source: LoadedSource,
  config: DatasetConfig,
): Promise<TypedSource> {
  const { table } = source;
  if (table === 'interactions') return typeInteractions(connection, source);
  if (table === 'items')
    return typeEntities(connection, source, { key: 'item_id', columns: config.items!.columns });
  if (table === 'users')
    return typeEntities(connection, source, { key: 'user_id', columns: config.users!.columns });
  return typeView(connection, source, { view: viewOf(config, table) });
}

function viewOf({ views }: DatasetConfig, table: `views.${string}`): ViewConfig {
  return views![table.slice('views.'.length)]!;
}

function describeSource(source: LoadedSource): string {
  return source.files.map((file) => file.path).join(', ') || 'the SQL';
}

function describeRead({ source, seconds, problems }: ReadSource): string {
  const outcome = problems.length > 0 ? `, ${problems.length} problems` : '';
  return `${source.rowsRead.toLocaleString('en-GB')} rows in ${seconds.toFixed(2)} s${outcome}`;
}

function invalidDataset(config: DatasetConfig, problems: readonly string[]): ShortlistError {
  const message = `dataset ${config.name} cannot be prepared: ${problems.length} problem(s); rows are counted from 1 without the header`;
  return new ShortlistError('INVALID_DATASET', message, { problems });
}

async function writePrepared(
  connection: DuckDBConnection,
  dir: string,
  options: { config: DatasetConfig; sources: ReadSources; started: number; progress: ProgressReporter },
): Promise<PrepareReport> {
  const { config, sources } = options;
  const step = options.progress.start('write prepared tables');
  const { source } = sources.interactions;
  const columns = [...source.types.keys()];
  const { weights } = config.interactions;
  const problems = await listWeightProblems(connection, { columns, weights });
  if (problems.length > 0) throw invalidDataset(config, problems);
  const dropped = await keepInteractions(connection, { columns, ...config });
  const summary = await summarise(connection);
  if (summary.rows === 0)
    throw invalidDataset(config, ['no interactions are left after the minimum and the minimum value']);
  const specs = {
    items: listSpecs(config.items, { shown: true }),
    users: listSpecs(config.users, { shown: false }),
  };
  await writeTables(connection, dir, {
    ...(config.items && { items: specs.items.map((spec) => spec.name) }),
    ...(config.users && { users: specs.users.map((spec) => spec.name) }),
  });
  await writeViews(connection, dir, config.views ?? {});
  const views = specifyViews(config, (table) => sources[table]!.source.rowsRead);
  const tables = await readPreparedTables(connection, dir, { ...specs, views });
  const types = await readTypes(connection, dir);
  const manifest: PreparedManifest = {
    formatVersion: 1,
    name: config.name,
    description: config.description,
    licence: config.licence,
    fingerprint: fingerprintTables(tables, { types }),
    counts: {
      interactions: summary.rows,
      items: tables.catalogue.entities.size,
      users: tables.users.entities.size,
    },
    window: { from: summary.from, to: summary.to },
    ...(weights !== undefined && { weighted: true }),
    ...specs,
    views,
    evaluation: config.evaluation,
  };
  const reports = reportSources(sources, dropped);
  const report = await buildReport(connection, { ...options, manifest, tables, reports, summary });
  await writeJson(join(dir, 'prepared.json'), manifest);
  await writeJson(join(dir, 'report.json'), report);
  step.finish(
    `${summary.rows.toLocaleString('en-GB')} interactions, ${manifest.counts.items} items, ${manifest.counts.users} users`,
  );
  return report;
}

interface InteractionSummary {
  readonly rows: number;
  readonly users: number;
  readonly items: number;
  readonly from: number;
  readonly to: number;
}

async function summarise(connection: DuckDBConnection): Promise<InteractionSummary> {
  const [row] = await queryRows(
    connection,
    `SELECT count(*) AS rows, count(DISTINCT user_id) AS users, count(DISTINCT item_id) AS items,
       min(timestamp) AS "from", max(timestamp) AS "to" FROM kept`,
  );
  const { rows, users, items, from, to } = row!;
  return {
    rows: Number(rows),
    users: Number(users),
    items: Number(items),
    from: Number(from),
    to: Number(to),
  };
}

/** Items are there to be shown and filtered on; of users nothing leaves the server unless asked for. */
function listSpecs(source: DatasetConfig['items'], options: { shown: boolean }): AttributeSpec[] {
  const columns: [string, ColumnConfig][] = Object.entries(source?.columns ?? {});
  return columns.map(([name, column]) => ({
    name,
    role: column.role,
    shown: column.shown ?? options.shown,
    filterable: column.filterable ?? (options.shown && isCoded(column)),
    feature: column.feature ?? column.role !== 'text',
  }));
}

async function readTypes(connection: DuckDBConnection, dir: string): Promise<(string | null)[]> {
  const types: (string | null)[] = [];
  const file = quoteLiteral(join(dir, 'interactions.parquet'));
  await readBlocks(connection, `SELECT type FROM read_parquet(${file})`, ([block]) => {
    for (const type of block!) types.push(type as string | null);
  });
  return types;
}

function reportSources(sources: ReadSources, dropped: Readonly<Record<string, number>>): SourceReport[] {
  return Object.values(sources)
    .filter((read) => read !== undefined)
    .map(({ source, missing, seconds }) =>
      reportSource(source, { dropped: source.table === 'interactions' ? dropped : {}, missing, seconds }),
    );
}

async function buildReport(
  connection: DuckDBConnection,
  options: {
    config: DatasetConfig;
    sources: ReadSources;
    started: number;
    manifest: PreparedManifest;
    tables: PreparedTables;
    reports: SourceReport[];
    summary: InteractionSummary;
  },
): Promise<PrepareReport> {
  const { config, manifest, tables, reports, summary } = options;
  const withoutItemsRow = options.sources.items ? await countUnlisted(connection, 'item') : summary.items;
  const withoutUsersRow = options.sources.users ? await countUnlisted(connection, 'user') : summary.users;
  const repeats = await countRepeats(connection);
  const views = await reportViews(connection, options);
  const warnings = [
    ...reports.flatMap((report) => listLimitWarnings(report, limitsOf(config, report.table))),
    ...(await listIdWarnings(connection)),
    ...listUnaskableIds('user', tables.users.entities),
    ...listUnaskableIds('item', tables.catalogue.entities),
    ...(summary.rows > 1 && summary.from === summary.to ? [UNTIMED] : []),
    ...(options.sources.items && withoutItemsRow === summary.items ? [strangers('item')] : []),
    ...(options.sources.users && withoutUsersRow === summary.users ? [strangers('user')] : []),
    ...views.flatMap((view) => listViewWarnings(view, config.views![view.name]!.entity)),
  ];
  return {
    dataset: config.name,
    fingerprint: manifest.fingerprint,
    sources: reports,
    interactions: {
      rows: summary.rows,
      distinctUsers: summary.users,
      distinctItems: summary.items,
      repeats,
      from: new Date(summary.from * 1000).toISOString(),
      to: new Date(summary.to * 1000).toISOString(),
    },
    items: {
      rows: manifest.counts.items,
      withoutInteractions: manifest.counts.items - summary.items,
      withoutItemsRow,
    },
    users: {
      rows: manifest.counts.users,
      withoutInteractions: manifest.counts.users - summary.users,
      withoutUsersRow,
    },
    views,
    warnings,
    seconds: (performance.now() - options.started) / 1000,
  };
}

const UNTIMED =
  'interactions: no two rows differ in time, so their order in the files stands for it: nothing can trend, and the rolling protocol cannot be used';

async function reportViews(
  connection: DuckDBConnection,
  { config, sources, summary }: { config: DatasetConfig; sources: ReadSources; summary: InteractionSummary },
): Promise<ViewReport[]> {
  const reports: ViewReport[] = [];
  for (const [name, view] of Object.entries(config.views ?? {})) {
    const { missing } = sources[`views.${name}`]!;
    reports.push(await reportView(connection, name, { view, missing, lastInteraction: summary.to }));
  }
  return reports;
}

function limitsOf(config: DatasetConfig, table: TableName): SourceLimits | undefined {
  if (table === 'interactions' || table === 'items' || table === 'users') return config[table]?.limits;
  return viewOf(config, table).limits;
}

async function countUnlisted(connection: DuckDBConnection, kind: 'item' | 'user'): Promise<number> {
  const [row] = await queryRows(
    connection,
    `SELECT count(*) AS ids FROM ${kind}_index ANTI JOIN typed_${kind}s USING (${kind}_id)`,
  );
  return Number(row!.ids);
}

function strangers(kind: 'item' | 'user'): string {
  return `${kind}s: no ${kind}_id of the interactions is in the ${kind}s table; do both write ids the same way?`;
}

/** Words that other tools write for "no value" are text to us: they may be ids, but hardly ever are. */
async function listIdWarnings(connection: DuckDBConnection): Promise<string[]> {
  const warnings: string[] = [];
  for (const key of ['user_id', 'item_id']) {
    const rows = await queryRows(
      connection,
      `SELECT ${key} AS id, count(*) AS rows FROM kept
       WHERE lower(${key}) IN ('null', 'none', 'nan', 'na', 'n/a', 'nil', '<na>', '\\n', 'undefined') GROUP BY id ORDER BY id`,
    );
    warnings.push(
      ...rows.map(({ id, rows }) => `interactions: ${String(rows)} rows have the ${key} '${String(id)}'`),
    );
  }
  return warnings;
}

/** Such users and items are trained on and served like others, but nobody can ask for them by id. */
function listUnaskableIds(kind: 'item' | 'user', { ids }: IdIndex): string[] {
  const unaskable = ids.filter((id) => !isAskable(id));
  if (unaskable.length === 0) return [];
  const example = JSON.stringify(unaskable[0]!.slice(0, 40));
  return [
    `${kind}s: requests cannot name ${unaskable.length} of the ${kind}_ids, which are longer than ${LONGEST_ID} ` +
      `characters or hold control characters; the first begins ${example}`,
  ];
}

async function writeJson(file: string, value: unknown): Promise<void> {
  await writeFile(file, `${JSON.stringify(value, null, 2)}\n`);
}

import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetConfig, EntityTableConfig } from '../../../config/dataset-config.js';
import type { ViewConfig } from '../../../config/view-config.js';
import { ShortlistError } from '../../../domain/errors.js';
import { createDependencyAccess, type DependencyAccess } from '../../../domain/dependency-access.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { loadTable, type LoadedTable } from './load-table.js';
import { listViewRequests } from './prepare-views.js';
import { rawTable, type TableRequest, type TableName } from './table-request.js';
import { typeEntities, typeInteractions, typeView, type TypedTable } from './type-table.js';

/** A table that could be loaded, checked and typed. */
export interface ReadTable extends TypedTable {
  readonly loaded: LoadedTable;
  /** Loading, checking and typing. */
  readonly seconds: number;
}

/** The tables of a dataset, by their names; only interactions are always there. */
export type ReadTables = { readonly interactions: ReadTable } & Partial<Record<TableName, ReadTable>>;

/**
 * Loads, checks and types every table of a dataset.
 * @throws {ShortlistError} INVALID_DATASET with the problems of all of them
 */
export async function readTables(
  connection: DuckDBConnection,
  config: DatasetConfig,
  options: { progress: ProgressReporter; access?: DependencyAccess | undefined; now: Date },
): Promise<ReadTables> {
  const { access = createDependencyAccess() } = options;
  const now = options.now.getTime() / 1000;
  const problems: string[] = [];
  const read: Partial<Record<TableName, ReadTable>> = {};
  for (const request of listRequests(config)) {
    const step = options.progress.start(`read ${request.table}`);
    const result = await readTable(connection, config, {
      request,
      access,
      now,
      progress: options.progress,
    });
    problems.push(...result.problems);
    if ('loaded' in result) read[request.table] = result;
    step.finish('loaded' in result ? describeRead(result) : 'failed');
  }
  const { interactions } = read;
  if (problems.length > 0 || interactions === undefined) throw invalidDataset(config, problems);
  return { ...read, interactions };
}

function listRequests(config: DatasetConfig): TableRequest[] {
  const { interactions, items, users } = config;
  const context = Object.entries(interactions.context?.columns ?? {});
  const requests: TableRequest[] = [
    {
      table: 'interactions',
      sql: interactions.sql,
      keys: ['user_id', 'item_id'],
      required: context.map(([name]) => name),
      optional: ['timestamp', 'value', 'type'],
      texts: ['type', ...context.flatMap(([name, { role }]) => (role === 'categorical' ? [name] : []))],
      numbers: ['value', ...context.flatMap(([name, { role }]) => (role === 'categorical' ? [] : [name]))],
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
  { sql, columns }: EntityTableConfig,
): TableRequest {
  const namesOf = (isNumber: boolean): string[] =>
    Object.entries(columns).flatMap(([name, { role }]) =>
      (role === 'numeric' || role === 'boolean') === isNumber ? [name] : [],
    );
  return {
    table,
    sql,
    keys: [key],
    required: Object.keys(columns),
    optional: [],
    texts: namesOf(false),
    numbers: namesOf(true),
    times: [],
  };
}

async function readTable(
  connection: DuckDBConnection,
  config: DatasetConfig,
  options: { request: TableRequest; access: DependencyAccess; now: number; progress: ProgressReporter },
): Promise<ReadTable | { problems: readonly string[] }> {
  const { request, access, now, progress } = options;
  const started = performance.now();
  const loaded = await loadTable(connection, request, access, { progress });
  if ('problems' in loaded) return loaded;
  if (loaded.rowsRead === 0) return { problems: [`${request.table}: ${describeTable(loaded)} has no rows`] };
  const typed = await typeTable(connection, loaded, { config, now });
  await connection.run(`DROP TABLE ${rawTable(request.table)}`);
  return { ...typed, loaded, seconds: (performance.now() - started) / 1000 };
}

function typeTable(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  { config, now }: { config: DatasetConfig; now: number },
): Promise<TypedTable> {
  const { table } = loaded;
  const { context, times } = config.interactions;
  if (table === 'interactions')
    return typeInteractions(connection, loaded, { context: context?.columns ?? {}, times, now });
  if (table === 'items')
    return typeEntities(connection, loaded, { key: 'item_id', columns: config.items!.columns });
  if (table === 'users')
    return typeEntities(connection, loaded, { key: 'user_id', columns: config.users!.columns });
  return typeView(connection, loaded, { view: viewOf(config, table), now });
}

/** The declaration of the view that a table holds. */
export function viewOf({ views }: DatasetConfig, table: `views.${string}`): ViewConfig {
  return views![table.slice('views.'.length)]!;
}

function describeTable(loaded: LoadedTable): string {
  return loaded.files.map((file) => file.path).join(', ') || 'the SQL';
}

function describeRead({ loaded, seconds, problems }: ReadTable): string {
  const outcome = problems.length > 0 ? `, ${problems.length} problems` : '';
  return `${loaded.rowsRead.toLocaleString('en-GB')} rows in ${seconds.toFixed(2)} s${outcome}`;
}

/** The error of a dataset with these problems. */
export function invalidDataset(config: DatasetConfig, problems: readonly string[]): ShortlistError {
  const message = `dataset ${config.name} cannot be prepared: ${problems.length} problem(s); rows are counted from 1 without the header`;
  return new ShortlistError('INVALID_DATASET', message, { problems });
}

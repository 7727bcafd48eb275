import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetConfig, EntityTableConfig, InteractionsConfig } from '../../../config/dataset-config.js';
import type { ViewConfig } from '../../../config/view-config.js';
import { ShortlistError } from '../../../domain/errors.js';
import { createDependencyAccess, type DependencyAccess } from '../../../domain/dependency-access.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { compactedFolder, findEventsRequest } from './events-request.js';
import { loadTable, type LoadedTable } from './load-table.js';
import { addEvents } from './add-events.js';
import { listViewRequests } from './prepare-views.js';
import type { ReadTable } from './read-table.js';
import { rawTable, type TableRequest, type TableName } from './table-request.js';
import { typeEvents } from './type-events.js';
import { typeEntities, typeInteractions, typeView, type TypedTable } from './type-table.js';

/** The tables of a dataset, by their names; only interactions, which events are part of, are always there. */
export type ReadTables = { readonly interactions: ReadTable } & Partial<
  Record<Exclude<TableName, 'events'>, ReadTable>
>;

/**
 * Loads, checks and types every table of a dataset.
 * @param options.eventsFolder the folder of a server's events; needed where the dataset takes them
 * @throws {ShortlistError} INVALID_DATASET with the problems of all of them
 */
export async function readTables(
  connection: DuckDBConnection,
  config: DatasetConfig,
  options: {
    progress: ProgressReporter;
    access?: DependencyAccess | undefined;
    now: Date;
    eventsFolder?: string | undefined;
  },
): Promise<ReadTables> {
  const { access = createDependencyAccess(), progress } = options;
  const now = options.now.getTime() / 1000;
  const { requests, problems } = listRequests(config, options);
  const read: Partial<Record<TableName, ReadTable>> = {};
  for (const request of requests) {
    const step = progress.start(`read ${request.table}`);
    const result = await readTable(connection, config, { request, access, now, progress });
    problems.push(...result.problems);
    if ('loaded' in result) read[request.table] = result;
    step.finish('loaded' in result ? describeRead(result) : 'failed');
  }
  const { interactions, events, ...others } = read;
  if (events !== undefined && interactions?.loaded.types.has('timestamp') === false)
    problems.push('interactions: events have times, and the SQL gives no column timestamp');
  if (problems.length > 0 || interactions === undefined) throw invalidDataset(config, problems);
  if (config.interactions.events !== true) return { interactions, ...others };
  const folder = compactedFolder(options.eventsFolder!);
  return { interactions: await addEvents(connection, { interactions, events, folder }), ...others };
}

/** The requests of all tables, that of events only where there are some. */
function listRequests(
  config: DatasetConfig,
  { eventsFolder }: { eventsFolder?: string | undefined },
): { requests: TableRequest[]; problems: string[] } {
  const { interactions, items, users } = config;
  const requests = [interactionsRequest(interactions)];
  const problems: string[] = [];
  if (interactions.events === true) {
    if (eventsFolder === undefined)
      throw new ShortlistError(
        'INVALID_CONFIG',
        'interactions.events is true, and no folder of events is given',
      );
    const found = findEventsRequest(eventsFolder, interactions);
    if (found !== undefined && 'problems' in found) problems.push(...found.problems);
    else if (found !== undefined) requests.push(found);
  }
  if (items) requests.push(entityRequest('items', 'item_id', items));
  if (users) requests.push(entityRequest('users', 'user_id', users));
  return { requests: [...requests, ...listViewRequests(config)], problems };
}

function interactionsRequest({ sql, context }: InteractionsConfig): TableRequest {
  const columns = Object.entries(context?.columns ?? {});
  const namesOf = (isText: boolean): string[] =>
    columns.flatMap(([name, { role }]) => ((role === 'categorical') === isText ? [name] : []));
  return {
    table: 'interactions',
    sql,
    keys: ['user_id', 'item_id'],
    required: columns.map(([name]) => name),
    optional: ['timestamp', 'value', 'type'],
    texts: ['type', ...namesOf(true)],
    numbers: ['value', ...namesOf(false)],
    times: ['timestamp'],
  };
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
  if (loaded.rowsRead === 0 && request.table !== 'events')
    return { problems: [`${request.table}: ${describeTable(loaded)} has no rows`] };
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
  if (table === 'events') return typeEvents(connection, loaded, { interactions: config.interactions, now });
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

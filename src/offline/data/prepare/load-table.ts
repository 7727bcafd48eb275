import type { DuckDBConnection } from '@duckdb/node-api';
import type { DependencyAccess } from '../../../domain/dependency-access.js';
import { duckdbMessage, queryRows, quoteIdentifier } from '../database.js';
import { SILENT_PROGRESS, type ProgressReporter } from '../../progress/progress.js';
import { checkParquetColumns } from './check-parquet-columns.js';
import { checkTextColumns } from './check-text-columns.js';
import { describeBindFailure, describeRunFailure, findRejectedLines } from './load-failures.js';
import { findFileReaders, type TableFile } from './file-readers.js';
import { listChangedFiles } from './list-files.js';
import { branchesOf, formatSelect, parseSelect, type SelectTree } from './select-tree.js';
import { settleFiles } from './settle-files.js';
import { findColumnOf } from './reader-node.js';
import { rawTable, type TableRequest, type TableName } from './table-request.js';
import { FILE_COLUMN, ROW_COLUMN, traceQuery, type TracedQuery } from './traced-query.js';

/** A table as its SQL gave it, in the DuckDB table `raw_<table>`, rows in the order of the files. */
export interface LoadedTable {
  readonly table: TableName;
  /** DuckDB's type of each wanted column that the SQL gave. */
  readonly types: ReadonlyMap<string, string>;
  readonly query: TracedQuery;
  /** The column of the files that each wanted column is, where that is known. */
  readonly origins: ReadonlyMap<string, string>;
  readonly files: readonly TableFile[];
  /** Files that match but are left out: hidden ones. */
  readonly hiddenFiles: readonly string[];
  /** What a person should know of how the files were read. */
  readonly notes: readonly string[];
  readonly rowsRead: number;
  readonly seconds: number;
}

/** Loads one table of a dataset; whatever keeps it from loading is listed, everything at once as far as possible. */
export async function loadTable(
  connection: DuckDBConnection,
  written: TableRequest,
  access: DependencyAccess,
  { progress = SILENT_PROGRESS }: { progress?: ProgressReporter } = {},
): Promise<LoadedTable | { problems: readonly string[] }> {
  const started = performance.now();
  const tree = await parse(connection, written);
  if ('problems' in tree) return tree;
  const settled = await access.retry('dataset', () =>
    settleFiles(connection, tree.root, { request: written, progress }),
  );
  const { files } = settled;
  const before = listChanged(written, files);
  if (before.length > 0) return { problems: before };
  if (settled.problems.length > 0)
    return { problems: settled.problems.map((problem) => `${written.table}: ${problem}`) };
  const request = { ...written, sql: await formatSelect(connection, tree.root) };
  if (settled.failure !== undefined) {
    const rejected = await findRejectedLines(connection, request);
    return { problems: rejected.length > 0 ? rejected : [`${request.table}: ${settled.failure}`] };
  }
  const readers = findFileReaders(tree.root);
  const variants = await traceQuery(connection, request, { tree });
  const bound = await bindFirst(connection, variants);
  if ('error' in bound)
    return { problems: await describeBindFailure(connection, bound.error, { request, tree, files }) };
  const types = selectTypes(request, bound.types);
  const missing = [...request.keys, ...request.required].filter((column) => !types.has(column));
  if (missing.length > 0) {
    const rejected = await findRejectedLines(connection, request);
    if (rejected.length > 0) return { problems: rejected };
    return { problems: missing.map((column) => missingColumn(request, column, bound.types)) };
  }
  const misread = await checkParquetColumns(connection, readers, { request, tree });
  misread.push(...(await checkTextColumns(connection, readers, { request, tree, files })));
  if (misread.length > 0) return { problems: misread };
  const query = bound.query;
  try {
    const columns = [...types.keys()];
    const rowsRead = await access.retry(
      'dataset',
      () => materialise(connection, request.table, { query, columns }),
      { isPassing: isPassingFault },
    );
    const seconds = (performance.now() - started) / 1000;
    const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
    access.measure({ source: 'dataset', name: request.table, bytes, rows: rowsRead, seconds });
    const changed = listChanged(request, files);
    if (changed.length > 0) return { problems: changed };
    return {
      table: request.table,
      types,
      query,
      origins: findOrigins(tree, types),
      files,
      hiddenFiles: settled.hidden,
      notes: settled.notes,
      rowsRead,
      seconds,
    };
  } catch (error) {
    const changed = listChanged(request, files);
    if (changed.length > 0) return { problems: changed };
    return { problems: await describeRunFailure(connection, error, { request, query, files }) };
  }
}

/** As DuckDB says what the system has called EIO, EAGAIN, ESTALE, EBUSY, ETIMEDOUT and EREMOTEIO. */
const PASSING_FAULT =
  /^IO Error: .*(Input\/output error|Resource temporarily unavailable|Stale (NFS )?file handle|Device or resource busy|timed out|Remote I\/O error)/s;

/** True for a failure of a disk or a network that may be over in a moment. */
export function isPassingFault(error: unknown): boolean {
  return PASSING_FAULT.test(duckdbMessage(error));
}

function listChanged({ table }: TableRequest, files: readonly TableFile[]): string[] {
  return listChangedFiles(files).map((problem) => `${table}: ${problem}`);
}

async function parse(
  connection: DuckDBConnection,
  request: TableRequest,
): Promise<SelectTree | { problems: readonly string[] }> {
  try {
    return await parseSelect(connection, request.sql);
  } catch (error) {
    return { problems: [`${request.table}: its SQL cannot be read: ${duckdbMessage(error)}`] };
  }
}

async function bindFirst(
  connection: DuckDBConnection,
  variants: readonly TracedQuery[],
): Promise<{ query: TracedQuery; types: Map<string, string> } | { error: unknown }> {
  let failure: unknown;
  for (const query of variants) {
    try {
      const rows = await queryRows(connection, `DESCRIBE ${query.sql}`);
      return { query, types: new Map(rows.map((row) => [String(row.column_name), String(row.column_type)])) };
    } catch (error) {
      failure = error;
    }
  }
  return { error: failure };
}

/** Names are compared as SQL does, without regard to case. */
function selectTypes(request: TableRequest, given: ReadonlyMap<string, string>): Map<string, string> {
  const byName = new Map([...given].map(([name, type]) => [name.toLowerCase(), type]));
  const wanted = [...request.keys, ...request.required, ...request.optional];
  return new Map(
    wanted.flatMap((name) => {
      const type = byName.get(name.toLowerCase());
      return type === undefined ? [] : [[name, type] as const];
    }),
  );
}

function missingColumn(request: TableRequest, column: string, given: ReadonlyMap<string, string>): string {
  const names = [...given.keys()].filter((name) => name !== FILE_COLUMN && name !== ROW_COLUMN);
  return `${request.table}: the SQL gives no column ${column}; it gives ${names.join(', ')}`;
}

async function materialise(
  connection: DuckDBConnection,
  table: TableName,
  options: { query: TracedQuery; columns: readonly string[] },
): Promise<number> {
  const traced = options.query.hasRows ? [FILE_COLUMN, ROW_COLUMN] : [];
  const columns = [...options.columns, ...traced].map(quoteIdentifier).join(', ');
  // Without a trace the order of rows is the query's own affair: one thread makes it the same every time.
  const threads = options.query.hasRows ? 'RESET threads' : 'SET threads = 1';
  await connection.run(threads);
  await connection.run(`CREATE TABLE ${rawTable(table)} AS SELECT ${columns} FROM (${options.query.sql})`);
  await connection.run('RESET threads');
  const [row] = await queryRows(connection, `SELECT count(*) AS rows FROM ${rawTable(table)}`);
  return Number(row!.rows);
}

function findOrigins(tree: SelectTree, types: ReadonlyMap<string, string>): Map<string, string> {
  const [branch] = branchesOf(tree.root);
  if (branch === undefined) return new Map();
  const origins = [...types.keys()].map((column) => [column, findColumnOf(branch, column)] as const);
  return new Map(
    origins.flatMap(([column, origin]) => (origin === undefined ? [] : [[column, origin] as const])),
  );
}

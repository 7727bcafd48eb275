import type { DuckDBConnection } from '@duckdb/node-api';
import { duckdbMessage, queryRows, quoteIdentifier, quoteLiteral, type Row } from '../database.js';
import { asFileReader, findFileReaders, type TableFile } from './file-readers.js';
import { branchesOf, formatSelect, outputName, parseSelect, walkTree } from './select-tree.js';
import type { SelectNode, SelectTree, TreeNode } from './select-tree.js';
import { sqlName, type TableRequest } from './table-request.js';
import { addCsvOption, findColumns } from './reader-node.js';
import { FILE_COLUMN, ROW_COLUMN, type TracedQuery } from './traced-query.js';

/** Rows named per problem; the rest are counted. */
export const NAMED_ROWS = 10;

/** Why DuckDB refuses a query before it reads any row: most often a column that the file does not have. */
export async function describeBindFailure(
  connection: DuckDBConnection,
  error: unknown,
  options: { request: TableRequest; tree: SelectTree; files: readonly TableFile[] },
): Promise<readonly string[]> {
  const { table, sql } = options.request;
  const rejected = await findRejectedLines(connection, { table, sql });
  if (rejected.length > 0) return rejected;
  const missing: string[] = [];
  for (const branch of branchesOf(options.tree.root))
    missing.push(...(await findMissingColumns(connection, branch)));
  if (missing.length > 0) return missing.map((problem) => `${table}: ${problem}`);
  return [`${table} (${listPaths(options.files)}): ${duckdbMessage(error)}`];
}

/** Why a query fails while it reads: lines that are no CSV of that shape, values that cannot be cast, damaged pages. */
export async function describeRunFailure(
  connection: DuckDBConnection,
  error: unknown,
  options: { request: TableRequest; query: TracedQuery; files: readonly TableFile[] },
): Promise<readonly string[]> {
  const { table } = options.request;
  const rejected = await findRejectedLines(connection, {
    table,
    sql: options.query.sql,
  });
  if (rejected.length > 0) return rejected;
  const damaged = await findDamagedColumns(connection, options.files);
  if (damaged.length > 0) return damaged.map((problem) => `${table}: ${problem}`);
  const casts = await findFailingCasts(connection, options.query);
  if (casts.length > 0) return casts.map((problem) => `${table}: ${problem}`);
  return [`${table} (${listPaths(options.files)}): ${duckdbMessage(error)}`];
}

/** A few paths by name, the others by number. */
export function listPaths(files: readonly TableFile[]): string {
  const named = files.slice(0, 3).map((file) => file.path);
  const rest = files.length - named.length;
  return named.join(', ') + (rest > 0 ? ` and ${rest} more files` : '');
}

/**
 * Lines of CSV files that do not fit, by file, column and row. Reads again and lets DuckDB reject lines, with which it
 * also guesses the columns better: an early line of another length makes it take each line for a single value.
 */
export async function findRejectedLines(
  connection: DuckDBConnection,
  options: Pick<TableRequest, 'table' | 'sql'>,
): Promise<string[]> {
  const errors = `rejects_${sqlName(options.table)}`;
  const scans = `scans_${sqlName(options.table)}`;
  const { root } = await parseSelect(connection, options.sql);
  if (findFileReaders(root).every((reader) => reader.kind !== 'csv')) return [];
  await addCsvOption(connection, root, { name: 'store_rejects', value: 'true' });
  await addCsvOption(connection, root, { name: 'rejects_table', value: quoteLiteral(errors) });
  await addCsvOption(connection, root, { name: 'rejects_scan', value: quoteLiteral(scans) });
  try {
    await connection.run(`CREATE OR REPLACE TEMP TABLE rejected AS ${await formatSelect(connection, root)}`);
    const rows = await queryRows(
      connection,
      `SELECT *, count(*) OVER () AS total FROM (
         SELECT DISTINCT file_path, column_name, error_message, line - has_header::INTEGER - skip_rows AS row
         FROM ${errors} JOIN ${scans} USING (scan_id, file_id)
       ) ORDER BY file_path, row, column_name LIMIT ${NAMED_ROWS}`,
    );
    return nameRows(rows, (row) => `${options.table}: ${String(row.file_path)}, ${describeRejected(row)}`);
  } catch {
    return [];
  }
}

function describeRejected(row: Row): string {
  const column = typeof row.column_name === 'string' ? `column ${row.column_name}, ` : '';
  const message = (row.error_message as string).replaceAll(/\s*\n\s*/g, ' ');
  return `${column}row ${String(row.row)}: ${message}`;
}

/** Expects at most NAMED_ROWS rows, each with the `total` of all. */
function nameRows(rows: readonly Row[], describe: (row: Row) => string): string[] {
  const more = Number(rows[0]?.total ?? 0) - rows.length;
  return more > 0 ? [...rows.map(describe), `… and ${more} more rows`] : rows.map(describe);
}

async function findMissingColumns(connection: DuckDBConnection, branch: SelectNode): Promise<string[]> {
  const source = asFileReader(branch.from_table);
  const columns = source === undefined ? [] : await findColumns(connection, source.node);
  if (source === undefined || columns.length === 0) return [];
  const known = new Set(
    [...columns, ...namesGivenIn(branch), 'filename', 'file_row_number', 'rowid'].map(lower),
  );
  const { from_table: _, ...rest } = branch;
  const references = [...walkTree(rest)].filter((node) => node.type === 'COLUMN_REF');
  const missing = references
    .map((node) => node.column_names as string[])
    .filter((names) => !names.some((name) => known.has(lower(name))))
    .map((names) => names.join('.'));
  const hint = columns.every((column) => /^column\d+$/.test(column))
    ? ' (is the first line the header? then say header = true)'
    : '';
  return [...new Set(missing)].map(
    (name) =>
      `${source.patterns.join(', ')}: has no column ${name}; its columns are ${columns.join(', ')}${hint}`,
  );
}

/** Names that a query gives itself: output columns and the parameters of lambdas. */
function namesGivenIn(branch: SelectNode): string[] {
  const outputs = branch.select_list.flatMap((expression) => (expression.alias ? [expression.alias] : []));
  const lambdas = [...walkTree(branch)].filter((node) => node.type === 'LAMBDA');
  const parameters = lambdas.flatMap((lambda) =>
    [...walkTree(lambda.lhs)].flatMap((node) => node.column_names ?? []),
  );
  return [...outputs, ...(parameters as string[])];
}

function lower(name: string): string {
  return name.toLowerCase();
}

/** Tries every column of every parquet file, and the row groups of a column that fails. */
async function findDamagedColumns(
  connection: DuckDBConnection,
  files: readonly TableFile[],
): Promise<string[]> {
  const problems: string[] = [];
  for (const { path } of files.filter((file) => file.kind === 'parquet')) {
    const file = quoteLiteral(path);
    const columns = await queryRows(connection, `DESCRIBE SELECT * FROM read_parquet(${file})`);
    for (const column of columns.map((row) => String(row.column_name))) {
      const failure = await tryColumn(connection, column, { file, where: 'true' });
      if (failure === undefined) continue;
      const rows = await findDamagedRows(connection, column, { file });
      // What DuckDB says of the header of a page that it cannot make out.
      const why = failure.includes('TProtocolException') ? `damaged or encrypted (${failure})` : failure;
      problems.push(`${path}, column ${column}, ${rows}: cannot be read: ${why}`);
    }
  }
  return problems;
}

async function tryColumn(
  connection: DuckDBConnection,
  column: string,
  options: { file: string; where: string },
): Promise<string | undefined> {
  try {
    const values = `SELECT max(hash(${quoteIdentifier(column)})) FROM read_parquet(${options.file})`;
    await connection.run(`${values} WHERE ${options.where}`);
    return undefined;
  } catch (error) {
    return duckdbMessage(error);
  }
}

async function findDamagedRows(
  connection: DuckDBConnection,
  column: string,
  options: { file: string },
): Promise<string> {
  const groups = await queryRows(
    connection,
    `SELECT DISTINCT row_group_id, row_group_num_rows AS rows FROM parquet_metadata(${options.file}) ORDER BY ALL`,
  );
  const damaged: string[] = [];
  let first = 0;
  for (const group of groups) {
    const last = first + Number(group.rows) - 1;
    const where = `file_row_number BETWEEN ${first} AND ${last}`;
    const failure = await tryColumn(connection, column, { ...options, where });
    if (failure !== undefined) damaged.push(`rows ${first + 1} to ${last + 1}`);
    first = last + 1;
  }
  return damaged.join(' and ');
}

/** Runs each CAST of a select list as TRY_CAST and names the rows where it gives nothing. */
async function findFailingCasts(connection: DuckDBConnection, query: TracedQuery): Promise<string[]> {
  if (!query.hasRows) return [];
  const { root } = await parseSelect(connection, query.sql);
  const problems: string[] = [];
  for (const branch of branchesOf(root)) {
    for (const expression of branch.select_list) {
      const casts = [...walkTree(expression)].filter((node) => node.type === 'OPERATOR_CAST');
      for (const cast of casts) {
        problems.push(
          ...(await findRowsThatFail(connection, branch, { cast, output: String(outputName(expression)) })),
        );
      }
    }
  }
  return problems;
}

async function findRowsThatFail(
  connection: DuckDBConnection,
  branch: SelectNode,
  options: { cast: TreeNode; output: string },
): Promise<string[]> {
  const { cast } = options;
  const trace = branch.select_list.filter((each) =>
    [FILE_COLUMN, ROW_COLUMN].includes(outputName(each) ?? ''),
  );
  const before = { ...(cast.child as TreeNode), alias: 'shortlist_before' };
  const after = { ...cast, try_cast: true, alias: 'shortlist_after' };
  const tried = await formatSelect(connection, { ...branch, select_list: [before, after, ...trace] });
  try {
    const rows = await queryRows(
      connection,
      `SELECT ${FILE_COLUMN} AS file, ${ROW_COLUMN} AS row, shortlist_before::VARCHAR AS value,
         typeof(shortlist_after) AS type, count(*) OVER () AS total
       FROM (${tried}) WHERE shortlist_before IS NOT NULL AND shortlist_after IS NULL
       ORDER BY ${ROW_COLUMN} LIMIT ${NAMED_ROWS}`,
    );
    const says = (row: Row): string => `row ${String(row.row)}: ${show(row.value)} is no ${String(row.type)}`;
    return nameRows(rows, (row) => `${String(row.file)}, column ${options.output}, ${says(row)}`);
  } catch {
    // A cast inside a lambda cannot be tried on its own.
    return [];
  }
}

function show(value: unknown): string {
  return `'${String(value).slice(0, 60)}'`;
}

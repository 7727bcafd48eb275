import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier, type Row } from '../database.js';
import { listPaths, NAMED_ROWS } from './load-failures.js';
import type { LoadedSource } from './load-table.js';
import { rawTable, typedTable } from './table-request.js';
import { FILE_COLUMN, ROW_COLUMN } from './traced-query.js';
import type { TypedColumn } from './typed-columns.js';

/** Column of a typed table: where its row stood in the raw one. */
export const ORDINAL = 'shortlist_ordinal';

/** Says where in the files a row of a loaded source stands. */
export type RowLocator = (column: string, row: Row) => string;

/** SQL of the columns that a RowLocator reads, over `raw_<table>`. */
export function locationColumns(source: LoadedSource): string {
  return source.query.hasRows
    ? `${FILE_COLUMN} AS file, ${ROW_COLUMN} AS row`
    : 'NULL AS file, raw.rowid + 1 AS row';
}

/** FROM of the rows of a loaded source, as `raw`, with what is derived of its columns. */
export function rawRows(source: LoadedSource, columns: readonly TypedColumn[]): string {
  const derived = columns.flatMap((column) =>
    column.derived === undefined
      ? []
      : [`, ${column.derived.sql} AS ${quoteIdentifier(column.derived.name)}`],
  );
  return `(SELECT rowid, *${derived.join('')} FROM ${rawTable(source.table)}) AS raw`;
}

/** Every row that a check of a column finds, by file, column and row; the first rows are named, the others counted. */
export async function checkColumns(
  connection: DuckDBConnection,
  source: LoadedSource,
  options: { columns: readonly TypedColumn[] },
): Promise<string[]> {
  const checks = options.columns.flatMap((column) =>
    column.checks.map((check) => ({ ...check, column: column.name })),
  );
  if (checks.length === 0) return [];
  const counters = checks.map(({ when }, index) => `count(*) FILTER (WHERE ${when}) AS c${index}`);
  const [counts] = await queryRows(
    connection,
    `SELECT ${counters.join(', ')} FROM ${rawRows(source, options.columns)}`,
  );
  const failed = checks.flatMap((check, index) => {
    const total = Number(counts![`c${index}`]);
    return total > 0 ? [{ ...check, total }] : [];
  });
  if (failed.length === 0) return [];
  const locate = await createRowLocator(connection, source);
  const problems: string[] = [];
  for (const { total, ...check } of failed) {
    const rows = await queryRows(
      connection,
      `SELECT ${locationColumns(source)}, left(CAST(${quoteIdentifier(check.column)} AS VARCHAR), 60) AS value
       FROM ${rawRows(source, options.columns)} WHERE ${check.when} ORDER BY raw.rowid LIMIT ${NAMED_ROWS}`,
    );
    const says = (row: Row): string => check.says.replace('{value}', () => `'${String(row.value)}'`);
    problems.push(...rows.map((row) => `${locate(check.column, row)}: ${says(row)}`));
    if (total > rows.length) {
      problems.push(`${columnOf(source, check.column)}: … and ${total - rows.length} more rows like these`);
    }
    if (check.remedy !== undefined) problems.push(`${columnOf(source, check.column)}: ${check.remedy}`);
  }
  return problems;
}

/**
 * Ids that occur in more than one row of `typed_<table>`, each later row with the row that has the id already.
 * @param options.time column of the times that an id may have a row each of
 */
export async function checkDuplicates(
  connection: DuckDBConnection,
  source: LoadedSource,
  options: { key: string; time?: string | undefined },
): Promise<string[]> {
  const { key, time } = options;
  const id = quoteIdentifier(key);
  const same = time === undefined ? id : `${id}, ${quoteIdentifier(time)}`;
  const rows = await queryRows(
    connection,
    `SELECT ${locationColumns(source)}, dup.id, dup.first, count(*) OVER () AS total
     FROM (SELECT ${id} AS id, ${ORDINAL} AS ordinal, min(${ORDINAL}) OVER (PARTITION BY ${same}) AS first FROM ${typedTable(source.table)}) AS dup
     JOIN ${rawTable(source.table)} AS raw ON raw.rowid = dup.ordinal
     WHERE dup.ordinal <> dup.first ORDER BY dup.ordinal LIMIT ${NAMED_ROWS}`,
  );
  if (rows.length === 0) return [];
  const locate = await createRowLocator(connection, source);
  const problems: string[] = [];
  for (const row of rows) {
    const [first] = await queryRows(
      connection,
      `SELECT ${locationColumns(source)} FROM ${rawTable(source.table)} AS raw WHERE raw.rowid = ${String(row.first)}`,
    );
    const what = time === undefined ? 'occurs' : `occurs with the same ${time}`;
    problems.push(`${locate(key, row)}: '${String(row.id)}' ${what} before, at ${locate(key, first!)}`);
  }
  const more = Number(rows[0]!.total) - rows.length;
  return more > 0 ? [...problems, `${columnOf(source, key)}: … and ${more} more duplicate rows`] : problems;
}

/** Table, files and column of a problem that no single row has. */
export function columnOf(source: LoadedSource, column: string): string {
  return `${source.table}: ${listPaths(source.files) || 'the SQL'}, ${nameColumn(source, column)}`;
}

/** A locator over a loaded source. Rows are counted from 1 in each file, the header of a CSV file not counted. */
export async function createRowLocator(
  connection: DuckDBConnection,
  source: LoadedSource,
): Promise<RowLocator> {
  if (!source.query.hasRows) {
    return (column, row) => `${columnOf(source, column)}, row ${String(row.row)} of the query's result`;
  }
  const skipped = new Map<string, number>();
  for (const sql of source.query.skippedRows) {
    for (const row of await queryRows(connection, sql)) skipped.set(String(row.file), Number(row.skipped));
  }
  return (column, { file, row }) => {
    const rowInFile = Number(row) - (skipped.get(String(file)) ?? 0);
    return `${source.table}: ${String(file)}, ${nameColumn(source, column)}, row ${rowInFile}`;
  };
}

function nameColumn(source: LoadedSource, column: string): string {
  const origin = source.origins.get(column);
  return origin === undefined || origin.toLowerCase() === column.toLowerCase()
    ? `column ${column}`
    : `column ${origin} (${column})`;
}

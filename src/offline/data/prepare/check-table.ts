import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier, type Row } from '../database.js';
import { listPaths, NAMED_ROWS } from './load-failures.js';
import type { LoadedTable } from './load-table.js';
import { rawTable, typedTable } from './table-request.js';
import { FILE_COLUMN, ROW_COLUMN } from './traced-query.js';
import type { TypedColumn } from './typed-columns.js';

/** Column of a typed table: where its row stood in the raw one. */
export const ORDINAL = 'shortlist_ordinal';

/** Says where in the files a row of a loaded table stands. */
export type RowLocator = (column: string, row: Row) => string;

/** SQL of the columns that a RowLocator reads, over `raw_<table>`. */
export function locationColumns(loaded: LoadedTable): string {
  return loaded.query.hasRows
    ? `${FILE_COLUMN} AS file, ${ROW_COLUMN} AS row`
    : 'NULL AS file, raw.rowid + 1 AS row';
}

/** FROM of the rows of a loaded table, as `raw`, with what is derived of its columns. */
export function rawRows(loaded: LoadedTable, columns: readonly TypedColumn[]): string {
  const derived = columns.flatMap((column) =>
    column.derived === undefined
      ? []
      : [`, ${column.derived.sql} AS ${quoteIdentifier(column.derived.name)}`],
  );
  return `(SELECT rowid, *${derived.join('')} FROM ${rawTable(loaded.table)}) AS raw`;
}

/** Every row that a check of a column finds, by file, column and row; the first rows are named, the others counted. */
export async function checkColumns(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  options: { columns: readonly TypedColumn[] },
): Promise<string[]> {
  const checks = options.columns.flatMap((column) =>
    column.checks.map((check) => ({ ...check, column: column.name })),
  );
  if (checks.length === 0) return [];
  const counters = checks.map(({ when }, index) => `count(*) FILTER (WHERE ${when}) AS c${index}`);
  const [counts] = await queryRows(
    connection,
    `SELECT ${counters.join(', ')} FROM ${rawRows(loaded, options.columns)}`,
  );
  const failed = checks.flatMap((check, index) => {
    const total = Number(counts![`c${index}`]);
    return total > 0 ? [{ ...check, total }] : [];
  });
  if (failed.length === 0) return [];
  const locate = await createRowLocator(connection, loaded);
  const problems: string[] = [];
  for (const { total, ...check } of failed) {
    const rows = await queryRows(
      connection,
      `SELECT ${locationColumns(loaded)}, left(CAST(${quoteIdentifier(check.column)} AS VARCHAR), 60) AS value
       FROM ${rawRows(loaded, options.columns)} WHERE ${check.when} ORDER BY raw.rowid LIMIT ${NAMED_ROWS}`,
    );
    const says = (row: Row): string => check.says.replace('{value}', () => `'${String(row.value)}'`);
    problems.push(...rows.map((row) => `${locate(check.column, row)}: ${says(row)}`));
    if (total > rows.length) {
      problems.push(`${columnOf(loaded, check.column)}: … and ${total - rows.length} more rows like these`);
    }
    if (check.remedy !== undefined) problems.push(`${columnOf(loaded, check.column)}: ${check.remedy}`);
  }
  return problems;
}

/**
 * Ids that occur in more than one row of `typed_<table>`, each later row with the row that has the id already.
 * @param options.time column of the times that an id may have a row each of
 */
export async function checkDuplicates(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  options: { key: string; time?: string | undefined },
): Promise<string[]> {
  const { key, time } = options;
  const id = quoteIdentifier(key);
  const same = time === undefined ? id : `${id}, ${quoteIdentifier(time)}`;
  const rows = await queryRows(
    connection,
    `SELECT ${locationColumns(loaded)}, dup.id, dup.first, count(*) OVER () AS total
     FROM (SELECT ${id} AS id, ${ORDINAL} AS ordinal, min(${ORDINAL}) OVER (PARTITION BY ${same}) AS first FROM ${typedTable(loaded.table)}) AS dup
     JOIN ${rawTable(loaded.table)} AS raw ON raw.rowid = dup.ordinal
     WHERE dup.ordinal <> dup.first ORDER BY dup.ordinal LIMIT ${NAMED_ROWS}`,
  );
  if (rows.length === 0) return [];
  const locate = await createRowLocator(connection, loaded);
  const problems: string[] = [];
  for (const row of rows) {
    const [first] = await queryRows(
      connection,
      `SELECT ${locationColumns(loaded)} FROM ${rawTable(loaded.table)} AS raw WHERE raw.rowid = ${String(row.first)}`,
    );
    const what = time === undefined ? 'occurs' : `occurs with the same ${time}`;
    problems.push(`${locate(key, row)}: '${String(row.id)}' ${what} before, at ${locate(key, first!)}`);
  }
  const more = Number(rows[0]!.total) - rows.length;
  return more > 0 ? [...problems, `${columnOf(loaded, key)}: … and ${more} more duplicate rows`] : problems;
}

/** Table, files and column of a problem that no single row has. */
export function columnOf(loaded: LoadedTable, column: string): string {
  return `${loaded.table}: ${listPaths(loaded.files) || 'the SQL'}, ${nameColumn(loaded, column)}`;
}

/** A locator over a loaded table. Rows are counted from 1 in each file, the header of a CSV file not counted. */
export async function createRowLocator(
  connection: DuckDBConnection,
  loaded: LoadedTable,
): Promise<RowLocator> {
  if (!loaded.query.hasRows) {
    return (column, row) => `${columnOf(loaded, column)}, row ${String(row.row)} of the query's result`;
  }
  const skipped = new Map<string, number>();
  for (const sql of loaded.query.skippedRows) {
    for (const row of await queryRows(connection, sql)) skipped.set(String(row.file), Number(row.skipped));
  }
  return (column, { file, row }) => {
    const rowInFile = Number(row) - (skipped.get(String(file)) ?? 0);
    return `${loaded.table}: ${String(file)}, ${nameColumn(loaded, column)}, row ${rowInFile}`;
  };
}

function nameColumn(loaded: LoadedTable, column: string): string {
  const origin = loaded.origins.get(column);
  return origin === undefined || origin.toLowerCase() === column.toLowerCase()
    ? `column ${column}`
    : `column ${origin} (${column})`;
}

import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteLiteral } from '../database.js';
import { createUseTest } from './check-parquet-columns.js';
import type { FileKind, FileReader, TableFile } from './file-readers.js';
import type { SelectTree } from './select-tree.js';
import { findColumns, optionsOf } from './reader-node.js';
import type { TableRequest } from './table-request.js';

/** Lines among which the header of a CSV file stands. */
const HEADER_LINES = 100;

/**
 * Columns of CSV and JSON files whose names SQL cannot tell apart. DuckDB calls the second one `name_1`, and reads the
 * first for both without a word. Only columns that the SQL uses are looked at.
 */
export async function checkTextColumns(
  connection: DuckDBConnection,
  readers: readonly FileReader[],
  options: { request: TableRequest; tree: SelectTree; files: readonly TableFile[] },
): Promise<string[]> {
  const { request, tree } = options;
  const isUsed = createUseTest(tree.root, request);
  const problems: string[] = [];
  for (const reader of readers) {
    if (reader.kind === 'parquet' || optionsOf(reader.node).some((name) => NAMING.has(name))) continue;
    for (const { base, renamed } of await findCandidates(connection, reader)) {
      if (!isUsed(base) && !isUsed(renamed)) continue;
      const files = options.files.filter(({ kind }) => kind === reader.kind);
      if (await isWritten(connection, files, renamed)) continue;
      problems.push(
        `${request.table}: ${reader.patterns.join(', ')}: two of its columns are called ${base}; rename one where it is written` +
          (reader.kind === 'csv' ? ', or name all columns in read_csv: names = […]' : ''),
      );
    }
  }
  return problems;
}

/** Options that give the columns their names. */
const NAMING = new Set(['names', 'column_names', 'columns']);

/** Columns that may have got their name from DuckDB. */
async function findCandidates(
  connection: DuckDBConnection,
  reader: FileReader,
): Promise<{ base: string; renamed: string }[]> {
  const columns = await findColumns(connection, reader.node);
  const known = new Map(columns.map((column) => [column.toLowerCase(), column]));
  return columns.flatMap((renamed) => {
    const base = known.get(renamed.toLowerCase().replace(/_\d+$/, ''));
    return base === undefined || base === renamed ? [] : [{ base, renamed }];
  });
}

/** Whether one of the files has that name itself; where that cannot be seen, it is believed. */
async function isWritten(
  connection: DuckDBConnection,
  files: readonly TableFile[],
  name: string,
): Promise<boolean> {
  for (const { kind, path } of files) {
    try {
      const [row] = await queryRows(connection, selectWritten(kind, quoteLiteral(path), name));
      if (row!.written !== false) return true;
    } catch {
      return true;
    }
  }
  return false;
}

function selectWritten(kind: FileKind, file: string, name: string): string {
  if (kind === 'json')
    return `SELECT bool_or(list_contains(json_keys(json), ${quoteLiteral(name)})) AS written FROM read_json_objects(${file})`;
  return `SELECT bool_or(contains(lower(line), ${quoteLiteral(name.toLowerCase())})) AS written FROM (
    SELECT line FROM read_csv(${file}, columns = {line: 'VARCHAR'}, auto_detect = false, header = false,
      delim = '\x01', quote = '', escape = '', strict_mode = false, ignore_errors = true) LIMIT ${HEADER_LINES})`;
}

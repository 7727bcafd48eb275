import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier, quoteLiteral, type Row } from '../database.js';
import type { FileReader } from './file-readers.js';
import { NAMED_ROWS } from './load-failures.js';
import { walkTree, type SelectTree, type TreeNode } from './select-tree.js';
import { findColumnTypes, listFolderColumns, optionsOf } from './reader-node.js';
import type { TableRequest } from './table-request.js';
import { kindOf, textOf } from './typed-columns.js';

/** A parquet column at the top level of its file. */
interface FileColumn {
  readonly file: string;
  readonly name: string;
  /** Equal for equal types, those of nested columns included. */
  readonly signature: string;
}

/**
 * Lists columns that DuckDB would silently read wrong: it takes a column for another one whose name differs
 * only in case, and casts a column to the type that it has in the first file, 3.5 to 4. Only columns that the
 * SQL uses are looked at.
 */
export async function checkParquetColumns(
  connection: DuckDBConnection,
  readers: readonly FileReader[],
  options: { request: TableRequest; tree: SelectTree },
): Promise<string[]> {
  const isUsed = createUseTest(options.tree.root, options.request);
  const problems: string[] = [];
  for (const reader of readers.filter(({ kind }) => kind === 'parquet')) {
    const all = await listFileColumns(connection, reader);
    const columns = all.filter(({ name }) => isUsed(name));
    problems.push(...findSameNames(columns), ...(await findLossyCasts(connection, reader, columns)));
    if (options.request.wholeFiles) problems.push(...findIncompleteFiles(all, options.request));
  }
  return problems.map((problem) => `${options.request.table}: ${problem}`);
}

/** Files that lack a required column, unless a folder of their path gives it. */
function findIncompleteFiles(columns: readonly FileColumn[], request: TableRequest): string[] {
  const required = [...request.keys, ...request.required];
  const known = new Map(columns.map(({ file }) => [file, listFolderColumns(file)]));
  for (const { file, name } of columns) known.get(file)!.add(name.toLowerCase());
  return [...known].flatMap(([file, names]) => {
    return required
      .filter((column) => !names.has(column.toLowerCase()))
      .map((column) => `${file}: has no column ${column}, which other files have`);
  });
}

/**
 * Makes a test for whether the SQL of a table uses a column; a star uses the columns that are wanted of the
 * table.
 */
export function createUseTest(root: TreeNode, request: TableRequest): (column: string) => boolean {
  const nodes = [...walkTree(root)];
  const named = nodes
    .filter((node) => node.type === 'COLUMN_REF')
    .flatMap((node) => node.column_names as string[]);
  const wanted = [...request.keys, ...request.required, ...request.optional];
  const hasStar = nodes.some((node) => node.type === 'STAR');
  const used = new Set([...named, ...(hasStar ? wanted : [])].map((name) => name.toLowerCase()));
  return (column) => used.has(column.toLowerCase());
}

async function listFileColumns(connection: DuckDBConnection, reader: FileReader): Promise<FileColumn[]> {
  const patterns = reader.patterns.map(quoteLiteral).join(', ');
  const rows = await queryRows(
    connection,
    `SELECT file_name, name, num_children, duckdb_type FROM parquet_schema([${patterns}]) ORDER BY file_name, column_id`,
  );
  const columns: FileColumn[] = [];
  for (let position = 0; position < rows.length;) {
    const file = String(rows[position]!.file_name);
    let left = Number(rows[position]!.num_children);
    position++;
    for (; left > 0; left--) {
      const end = endOfColumn(rows, position);
      const types = rows.slice(position, end).map((row) => `${String(row.name)} ${String(row.duckdb_type)}`);
      columns.push({ file, name: String(rows[position]!.name), signature: types.join() });
      position = end;
    }
  }
  return columns;
}

/** The schema of a file lists a nested column before its parts. */
function endOfColumn(rows: readonly Row[], start: number): number {
  let end = start;
  for (let left = 1; left > 0; end++) left += Number(rows[end]!.num_children ?? 0) - 1;
  return end;
}

function findSameNames(columns: readonly FileColumn[]): string[] {
  const firsts = new Map<string, FileColumn>();
  return columns.flatMap((column) => {
    const key = JSON.stringify([column.file, column.name.toLowerCase()]);
    const first = firsts.get(key);
    firsts.set(key, first ?? column);
    if (first === undefined) return [];
    return [
      `${column.file}: SQL cannot tell column ${column.name} from column ${first.name}; rename one where it is written`,
    ];
  });
}

async function findLossyCasts(
  connection: DuckDBConnection,
  reader: FileReader,
  columns: readonly FileColumn[],
): Promise<string[]> {
  const mixed = columns.filter(({ name, signature }) =>
    columns.some((other) => other.name === name && other.signature !== signature),
  );
  if (mixed.length === 0) return [];
  const types = await findColumnTypes(connection, reader.node);
  const remedy = optionsOf(reader.node).includes('union_by_name')
    ? 'write the column with one type in all files'
    : 'say union_by_name = true, or select each file with its own CAST';
  const problems: string[] = [];
  for (const { file, name } of mixed) {
    const becomes = types.get(name);
    if (becomes !== undefined)
      problems.push(...(await findChangedValues(connection, file, { name, becomes, remedy })));
  }
  return problems;
}

/** Values of a file that are others once they are cast to the type of the whole reader. */
async function findChangedValues(
  connection: DuckDBConnection,
  file: string,
  options: { name: string; becomes: string; remedy: string },
): Promise<string[]> {
  const { name, becomes, remedy } = options;
  const column = quoteIdentifier(name);
  const from = `read_parquet(${quoteLiteral(file)})`;
  const [described] = await queryRows(connection, `DESCRIBE SELECT ${column} FROM ${from}`);
  const type = String(described!.column_type);
  if (type === becomes) return [];
  const cast = `TRY_CAST(${column} AS ${becomes})`;
  const isOther = `TRY_CAST(${cast} AS ${type}) IS DISTINCT FROM ${column}`;
  const isOtherText =
    becomes === 'VARCHAR' ? `${cast} IS DISTINCT FROM ${textOf(kindOf(type), column)}` : 'false';
  const rows = await queryRows(
    connection,
    `SELECT file_row_number + 1 AS row, CAST(${column} AS VARCHAR) AS value, coalesce(CAST(${cast} AS VARCHAR), 'no value') AS other,
       count(*) OVER () AS total
     FROM ${from} WHERE ${column} IS NOT NULL AND (${isOther} OR ${isOtherText}) ORDER BY row LIMIT ${NAMED_ROWS}`,
  );
  const at = `${file}, column ${name}`;
  const problems = rows.map(
    ({ row, value, other }) =>
      `${at}, row ${String(row)}: ${String(value)} (${type}) would be read as ${String(other)} (${becomes}), as other files have it; ${remedy}`,
  );
  const more = Number(rows[0]?.total ?? 0) - rows.length;
  return more > 0 ? [...problems, `${at}: … and ${more} more rows like these`] : problems;
}

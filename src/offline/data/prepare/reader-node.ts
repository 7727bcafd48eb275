import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteLiteral } from '../database.js';
import { findFileReaders, type FileReader } from './file-readers.js';
import { escapeGlob } from './list-files.js';
import { findPlainColumn, formatSelect, outputName, parseSelect } from './select-tree.js';
import type { SelectNode, TreeNode } from './select-tree.js';

/** The columns of a file reader, or none when it cannot be read: the query itself then fails with the reason. */
export async function findColumns(connection: DuckDBConnection, reader: TreeNode): Promise<string[]> {
  return [...(await findColumnTypes(connection, reader)).keys()];
}

/** DuckDB's type of each column of a file reader; none when it cannot be read. */
export async function findColumnTypes(
  connection: DuckDBConnection,
  reader: TreeNode,
): Promise<Map<string, string>> {
  try {
    const rows = await queryRows(connection, `DESCRIBE ${await selectAllFrom(connection, reader)}`);
    return new Map(rows.map((row) => [String(row.column_name), String(row.column_type)]));
  } catch {
    return new Map();
  }
}

/** The column of the reader that an output column is, as far as it is one; star columns keep their name. */
export function findColumnOf(branch: SelectNode, output: string): string | undefined {
  const expression = branch.select_list.find(
    (each) => outputName(each)?.toLowerCase() === output.toLowerCase(),
  );
  if (expression !== undefined) return findPlainColumn(expression);
  return branch.select_list.some((each) => each.type === 'STAR') ? output : undefined;
}

/** Columns that the folders of a path give, `genre` of `genre=Drama/1.parquet`, in lower case. */
export function listFolderColumns(path: string): Set<string> {
  const folders = path.matchAll(/(?<=[/\\])([^/\\=]+)=(?=[^/\\]*[/\\])/g);
  return new Set([...folders].map(([, name]) => name!.toLowerCase()));
}

/**
 * The options that a query gives to a reader, by name in lower case, and the names that it gives to the
 * columns.
 */
export type ReaderOptions = Readonly<Record<string, unknown>> & {
  readonly alias?: readonly string[] | undefined;
};

/** Names of the options that a query gives to a reader, in lower case. */
export function optionsOf(reader: TreeNode): string[] {
  return listOptions(reader).map(optionName);
}

/** The options that a query gives to a reader, with their values; those that are no constants have none. */
export async function readOptions(connection: DuckDBConnection, reader: TreeNode): Promise<ReaderOptions> {
  const said: Record<string, unknown> = {};
  for (const option of listOptions(reader)) {
    const value = option.type === 'COMPARE_EQUAL' ? (option.right as TreeNode) : option;
    said[optionName(option)] = await evaluate(connection, value);
  }
  const alias = reader.column_name_alias as string[] | undefined;
  return { ...said, ...(alias !== undefined && alias.length > 0 && { alias }) };
}

/** The paths and globs of a reader, also when the query computes them. */
export async function readPatterns(
  connection: DuckDBConnection,
  { node, patterns }: FileReader,
): Promise<readonly string[]> {
  if (node.type !== 'TABLE_FUNCTION') return patterns;
  const [argument] = (node.function as TreeNode).children as TreeNode[];
  const value = argument === undefined ? undefined : await evaluate(connection, argument);
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.map(String) : patterns;
}

/** Undefined for what has no value outside of its query. */
async function evaluate(connection: DuckDBConnection, expression: TreeNode): Promise<unknown> {
  const { root } = await parseSelect(connection, 'SELECT 1');
  const sql = await formatSelect(connection, { ...root, select_list: [{ ...expression, alias: 'said' }] });
  try {
    const [row] = await queryRows(connection, sql);
    return row?.said;
  } catch {
    return undefined;
  }
}

/** The text of an option; empty when it is not given. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function listOptions(reader: TreeNode): TreeNode[] {
  if (reader.type !== 'TABLE_FUNCTION') return [];
  return ((reader.function as TreeNode).children as TreeNode[]).slice(1);
}

/** `name = value`, or `name := value`. */
function optionName(option: TreeNode): string {
  const name = option.type === 'COMPARE_EQUAL' ? findPlainColumn(option.left as TreeNode) : option.alias;
  return (name ?? '').toLowerCase();
}

/** Says `name = value` to a reader, in the place of what the query says; `value` is an SQL expression. */
export async function setOption(
  connection: DuckDBConnection,
  reader: FileReader,
  options: { name: string; value: string },
): Promise<void> {
  const { node } = reader;
  if (node.type === 'TABLE_FUNCTION') {
    const call = node.function as TreeNode;
    const [files] = call.children as TreeNode[];
    call.children = [files, ...listOptions(node).filter((option) => optionName(option) !== options.name)];
  }
  await addOption(connection, reader, options);
}

/** Has a reader read these files, in the place of the patterns of the query. */
export async function setFiles(
  connection: DuckDBConnection,
  reader: FileReader,
  paths: readonly string[],
): Promise<void> {
  const list = paths.map((path) => quoteLiteral(escapeGlob(path))).join(', ');
  const { root } = await parseSelect(connection, `SELECT * FROM read_${reader.kind}([${list}])`);
  const template = (root as SelectNode).from_table;
  if (reader.node.type !== 'TABLE_FUNCTION') {
    Object.assign(reader.node, template, { alias: reader.node.alias || aliasOf(reader) });
    return;
  }
  const call = reader.node.function as TreeNode;
  const [files] = (template.function as TreeNode).children as TreeNode[];
  call.children = [files, ...listOptions(reader.node)];
}

/** Adds `name = value` to a reader; `value` is an SQL expression. */
export async function addOption(
  connection: DuckDBConnection,
  reader: FileReader,
  options: { name: string; value: string },
): Promise<void> {
  const { node, kind } = reader;
  const { root } = await parseSelect(
    connection,
    `SELECT * FROM read_${kind}('file', ${options.name} = ${options.value})`,
  );
  const template = (root as SelectNode).from_table;
  const [file, option] = (template.function as TreeNode).children as [TreeNode, TreeNode];
  if (node.type === 'TABLE_FUNCTION') {
    ((node.function as TreeNode).children as TreeNode[]).push(option);
    return;
  }
  (file.value as TreeNode).value = node.table_name;
  Object.assign(node, template, { alias: node.alias || aliasOf(reader) });
}

/** Adds `name = value` to every call of read_csv in a tree; `value` is an SQL expression. */
export async function addCsvOption(
  connection: DuckDBConnection,
  root: TreeNode,
  options: { name: string; value: string },
): Promise<void> {
  for (const reader of findFileReaders(root)) {
    if (reader.kind === 'csv') await addOption(connection, reader, options);
  }
}

/** DuckDB lets a query name an unaliased reader by its function or by its file without folder and ending. */
export function aliasOf(reader: FileReader): string {
  if (reader.node.type === 'TABLE_FUNCTION') return String((reader.node.function as TreeNode).function_name);
  return reader.patterns[0]!.replace(/^.*[/\\]/, '').replace(/\..*$/, '');
}

async function selectAllFrom(connection: DuckDBConnection, reader: TreeNode): Promise<string> {
  const { root } = await parseSelect(connection, 'SELECT * FROM source');
  return formatSelect(connection, { ...root, from_table: reader });
}

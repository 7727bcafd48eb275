import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows } from '../database.js';
import { findFileSources, type FileSource } from './file-sources.js';
import { findPlainColumn, formatSelect, outputName, parseSelect } from './select-tree.js';
import type { SelectNode, TreeNode } from './select-tree.js';

/** The columns of a file source, or none when it cannot be read: the query itself then fails with the reason. */
export async function findColumns(connection: DuckDBConnection, source: TreeNode): Promise<string[]> {
  return [...(await findColumnTypes(connection, source)).keys()];
}

/** DuckDB's type of each column of a file source; none when it cannot be read. */
export async function findColumnTypes(
  connection: DuckDBConnection,
  source: TreeNode,
): Promise<Map<string, string>> {
  try {
    const rows = await queryRows(connection, `DESCRIBE ${await selectAllFrom(connection, source)}`);
    return new Map(rows.map((row) => [String(row.column_name), String(row.column_type)]));
  } catch {
    return new Map();
  }
}

/** The column of the source that an output column is, as far as it is one; star columns keep their name. */
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

/** Names of the options that a query gives to a reader, in lower case. */
export function optionsOf(source: TreeNode): string[] {
  if (source.type !== 'TABLE_FUNCTION') return [];
  const named = ((source.function as TreeNode).children as TreeNode[]).slice(1);
  return named.map((option) => (findPlainColumn(option.left as TreeNode) ?? '').toLowerCase());
}

/** Adds `name = value` to a reader; `value` is an SQL expression. */
export async function addOption(
  connection: DuckDBConnection,
  source: FileSource,
  options: { name: string; value: string },
): Promise<void> {
  const { node, kind } = source;
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
  Object.assign(node, template, { alias: node.alias || aliasOf(source) });
}

/** Adds `name = value` to every call of read_csv in a tree; `value` is an SQL expression. */
export async function addCsvOption(
  connection: DuckDBConnection,
  root: TreeNode,
  options: { name: string; value: string },
): Promise<void> {
  for (const source of findFileSources(root)) {
    if (source.kind === 'csv') await addOption(connection, source, options);
  }
}

/** DuckDB lets a query name an unaliased source by its function or by its file without folder and ending. */
export function aliasOf(source: FileSource): string {
  if (source.node.type === 'TABLE_FUNCTION') return String((source.node.function as TreeNode).function_name);
  return source.patterns[0]!.replace(/^.*[/\\]/, '').replace(/\..*$/, '');
}

async function selectAllFrom(connection: DuckDBConnection, source: TreeNode): Promise<string> {
  const { root } = await parseSelect(connection, 'SELECT * FROM source');
  return formatSelect(connection, { ...root, from_table: source });
}

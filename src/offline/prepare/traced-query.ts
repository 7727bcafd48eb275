import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier, quoteLiteral } from '../database.js';
import { asFileSource, findFileSources, type FileSource } from './file-sources.js';
import { branchesOf, findPlainColumn, formatSelect, outputName, parseSelect } from './select-tree.js';
import type { SelectNode, SelectTree, TreeNode } from './select-tree.js';

/** Columns that a traced query has beside its own: the file of a row and its 1-based number among the rows read. */
export const FILE_COLUMN = 'shortlist_file';
export const ROW_COLUMN = 'shortlist_row';

/** A dataset's SQL, changed so that what it gives can be traced to the files. */
export interface TracedQuery {
  readonly sql: string;
  /** True when the result has FILE_COLUMN and ROW_COLUMN. */
  readonly hasRows: boolean;
  /** Queries that give `file` and `skipped`: how many rows of earlier files ROW_COLUMN counts before a file begins. */
  readonly skippedRows: readonly string[];
  /** Output columns whose CSV text was kept instead of the number that DuckDB guessed. */
  readonly textColumns: readonly string[];
}

const CSV_TYPE_OPTIONS = new Set(['types', 'dtypes', 'column_types', 'columns', 'all_varchar']);

/**
 * Changes a query over files in two ways, as far as its shape allows. Ids from CSV files are read as text: DuckDB would
 * read 007 as 7. And every row says which file it comes from and where it stands there, for queries that neither join,
 * group nor deduplicate (UNION ALL of such queries included).
 *
 * @returns variants of the query, best first, ending in the query as given; the first that binds is the one to run
 */
export async function traceQuery(
  connection: DuckDBConnection,
  sql: string,
  options: { tree: SelectTree; keys: readonly string[] },
): Promise<TracedQuery[]> {
  const plain = { sql, hasRows: false, skippedRows: [], textColumns: [] };
  if (!options.tree.exact) return [plain];
  const withText = structuredClone(options.tree.root);
  const textColumns = await keepIdText(connection, withText, options);
  const variants: TracedQuery[] = [];
  for (const [root, columns] of [
    [withText, textColumns],
    [structuredClone(options.tree.root), []],
  ] as const) {
    const untraced = columns.length > 0 ? await formatSelect(connection, root) : sql;
    const skippedRows = await addRowColumns(connection, root);
    if (skippedRows !== undefined) {
      const traced = await formatSelect(connection, root);
      variants.push({ sql: traced, hasRows: true, skippedRows, textColumns: columns });
    }
    variants.push({ sql: untraced, hasRows: false, skippedRows: [], textColumns: columns });
  }
  return variants;
}

/** The SQL of a query that gives all columns of one source as it is. */
export async function selectAllFrom(connection: DuckDBConnection, source: TreeNode): Promise<string> {
  const { root } = await parseSelect(connection, 'SELECT * FROM source');
  return formatSelect(connection, { ...root, from_table: source });
}

/** Adds `name = value` to every call of read_csv in a tree; `value` is an SQL expression. */
export async function addCsvOption(
  connection: DuckDBConnection,
  root: TreeNode,
  options: { name: string; value: string },
): Promise<void> {
  for (const { kind, node } of findFileSources(root)) {
    if (kind === 'csv') await addOption(connection, node, options);
  }
}

async function keepIdText(
  connection: DuckDBConnection,
  root: TreeNode,
  options: { keys: readonly string[] },
): Promise<string[]> {
  const kept = new Set<string>();
  for (const branch of branchesOf(root)) {
    const source = asFileSource(branch.from_table);
    if (source?.kind !== 'csv' || optionsOf(source.node).some((name) => CSV_TYPE_OPTIONS.has(name))) continue;
    const columns = await idColumns(connection, branch, { source, keys: options.keys });
    if (columns.length === 0) continue;
    const types = columns.map(({ column }) => `${quoteIdentifier(column)}: 'VARCHAR'`).join(', ');
    await addOption(connection, branch.from_table, { name: 'types', value: `{${types}}` });
    for (const { key } of columns) kept.add(key);
  }
  return [...kept];
}

/** Which columns of a CSV source are the ids of a result, under the names the file has. */
async function idColumns(
  connection: DuckDBConnection,
  branch: SelectNode,
  options: { source: FileSource; keys: readonly string[] },
): Promise<{ key: string; column: string }[]> {
  const inFile = await findColumns(connection, options.source.node);
  return options.keys.flatMap((key) => {
    const column = findColumnOf(branch, key)?.toLowerCase();
    const name = inFile.find((candidate) => candidate.toLowerCase() === column);
    return name === undefined ? [] : [{ key, column: name }];
  });
}

/** The column of the source that an output column is, as far as it is one; star columns keep their name. */
export function findColumnOf(branch: SelectNode, output: string): string | undefined {
  const expression = branch.select_list.find(
    (each) => outputName(each)?.toLowerCase() === output.toLowerCase(),
  );
  if (expression !== undefined) return findPlainColumn(expression);
  return branch.select_list.some((each) => each.type === 'STAR') ? output : undefined;
}

/** The columns of a file source, or none when it cannot be read: the query itself then fails with the reason. */
export async function findColumns(connection: DuckDBConnection, source: TreeNode): Promise<string[]> {
  try {
    const rows = await queryRows(connection, `DESCRIBE ${await selectAllFrom(connection, source)}`);
    return rows.map((row) => String(row.column_name));
  } catch {
    return [];
  }
}

/** Makes every branch give FILE_COLUMN and ROW_COLUMN; undefined, with the tree unusable, when a branch cannot. */
async function addRowColumns(connection: DuckDBConnection, root: TreeNode): Promise<string[] | undefined> {
  const branches = branchesOf(root);
  const skippedRows: string[] = [];
  for (const branch of branches) {
    const source = asFileSource(branch.from_table);
    if (source === undefined || !keepsRows(branch)) return undefined;
    if (source.kind === 'parquet') await addParquetRows(connection, branch, source);
    else skippedRows.push(await addCountedRows(connection, branch, source));
  }
  return branches.length > 0 ? skippedRows : undefined;
}

function keepsRows(branch: SelectNode): boolean {
  return (
    branch.group_expressions.length === 0 &&
    // GROUP BY ALL would group by the added columns as well.
    branch.aggregate_handling === 'STANDARD_HANDLING' &&
    branch.modifiers.every((modifier) => modifier.type !== 'DISTINCT_MODIFIER') &&
    branch.from_table.sample === null
  );
}

/** Parquet files know the number of a row: filters still reach the file. */
async function addParquetRows(
  connection: DuckDBConnection,
  branch: SelectNode,
  source: FileSource,
): Promise<void> {
  const file = await fileExpression(connection, source);
  branch.select_list.push(
    ...(await parseColumns(connection, `${file} AS ${FILE_COLUMN}, file_row_number + 1 AS ${ROW_COLUMN}`)),
  );
}

/** For other files the rows are counted as they are read, below any filter. Returns the query of `skippedRows`. */
async function addCountedRows(
  connection: DuckDBConnection,
  branch: SelectNode,
  source: FileSource,
): Promise<string> {
  const file = await fileExpression(connection, source);
  const counted = `SELECT *, ${file} AS ${FILE_COLUMN}, row_number() OVER () AS ${ROW_COLUMN} FROM source`;
  const { root } = await parseSelect(
    connection,
    `SELECT ${FILE_COLUMN}, ${ROW_COLUMN} FROM (${counted}) AS source`,
  );
  const outer = root as SelectNode;
  const inner = (outer.from_table.subquery as { node: SelectNode }).node;
  inner.from_table = { ...source.node, alias: '' };
  branch.from_table = { ...outer.from_table, alias: source.node.alias || aliasOf(source) };
  branch.select_list.push(...outer.select_list);
  return `SELECT ${FILE_COLUMN} AS file, min(${ROW_COLUMN}) - 1 AS skipped
    FROM (${await formatSelect(connection, inner)}) GROUP BY ALL`;
}

async function parseColumns(connection: DuckDBConnection, columns: string): Promise<TreeNode[]> {
  const { root } = await parseSelect(connection, `SELECT ${columns} FROM source`);
  return (root as SelectNode).select_list;
}

/** DuckDB's virtual column `filename`, unless the data has a column of that name. */
async function fileExpression(connection: DuckDBConnection, source: FileSource): Promise<string> {
  const columns = await findColumns(connection, source.node);
  const taken = columns.some((column) => column.toLowerCase() === 'filename');
  return taken ? quoteLiteral(source.patterns.join(', ')) : 'filename';
}

/** DuckDB lets a query name an unaliased source by its function or by its file without folder and ending. */
function aliasOf(source: FileSource): string {
  if (source.node.type === 'TABLE_FUNCTION') return String((source.node.function as TreeNode).function_name);
  return source.patterns[0]!.replace(/^.*[/\\]/, '').replace(/\..*$/, '');
}

function optionsOf(source: TreeNode): string[] {
  if (source.type !== 'TABLE_FUNCTION') return [];
  const named = ((source.function as TreeNode).children as TreeNode[]).slice(1);
  return named.map((option) => (findPlainColumn(option.left as TreeNode) ?? '').toLowerCase());
}

async function addOption(
  connection: DuckDBConnection,
  source: TreeNode,
  options: { name: string; value: string },
): Promise<void> {
  const { root } = await parseSelect(
    connection,
    `SELECT * FROM read_csv('file', ${options.name} = ${options.value})`,
  );
  const template = (root as SelectNode).from_table;
  const [file, option] = (template.function as TreeNode).children as [TreeNode, TreeNode];
  if (source.type === 'TABLE_FUNCTION') {
    ((source.function as TreeNode).children as TreeNode[]).push(option);
    return;
  }
  (file.value as TreeNode).value = source.table_name;
  Object.assign(source, template, {
    alias: source.alias || aliasOf({ node: source, kind: 'csv', patterns: [String(source.table_name)] }),
  });
}

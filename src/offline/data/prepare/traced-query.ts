import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteLiteral } from '../database.js';
import { asFileReader, type FileReader } from './file-readers.js';

import { branchesOf, formatSelect, parseSelect } from './select-tree.js';
import type { SelectNode, SelectTree, TreeNode } from './select-tree.js';
import { settleTypes } from './settle-types.js';
import { aliasOf, findColumns } from './reader-node.js';
import type { TableRequest } from './table-request.js';

/** Columns that a traced query has beside its own: the file of a row and its 1-based number among the rows read. */
export const FILE_COLUMN = 'shortlist_file';
/** The second of them: the number of a row. */
export const ROW_COLUMN = 'shortlist_row';

/** A dataset's SQL, changed so that what it gives can be traced to the files. */
export interface TracedQuery {
  readonly sql: string;
  /** True when the result has FILE_COLUMN and ROW_COLUMN. */
  readonly hasRows: boolean;
  /** Queries that give `file` and `skipped`: how many rows of earlier files ROW_COLUMN counts before a file begins. */
  readonly skippedRows: readonly string[];
}

/**
 * Changes a query over files in two ways, as far as its shape allows. Ids, numbers and other texts are read as they are
 * written: DuckDB would read 007 as 7. And every row says which file it comes from and where it stands there, for queries that neither join,
 * group nor deduplicate (UNION ALL of such queries included).
 *
 * @returns variants of the query, best first, ending in the query as given; the first that binds is the one to run
 */
export async function traceQuery(
  connection: DuckDBConnection,
  request: TableRequest,
  options: { tree: SelectTree },
): Promise<TracedQuery[]> {
  const { sql } = request;
  const withText = structuredClone(options.tree.root);
  await settleTypes(connection, withText, request);
  const variants: TracedQuery[] = [];
  for (const root of [withText, structuredClone(options.tree.root)]) {
    const untraced = root === withText ? await formatSelect(connection, root) : sql;
    const skippedRows = await addRowColumns(connection, root);
    if (skippedRows !== undefined) {
      const traced = await formatSelect(connection, root);
      variants.push({ sql: traced, hasRows: true, skippedRows });
    }
    variants.push({ sql: untraced, hasRows: false, skippedRows: [] });
  }
  return variants;
}

/** Makes every branch give FILE_COLUMN and ROW_COLUMN; undefined, with the tree unusable, when a branch cannot. */
async function addRowColumns(connection: DuckDBConnection, root: TreeNode): Promise<string[] | undefined> {
  const branches = branchesOf(root);
  const skippedRows: string[] = [];
  for (const branch of branches) {
    const source = asFileReader(branch.from_table);
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
  reader: FileReader,
): Promise<void> {
  const file = await fileExpression(connection, reader);
  branch.select_list.push(
    ...(await parseColumns(connection, `${file} AS ${FILE_COLUMN}, file_row_number + 1 AS ${ROW_COLUMN}`)),
  );
}

/** For other files the rows are counted as they are read, below any filter. Returns the query of `skippedRows`. */
async function addCountedRows(
  connection: DuckDBConnection,
  branch: SelectNode,
  reader: FileReader,
): Promise<string> {
  const file = await fileExpression(connection, reader);
  const counted = `SELECT *, ${file} AS ${FILE_COLUMN}, row_number() OVER () AS ${ROW_COLUMN} FROM source`;
  const { root } = await parseSelect(
    connection,
    `SELECT ${FILE_COLUMN}, ${ROW_COLUMN} FROM (${counted}) AS source`,
  );
  const outer = root as SelectNode;
  const inner = (outer.from_table.subquery as { node: SelectNode }).node;
  inner.from_table = { ...reader.node, alias: '' };
  branch.from_table = { ...outer.from_table, alias: reader.node.alias || aliasOf(reader) };
  branch.select_list.push(...outer.select_list);
  return `SELECT ${FILE_COLUMN} AS file, min(${ROW_COLUMN}) - 1 AS skipped
    FROM (${await formatSelect(connection, inner)}) GROUP BY ALL`;
}

async function parseColumns(connection: DuckDBConnection, columns: string): Promise<TreeNode[]> {
  const { root } = await parseSelect(connection, `SELECT ${columns} FROM source`);
  return (root as SelectNode).select_list;
}

/** DuckDB's virtual column `filename`, unless the data has a column of that name. */
async function fileExpression(connection: DuckDBConnection, reader: FileReader): Promise<string> {
  const columns = await findColumns(connection, reader.node);
  const taken = columns.some((column) => column.toLowerCase() === 'filename');
  return taken ? quoteLiteral(reader.patterns.join(', ')) : 'filename';
}

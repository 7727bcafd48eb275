import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteLiteral } from '../database.js';

/** A node of DuckDB's own parse tree (json_serialize_sql); only the parts that are read here are named. */
export interface TreeNode {
  [key: string]: unknown;
  type?: string;
  alias?: string;
}

/** `SELECT … FROM …` in the tree. */
export interface SelectNode extends TreeNode {
  modifiers: TreeNode[];
  select_list: TreeNode[];
  from_table: TreeNode;
  group_expressions: unknown[];
}

/** One SELECT statement as a tree. */
export interface SelectTree {
  readonly root: TreeNode;
}

/** Marks the digits of a number that no JavaScript number holds, so that they come back as they were. */
const DIGITS = '\u{F0000}';

// The types of Node 20 do not have the source text of numbers; Node has it since 21.
const exactJson = JSON as unknown as {
  parse(
    text: string,
    revive: (key: string, value: unknown, context: { source?: string }) => unknown,
  ): unknown;
  stringify(value: unknown, replace: (key: string, value: unknown) => unknown): string;
  rawJSON(text: string): unknown;
};

/**
 * Parses one SELECT with DuckDB's parser.
 *
 * @throws {Error} with the parser's message, or when the text is not exactly one SELECT
 */
export async function parseSelect(connection: DuckDBConnection, sql: string): Promise<SelectTree> {
  const [row] = await queryRows(connection, `SELECT json_serialize_sql(${quoteLiteral(sql)}) AS tree`);
  const json = String(row!.tree).replaceAll(/"query_location":\d+/g, '"query_location":0');
  const parsed = exactJson.parse(json, (_, value, { source }) =>
    typeof value === 'number' && String(value) !== source ? `${DIGITS}${source}` : value,
  ) as {
    error: boolean;
    error_message?: string;
    statements: { node: TreeNode }[];
  };
  if (parsed.error) throw new Error(parsed.error_message);
  if (parsed.statements.length !== 1)
    throw new Error(`${parsed.statements.length} statements where one is wanted`);
  return { root: parsed.statements[0]!.node };
}

/** The SQL text of a tree. */
export async function formatSelect(connection: DuckDBConnection, root: TreeNode): Promise<string> {
  const statement = { error: false, statements: [{ node: root, named_param_map: [] }] };
  const json = exactJson.stringify(statement, (_, value) =>
    typeof value === 'string' && value.startsWith(DIGITS)
      ? exactJson.rawJSON(value.slice(DIGITS.length))
      : value,
  );
  const [row] = await queryRows(connection, `SELECT json_deserialize_sql(${quoteLiteral(json)}) AS sql`);
  return String(row!.sql);
}

/** Every object of a tree, parents before children. */
export function* walkTree(value: unknown): Generator<TreeNode> {
  if (Array.isArray(value)) for (const element of value) yield* walkTree(element);
  else if (value !== null && typeof value === 'object') {
    yield value as TreeNode;
    for (const child of Object.values(value)) yield* walkTree(child);
  }
}

/** The SELECTs directly over their FROM: the statement itself, or each branch of its UNION ALLs; empty for all else. */
export function branchesOf(node: TreeNode): SelectNode[] {
  if (node.type === 'SELECT_NODE') return [node as SelectNode];
  if (node.type !== 'SET_OPERATION_NODE' || node.setop_type !== 'UNION' || node.setop_all !== true) return [];
  const branches = [node.left, node.right].map((side) => branchesOf(side as TreeNode));
  return branches.every((side) => side.length > 0) ? branches.flat() : [];
}

/** The column an expression is, also through casts; undefined for anything computed. */
export function findPlainColumn(expression: TreeNode): string | undefined {
  if (expression.type === 'OPERATOR_CAST') return findPlainColumn(expression.child as TreeNode);
  if (expression.type !== 'COLUMN_REF') return undefined;
  return (expression.column_names as string[]).at(-1);
}

/** The name an expression of a select list has in the result; undefined where DuckDB makes one up. */
export function outputName(expression: TreeNode): string | undefined {
  return expression.alias || findPlainColumn(expression);
}

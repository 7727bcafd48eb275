import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetConfig } from '../../../config/dataset-config.js';
import { queryRows, quoteIdentifier, quoteLiteral } from '../database.js';
import { ORDINAL } from './check-table.js';

/** What stands for a column that the SQL does not give. Without times all rows have one time, and stay in the order of the files. */
const DEFAULTS: Readonly<Record<string, string>> = {
  timestamp: '0::DOUBLE',
  value: '1::DOUBLE',
  type: 'NULL::VARCHAR',
};

/**
 * Makes the table `kept` of the interactions that stay: all of them but those below a minimum value, and, with a minimum,
 * those of users and items that
 * have enough rows. Rows of the others are dropped again and again until all that are left have enough (the (n, m)-core
 * of the raw table, which is unique).
 *
 * @returns dropped rows by reason
 */
export async function keepInteractions(
  connection: DuckDBConnection,
  options: {
    columns: readonly string[];
    minimum?: DatasetConfig['minimum'];
    interactions: Pick<DatasetConfig['interactions'], 'minimumValue' | 'weights' | 'context'>;
  },
): Promise<Record<string, number>> {
  const { minimumValue, weights, context } = options.interactions;
  const columns = [
    'user_id',
    'item_id',
    ...Object.keys(DEFAULTS).map((name) => orDefault(name, options)),
    ...Object.keys(context?.columns ?? {}).map(quoteIdentifier),
  ];
  await connection.run(
    `CREATE TABLE kept AS SELECT ${columns.join(', ')}, ${ORDINAL} FROM typed_interactions`,
  );
  const belowValue = await dropBelowValue(connection, minimumValue);
  if (weights !== undefined) await connection.run(`UPDATE kept SET value = value * ${weightOf(weights)}`);
  return {
    'below the minimum value': belowValue,
    'below the minimum': await dropBelowMinimum(connection, options.minimum),
  };
}

/** Lists the types of interactions that lack a weight where weights are declared, with their rows. */
export async function listWeightProblems(
  connection: DuckDBConnection,
  options: { columns: readonly string[]; weights: Readonly<Record<string, number>> | undefined },
): Promise<string[]> {
  const { columns, weights } = options;
  if (weights === undefined) return [];
  const known = Object.keys(weights).join(', ') || 'none';
  if (!columns.includes('type')) {
    return ['interactions: weights are declared by type, and the SQL gives no column type'];
  }
  const rows = await queryRows(
    connection,
    `SELECT type, count(*) AS rows FROM typed_interactions WHERE ${weightOf(weights)} IS NULL GROUP BY type ORDER BY type`,
  );
  return rows.map(({ type, rows }) => {
    const what = type === null ? 'no type' : `the type '${type as string}'`;
    return `interactions: ${String(rows)} rows have ${what}, which has no weight; those with one: ${known}`;
  });
}

/** The weight of a row as SQL; NULL where its type has none. */
function weightOf(weights: Readonly<Record<string, number>>): string {
  const cases = Object.entries(weights).map(
    ([type, weight]) => `WHEN type = ${quoteLiteral(type)} THEN ${weight}`,
  );
  return cases.length === 0 ? 'NULL' : `CASE ${cases.join(' ')} END`;
}

async function dropBelowValue(
  connection: DuckDBConnection,
  minimumValue: number | undefined,
): Promise<number> {
  if (minimumValue === undefined) return 0;
  return (await connection.run(`DELETE FROM kept WHERE value < ${minimumValue}`)).rowsChanged;
}

/**
 * Number of kept rows that equal an earlier one in every column. They stay: where times are dates they are
 * real events, and `SELECT DISTINCT` in the dataset's SQL drops them where they are not.
 */
export async function countRepeats(connection: DuckDBConnection): Promise<number> {
  const [row] = await queryRows(
    connection,
    `SELECT sum(rows - 1) AS repeats FROM (SELECT * EXCLUDE (${ORDINAL}), count(*) AS rows FROM kept GROUP BY ALL)`,
  );
  return Number(row!.repeats);
}

function orDefault(name: string, options: { columns: readonly string[] }): string {
  return options.columns.includes(name) ? name : `${DEFAULTS[name]!} AS ${name}`;
}

async function dropBelowMinimum(
  connection: DuckDBConnection,
  minimum: DatasetConfig['minimum'],
): Promise<number> {
  if (minimum === undefined) return 0;
  const few = (key: string, rows: number): string =>
    `${key} IN (SELECT ${key} FROM kept GROUP BY ${key} HAVING count(*) < ${rows})`;
  const fewOfUser = few('user_id', minimum.interactionsPerUser);
  const fewOfItem = few('item_id', minimum.interactionsPerItem);
  let dropped = 0;
  for (;;) {
    const { rowsChanged } = await connection.run(`DELETE FROM kept WHERE ${fewOfUser} OR ${fewOfItem}`);
    if (rowsChanged === 0) return dropped;
    dropped += rowsChanged;
  }
}

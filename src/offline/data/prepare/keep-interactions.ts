import type { DuckDBConnection } from '@duckdb/node-api';
import { readTarget, type DatasetConfig } from '../../../config/dataset-config.js';
import { queryRows, quoteIdentifier, quoteLiteral } from '../database.js';
import { ORDINAL } from './check-table.js';
import { markTargets } from './target-rows.js';

/** What stands for a column that the SQL does not give. Without times all rows have one time, and stay in the order of the files. */
export const COLUMN_DEFAULTS: Readonly<Record<string, string>> = {
  timestamp: '0::DOUBLE',
  value: '1::DOUBLE',
  type: 'NULL::VARCHAR',
};

/**
 * Makes the table `kept` of the interactions that stay: all of them but those of negative types with what they take back,
 * those below a minimum value, and, with a minimum, those of users and items that do not have enough rows. Rows of the others are dropped
 * again and again until all that are left have enough (the (n, m)-core of the raw table, which is unique). Where types are negative, the
 * table `unwanted` has the users and items whose latest word is such a row, with its time. Where something is to be predicted, a column
 * `target` says which rows are.
 *
 * @returns dropped rows by reason
 */
export async function keepInteractions(
  connection: DuckDBConnection,
  options: {
    columns: readonly string[];
    minimum?: DatasetConfig['minimum'];
    interactions: Pick<
      DatasetConfig['interactions'],
      'minimumValue' | 'weights' | 'negative' | 'target' | 'context'
    >;
  },
): Promise<Record<string, number>> {
  const { minimumValue, weights, negative, context } = options.interactions;
  const columns = [
    'user_id',
    'item_id',
    ...Object.keys(COLUMN_DEFAULTS).map((name) => orDefault(name, options)),
    ...Object.keys(context?.columns ?? {}).map(quoteIdentifier),
  ];
  await connection.run(
    `CREATE TABLE kept AS SELECT ${columns.join(', ')}, ${ORDINAL} FROM typed_interactions`,
  );
  const negated = await dropNegative(connection, negative);
  const belowValue = await dropBelowValue(connection, minimumValue);
  if (negative !== undefined) await forgiveLater(connection);
  await markTargets(connection, readTarget(options.interactions));
  if (weights !== undefined) await connection.run(`UPDATE kept SET value = value * ${weightOf(weights)}`);
  return {
    ...negated,
    'below the minimum value': belowValue,
    'below the minimum': await dropBelowMinimum(connection, options.minimum),
  };
}

/**
 * Lists what the rows lack that the config says of types: a column of types, which only events need where those are negative, and a weight for each type that is not negative
 * where weights are declared, with the rows.
 */
export async function listTypeProblems(
  connection: DuckDBConnection,
  options: {
    columns: readonly string[];
    interactions: Pick<DatasetConfig['interactions'], 'weights' | 'negative' | 'events'>;
  },
): Promise<string[]> {
  const { columns, interactions } = options;
  const { weights, negative, events } = interactions;
  if (!columns.includes('type')) {
    return [
      ...(weights === undefined ? [] : ['weights are declared by type']),
      ...(negative === undefined || events === true ? [] : ['negative names types']),
    ].map((what) => `interactions: ${what}, and the SQL gives no column type`);
  }
  if (weights === undefined) return [];
  const known = Object.keys(weights).join(', ') || 'none';
  const rows = await queryRows(
    connection,
    `SELECT type, count(*) AS rows FROM typed_interactions
     WHERE ${weightOf(weights)} IS NULL AND NOT ${isNegative(negative)} GROUP BY type ORDER BY type`,
  );
  return rows.map(({ type, rows }) => {
    const what = type === null ? 'no type' : `the type '${type as string}'`;
    return `interactions: ${String(rows)} rows have ${what}, which has no weight; those with one: ${known}`;
  });
}

/** Warns of types that the config calls negative and no row has: misspelt, perhaps. */
export async function listUnseenTypes(
  connection: DuckDBConnection,
  negative: readonly string[] | undefined,
): Promise<string[]> {
  if (negative === undefined) return [];
  const rows = await queryRows(
    connection,
    `SELECT DISTINCT type FROM typed_interactions WHERE ${isNegative(negative)}`,
  );
  const seen = new Set(rows.map(({ type }) => type));
  return negative
    .filter((type) => !seen.has(type))
    .map((type) => `interactions: no row is of the type '${type}', which interactions.negative names`);
}

/** Whether a row is of a negative type, as SQL that is never NULL. */
export function isNegative(negative: readonly string[] = []): string {
  if (negative.length === 0) return 'false';
  return `coalesce(type IN (${negative.map(quoteLiteral).join(', ')}), false)`;
}

/**
 * The latest word of a user on an item counts: a negative row takes back what the user did with the item before it, and what
 * they do after it counts again.
 */
async function dropNegative(
  connection: DuckDBConnection,
  negative: readonly string[] | undefined,
): Promise<Record<string, number>> {
  if (negative === undefined) return {};
  await connection.run(
    `CREATE TABLE unwanted AS SELECT DISTINCT ON (user_id, item_id) user_id, item_id, timestamp, ${ORDINAL}
     FROM kept WHERE ${isNegative(negative)} ORDER BY timestamp DESC, ${ORDINAL} DESC`,
  );
  const { rowsChanged: ofType } = await connection.run(`DELETE FROM kept WHERE ${isNegative(negative)}`);
  const { rowsChanged: takenBack } = await connection.run(
    `DELETE FROM kept USING unwanted WHERE kept.user_id = unwanted.user_id AND kept.item_id = unwanted.item_id
     AND (kept.timestamp, kept.${ORDINAL}) < (unwanted.timestamp, unwanted.${ORDINAL})`,
  );
  return { 'of a negative type': ofType, 'taken back by a later row of a negative type': takenBack };
}

/** A negative row that another row follows is not the latest word: all that is kept of its user and item is later. */
async function forgiveLater(connection: DuckDBConnection): Promise<void> {
  await connection.run(
    'DELETE FROM unwanted USING kept WHERE kept.user_id = unwanted.user_id AND kept.item_id = unwanted.item_id',
  );
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
  return options.columns.includes(name) ? name : `${COLUMN_DEFAULTS[name]!} AS ${name}`;
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

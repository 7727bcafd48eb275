import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetConfig } from '../../config/dataset-config.js';
import { queryRows } from '../database.js';
import { ORDINAL } from './check-source.js';

/**
 * Makes the table `kept` of the interactions that stay: all of them, or, with a minimum, those of users and items that
 * have enough rows. Rows of the others are dropped again and again until all that are left have enough (the (n, m)-core
 * of the raw table, which is unique).
 *
 * @returns dropped rows by reason
 */
export async function keepInteractions(
  connection: DuckDBConnection,
  options: { columns: readonly string[]; minimum: DatasetConfig['minimum'] },
): Promise<Record<string, number>> {
  const columns = [
    'user_id',
    'item_id',
    'timestamp',
    ...['value', 'type'].map((name) => orDefault(name, options)),
  ];
  await connection.run(
    `CREATE TABLE kept AS SELECT ${columns.join(', ')}, ${ORDINAL} FROM typed_interactions`,
  );
  return { 'below the minimum': await dropBelowMinimum(connection, options.minimum) };
}

/**
 * How many kept rows equal an earlier one in every column. They stay: where times are dates they are real events, and
 * `SELECT DISTINCT` in the dataset's SQL drops them where they are not.
 */
export async function countRepeats(connection: DuckDBConnection): Promise<number> {
  const [row] = await queryRows(
    connection,
    'SELECT sum(rows - 1) AS repeats FROM (SELECT count(*) AS rows FROM kept GROUP BY user_id, item_id, timestamp, value, type)',
  );
  return Number(row!.repeats);
}

function orDefault(name: string, options: { columns: readonly string[] }): string {
  if (options.columns.includes(name)) return name;
  return name === 'value' ? '1 AS value' : 'NULL::VARCHAR AS type';
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

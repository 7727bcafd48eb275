import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows } from '../database.js';

/** A type of interactions and how many rows are of it; null for the rows without a type. */
export interface TypeCount {
  readonly type: string | null;
  readonly rows: number;
}

/** A dataset whose types are ids by mistake has as many as rows. */
const MOST_TYPES = 20;

/** Counts the types of the table `kept`: the most frequent first, and how many there are in all. */
export async function countTypes(
  connection: DuckDBConnection,
): Promise<{ types: readonly TypeCount[]; distinctTypes: number }> {
  const rows = await queryRows(
    connection,
    `SELECT type, count(*) AS rows, count(*) OVER () AS distinct_types FROM kept
     GROUP BY type ORDER BY count(*) DESC, type LIMIT ${MOST_TYPES}`,
  );
  return {
    types: rows.map((row) => ({ type: row['type'] as string | null, rows: Number(row['rows']) })),
    distinctTypes: Number(rows[0]?.['distinct_types'] ?? 0),
  };
}

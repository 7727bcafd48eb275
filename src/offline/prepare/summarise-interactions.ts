import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows } from '../database.js';

/** The interactions that were kept. */
export interface InteractionSummary {
  readonly rows: number;
  readonly users: number;
  readonly items: number;
  /** Unix seconds. */
  readonly from: number;
  readonly to: number;
}

/** Counts the rows of the table `kept`. */
export async function summariseInteractions(connection: DuckDBConnection): Promise<InteractionSummary> {
  const [row] = await queryRows(
    connection,
    `SELECT count(*) AS rows, count(DISTINCT user_id) AS users, count(DISTINCT item_id) AS items,
       min(timestamp) AS "from", max(timestamp) AS "to" FROM kept`,
  );
  const { rows, users, items, from, to } = row!;
  return {
    rows: Number(rows),
    users: Number(users),
    items: Number(items),
    from: Number(from),
    to: Number(to),
  };
}

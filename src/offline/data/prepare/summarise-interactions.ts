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
  /** Times that 1, 25, 50, 75 and 99 % of the rows are not after, in Unix seconds. */
  readonly quantiles: readonly [number, number, number, number, number];
}

/** Counts the rows of the table `kept`. */
export async function summariseInteractions(connection: DuckDBConnection): Promise<InteractionSummary> {
  const [row] = await queryRows(
    connection,
    `SELECT count(*) AS rows, count(DISTINCT user_id) AS users, count(DISTINCT item_id) AS items,
       min(timestamp) AS "from", max(timestamp) AS "to",
       quantile_disc(timestamp, [0.01, 0.25, 0.5, 0.75, 0.99])::VARCHAR AS quantiles FROM kept`,
  );
  const { rows, users, items, from, to, quantiles } = row!;
  return {
    rows: Number(rows),
    users: Number(users),
    items: Number(items),
    from: Number(from),
    to: Number(to),
    quantiles: JSON.parse(
      (quantiles as string | null) ?? '[0, 0, 0, 0, 0]',
    ) as InteractionSummary['quantiles'],
  };
}

import type { DuckDBConnection } from '@duckdb/node-api';
import { SECONDS_PER_DAY } from '../../../domain/time.js';
import { queryRows, quoteIdentifier } from '../database.js';
import { guessEpoch } from './guess-epoch.js';
import { typedTable, type TableName } from './table-request.js';
import type { NumberRange } from './timestamp-column.js';

const SECONDS_PER_YEAR = 366 * SECONDS_PER_DAY;

/** Unix times before it may be counts of something else: few data are that old. */
const OLD = Date.UTC(1996, 0) / 1000;

/**
 * Times of a typed table that were hardly meant: those of 1970 and before, which stand for "no time" or are no seconds
 * (databases write 1900-01-01, too), and numbers that another way to count makes likelier times.
 *
 * @param options.range of the numbers that the times were made of, if they were
 */
export async function listTimeWarnings(
  connection: DuckDBConnection,
  options: { table: TableName; column: string; range: NumberRange | undefined; latest: number },
): Promise<string[]> {
  const { table, column, range, latest } = options;
  const time = quoteIdentifier(column);
  const [row] = await queryRows(
    connection,
    `SELECT count(*) AS rows, count(*) FILTER (WHERE ${time} < ${SECONDS_PER_YEAR}) AS early,
       max(${time}) AS newest FROM ${typedTable(table)}`,
  );
  const { rows, early, newest } = row!;
  const guess =
    range !== undefined && (Number(newest) < OLD || early === rows)
      ? guessEpoch({ ...range, latest })?.says
      : undefined;
  if (early !== 0n) {
    const why = guess ?? 'do they stand for no time, or count something else than seconds?';
    return [`${table}: ${String(early)} of ${String(rows)} rows have a ${column} of 1970 or before; ${why}`];
  }
  if (guess === undefined) return [];
  const date = new Date(Number(newest) * 1000).toISOString().slice(0, 10);
  return [`${table}: the newest ${column} is of ${date}; ${guess}`];
}

import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows } from '../database.js';

/** The distribution of the values of kept interactions; weights are multiplied in. */
export interface ValueSpread {
  readonly lowest: number;
  readonly lowerQuartile: number;
  readonly median: number;
  readonly upperQuartile: number;
  readonly highest: number;
  readonly rowsBelowZero: number;
  readonly rowsOfZero: number;
}

/**
 * Looks at the values of the table `kept`. Weights below zero, or none above it, are problems: they would train a model on
 * the opposite of what people did, or on nothing. Other values below zero, and nothing but zeros, are warned of.
 *
 * @param options.isGiven the SQL gives a column `value`
 * @param options.isWeighted the config declares weights
 */
export async function checkValues(
  connection: DuckDBConnection,
  options: { isGiven: boolean; isWeighted: boolean },
): Promise<{ spread: ValueSpread; problems: string[]; warnings: string[] }> {
  const { isGiven, isWeighted } = options;
  const [row] = await queryRows(
    connection,
    `SELECT min(value) AS lowest, quantile_disc(value, [0.25, 0.5, 0.75])::DOUBLE[]::VARCHAR AS quartiles, max(value) AS highest,
       count(*) FILTER (WHERE value < 0) AS below, count(*) FILTER (WHERE value = 0) AS zero, count(*) AS rows FROM kept`,
  );
  const [lowerQuartile, median, upperQuartile] = JSON.parse(String(row!.quartiles)) as [
    number,
    number,
    number,
  ];
  const rowsBelowZero = Number(row!.below);
  const rowsOfZero = Number(row!.zero);
  const lowest = Number(row!.lowest);
  const highest = Number(row!.highest);
  const spread = { lowest, lowerQuartile, median, upperQuartile, highest, rowsBelowZero, rowsOfZero };
  if (!isGiven) return { spread, problems: [], warnings: [] };
  const found = [
    ...(rowsBelowZero > 0
      ? [
          `interactions: ${rowsBelowZero} rows have a value below zero, down to ${lowest}; every row says that somebody wanted something: minimumValue: 0 leaves them out`,
        ]
      : []),
    ...(highest <= 0 ? ['interactions: no value is above zero'] : []),
  ];
  const someOfZero =
    isWeighted && rowsOfZero > 0 ? [`interactions: ${rowsOfZero} rows weigh nothing: their value is 0`] : [];
  return isWeighted
    ? { spread, problems: found, warnings: someOfZero }
    : { spread, problems: [], warnings: found };
}

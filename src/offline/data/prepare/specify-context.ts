import type { DuckDBConnection } from '@duckdb/node-api';
import type { ContextConfig } from '../../../config/context-config.js';
import type { ContextField, ContextSpec } from '../../../domain/context.js';
import { queryRows, quoteIdentifier, readBlocks } from '../database.js';
import type { PreparedContext } from '../prepared-context.js';

/** Rows of which a categorical value needs as many to be told apart: what is rarer teaches nothing. */
const MINIMUM_ROWS = 10;

/** Values that are told apart of one field, those with the most rows: a session id is no category. */
const MAX_VALUES = 1000;

/** Lists what a declared context lacks where the SQL gives these columns. */
export function listContextObstacles(
  context: ContextConfig | undefined,
  options: { columns: readonly string[] },
): string[] {
  if (options.columns.includes('timestamp')) return [];
  return (['hour', 'weekday'] as const)
    .filter((type) => context?.[type] === true)
    .map((type) => `interactions: context.${type} is declared, and the SQL gives no column timestamp`);
}

/** The fields of a declared context, with the values that the table `kept` has of them. */
export async function specifyContext(
  connection: DuckDBConnection,
  context: ContextConfig,
): Promise<PreparedContext> {
  const fields: PreparedContext['fields'] = (['hour', 'weekday'] as const)
    .filter((type) => context[type] === true)
    .map((type) => ({ name: type, type }));
  for (const [name, { role: type }] of Object.entries(context.columns ?? {})) {
    const values = type === 'categorical' ? await listFrequentValues(connection, name) : undefined;
    fields.push({ name, type, ...(values && { values }) });
  }
  return { timeZone: context.timeZone ?? 'UTC', fields };
}

/** Sorted, so that the same values have the same codes. */
async function listFrequentValues(connection: DuckDBConnection, column: string): Promise<string[]> {
  const values: string[] = [];
  const name = quoteIdentifier(column);
  await readBlocks(
    connection,
    `SELECT ${name} FROM kept WHERE ${name} IS NOT NULL GROUP BY ${name} HAVING count(*) >= ${MINIMUM_ROWS}
     ORDER BY count(*) DESC, ${name} LIMIT ${MAX_VALUES}`,
    ([block]) => block!.forEach((value) => values.push(value as string)),
  );
  return values.sort();
}

/**
 * Warns of what a person should look at before training with a context: fields of the table `kept` that tell
 * little or nothing.
 */
export async function listContextWarnings(
  connection: DuckDBConnection,
  { fields }: ContextSpec,
): Promise<string[]> {
  const warnings: string[] = [];
  for (const field of fields) warnings.push(...(await listFieldWarnings(connection, field)));
  return warnings.map((warning) => `interactions: ${warning}`);
}

async function listFieldWarnings(connection: DuckDBConnection, field: ContextField): Promise<string[]> {
  const { name, type, values = [] } = field;
  if (type === 'weekday') return [];
  const column = type === 'hour' ? 'CAST(timestamp % 86400 AS BIGINT)' : quoteIdentifier(name);
  const [totals] = await queryRows(
    connection,
    `SELECT count(${column}) AS rows, count(DISTINCT ${column}) AS distinct_values FROM kept`,
  );
  const rows = Number(totals!.rows);
  const distinct = Number(totals!.distinct_values);
  if (distinct === 0) return [`no row has a value of ${name}, so it says nothing as context`];
  if (distinct === 1 && type === 'hour')
    return ['all rows are of one time of day, dates perhaps, so the hour says nothing as context'];
  if (distinct === 1) return [`all rows with a ${name} have the same, so it says nothing as context`];
  if (type !== 'categorical' || distinct === values.length) return [];
  const rare = (distinct - values.length).toLocaleString('en-GB');
  return [
    `${rare} values of ${name} have fewer than ${MINIMUM_ROWS} rows, or are not among the ${MAX_VALUES} most frequent; ` +
      `as context they count as none, in training as in requests (${rows.toLocaleString('en-GB')} rows have a ${name})`,
  ];
}

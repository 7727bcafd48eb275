import type { DuckDBConnection } from '@duckdb/node-api';
import type { InteractionsConfig } from '../../../config/dataset-config.js';
import { latestFileTime } from '../../../domain/latest-time.js';
import { NUMBER_PATTERN } from '../../../domain/number-pattern.js';
import { queryRows, quoteIdentifier, quoteLiteral } from '../database.js';
import { listLeftOut } from './events-request.js';
import { escapeGlob } from './list-files.js';
import type { LoadedTable } from './load-table.js';
import { rawTable, typedTable } from './table-request.js';
import { timestampColumn } from './timestamp-column.js';
import { leaveOut, planAttribute, typeTable, type TypedTable } from './type-table.js';
import { textColumn, UnusableType, valueColumn, type TypedColumn } from './typed-columns.js';

/** Types without a weight that a warning names. */
const MOST_TYPES = 10;

/**
 * Checks and converts `raw_events` into the columns of interactions. A row that the writer of the files never wrote so
 * (no item, a time that is none) is a problem. What a sender may say and training cannot count is left out: senders are
 * many, and one of them must not keep a model from being trained.
 */
export async function typeEvents(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  options: { interactions: InteractionsConfig; now: number },
): Promise<TypedTable> {
  const { interactions, now } = options;
  const context = interactions.context?.columns ?? {};
  const latest = latestFileTime(now);
  const typed = await typeTable(connection, loaded, {
    latest,
    isExact: true,
    plan: async (name, type) => {
      const column = context[name];
      if (column?.role === 'categorical') return planAttribute(connection, loaded, { name, type, column });
      if (column !== undefined) return numberOrNone(name);
      if (name === 'timestamp')
        return timestampColumn(connection, name, {
          type,
          table: rawTable(loaded.table),
          latest,
          remedy: 'the clock of the server was ahead, or that of this machine is behind',
        });
      if (name === 'value') return valueColumn(name, type);
      if (name === 'type') return textColumn(name, type, { role: 'text' });
      return exactId(name, type);
    },
  });
  if (typed.problems.length > 0) return typed;
  const untimely = await leaveOut(connection, loaded, interactions.times);
  const unweighted = await leaveOutUnweighted(connection, loaded, interactions);
  return {
    ...typed,
    dropped: {
      ...(await countLeftOut(connection, loaded, interactions.negative)),
      ...untimely,
      ...unweighted.dropped,
    },
    warnings: [...typed.warnings, ...unweighted.warnings],
  };
}

/** An id as the API took it: no other tool can have rounded it or made a truth value of it. */
function exactId(name: string, type: string): TypedColumn {
  if (type !== 'VARCHAR') throw new UnusableType('events have ids of text');
  const raw = quoteIdentifier(name);
  const says = 'is empty; every event needs one';
  return { name, sql: raw, checks: [{ when: `coalesce(${raw}, '') = ''`, says }], missingWhen: 'false' };
}

/** A number of the context that a sender wrote; anything else is no value. */
function numberOrNone(name: string): TypedColumn {
  const text = quoteIdentifier(name);
  const number = `TRY_CAST(${text} AS FLOAT)`;
  const isNumber = `regexp_full_match(${text}, ${quoteLiteral(NUMBER_PATTERN)}) AND isfinite(${number})`;
  return { name, sql: `(CASE WHEN ${isNumber} THEN ${number} END)`, checks: [] };
}

/** Rows of the files that the query passed over, by reason. */
async function countLeftOut(
  connection: DuckDBConnection,
  { files }: LoadedTable,
  negative: readonly string[] | undefined,
): Promise<Record<string, number>> {
  const paths = files.map(({ path }) => quoteLiteral(escapeGlob(path))).join(', ');
  const counts = Object.entries(listLeftOut(negative)).map(
    ([reason, holds]) => `count(*) FILTER (WHERE ${holds}) AS ${quoteIdentifier(reason)}`,
  );
  const [row] = await queryRows(connection, `SELECT ${counts.join(', ')} FROM read_parquet([${paths}])`);
  return Object.fromEntries(Object.entries(row!).map(([reason, rows]) => [reason, Number(rows)]));
}

/** Where types have weights, an event of another type says nothing that training could count. */
async function leaveOutUnweighted(
  connection: DuckDBConnection,
  { table }: LoadedTable,
  { weights, negative = [] }: InteractionsConfig,
): Promise<{ dropped: Record<string, number>; warnings: string[] }> {
  if (weights === undefined) return { dropped: {}, warnings: [] };
  const known = [...Object.keys(weights), ...negative].map(quoteLiteral).join(', ');
  const isOther = known === '' ? 'true' : `(type IN (${known})) IS NOT TRUE`;
  const rows = await queryRows(
    connection,
    `SELECT type, count(*) AS rows FROM ${typedTable(table)} WHERE ${isOther} GROUP BY type ORDER BY type`,
  );
  if (rows.length === 0) return { dropped: {}, warnings: [] };
  const { rowsChanged } = await connection.run(`DELETE FROM ${typedTable(table)} WHERE ${isOther}`);
  const named = rows
    .slice(0, MOST_TYPES)
    .map(({ type }) => (type === null ? 'no type' : `'${type as string}'`));
  const more = rows.length > named.length ? ` and ${rows.length - named.length} more` : '';
  return {
    dropped: { 'events of a type without a weight': rowsChanged },
    warnings: [
      `events: ${rowsChanged} events are of a type that interactions.weights does not name, and were left out: ${named.join(', ')}${more}`,
    ],
  };
}

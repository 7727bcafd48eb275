import type { DuckDBConnection } from '@duckdb/node-api';
import type { ContextColumnConfig } from '../../../config/context-config.js';
import {
  parseTimeLimit,
  type ColumnConfig,
  type InteractionsConfig,
} from '../../../config/dataset-config.js';
import type { ViewConfig } from '../../../config/view-config.js';
import { latestFileTime } from '../../../domain/latest-time.js';
import { queryRows, quoteIdentifier } from '../database.js';
import { checkColumns, checkDuplicates, columnOf, ORDINAL, rawRows } from './check-table.js';
import type { LoadedTable } from './load-table.js';
import { findRepeatedHeaders } from './repeated-headers.js';
import { rawTable, typedTable } from './table-request.js';
import { findStrayTimes } from './stray-times.js';
import { listTimeWarnings } from './time-warnings.js';
import { timestampColumn, type TimeColumn } from './timestamp-column.js';
import { isBlankOrNoValue, isTruthValue, isWholeNumber, withoutZero } from './text-rules.js';
import { trimTexts } from './trim-texts.js';
import { listWordWarnings } from './word-warnings.js';
import {
  attributeColumn,
  findText,
  idColumn,
  kindOf,
  textColumn,
  UnusableType,
  valueColumn,
  type TypedColumn,
} from './typed-columns.js';
import { fieldColumn } from './view-columns.js';
import { showDay } from '../../../domain/show-day.js';

/**
 * The result of typing a table: problems, or the DuckDB table `typed_<table>` with an ORDINAL in file order.
 */
export interface TypedTable {
  readonly problems: readonly string[];
  /** Rows without a value, per column that may lack one. */
  readonly missing: Readonly<Record<string, number>>;
  /** Rows that the config leaves out, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** What a person should look at. */
  readonly warnings: readonly string[];
}

/** The times that a dataset takes, and the time at which it is prepared, in Unix seconds. */
export interface TimeLimits {
  readonly now: number;
  /** `interactions.times` of the config: rows outside of it are left out. */
  readonly times?: InteractionsConfig['times'];
}

/**
 * Checks and converts `raw_interactions` into (user_id, item_id, timestamp, value?, type?) and the columns of the context.
 * Rows outside of `options.times` are left out; where it does not say until when, rows after now or years after all
 * others are problems.
 */
export async function typeInteractions(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  options: TimeLimits & { context: Readonly<Record<string, ContextColumnConfig>> },
): Promise<TypedTable> {
  const { times, now } = options;
  const latest = latestFileTime(now);
  const planTime = async (name: string, type: string): Promise<TimeColumn> =>
    timestampColumn(connection, name, {
      type,
      table: rawTable(loaded.table),
      latest: times?.to === undefined ? latest : Infinity,
      remedy: `where it stands for no time, interactions.times: { to: ${showDay(now)} } leaves such rows out`,
    });
  const typed = await typeTable(connection, loaded, {
    latest,
    plan: async (name, type) => {
      const column = options.context[name];
      if (column?.role === 'categorical') return planAttribute(connection, loaded, { name, type, column });
      if (column !== undefined) return fieldColumn(name, type, { field: { type: 'float32' } });
      if (name === 'timestamp') return planTime(name, type);
      if (name === 'value') return valueColumn(name, type);
      if (name === 'type') return textColumn(name, type, { role: 'text' });
      return planId(connection, loaded, { name, type });
    },
  });
  if (typed.problems.length > 0 || !loaded.types.has('timestamp')) return typed;
  const left = await leaveOut(connection, loaded, times);
  const strays = await findStrayTimes(connection, loaded);
  const problems = times?.to === undefined ? strays.problems : [];
  return { ...typed, dropped: left, problems, warnings: [...typed.warnings, ...strays.warnings] };
}

/** Takes the rows outside of the times of the config away; returns how many. */
export async function leaveOut(
  connection: DuckDBConnection,
  { table }: LoadedTable,
  times: TimeLimits['times'],
): Promise<Readonly<Record<string, number>>> {
  if (times === undefined) return {};
  const from = times.from === undefined ? [] : [`timestamp < ${parseTimeLimit(times.from)}`];
  const to = times.to === undefined ? [] : [`timestamp > ${parseTimeLimit(times.to)}`];
  const outside = [...from, ...to].join(' OR ');
  const { rowsChanged } = await connection.run(`DELETE FROM ${typedTable(table)} WHERE ${outside}`);
  return { 'outside of interactions.times': rowsChanged };
}

/** Checks and converts `raw_items` or `raw_users` into the key and one column per attribute; keys must be unique. */
export async function typeEntities(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  options: { key: string; columns: Readonly<Record<string, ColumnConfig>> },
): Promise<TypedTable> {
  const typed = await typeTable(connection, loaded, {
    latest: Infinity,
    plan: async (name, type) =>
      name === options.key
        ? planId(connection, loaded, { name, type })
        : planAttribute(connection, loaded, { name, type, column: options.columns[name]! }),
  });
  if (typed.problems.length > 0) return typed;
  return { ...typed, problems: await checkDuplicates(connection, loaded, { key: options.key }) };
}

/**
 * Checks and converts the rows of a view into its key, event time and fields; a key must be unique, or with event times
 * a key at a time.
 */
export async function typeView(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  options: { view: ViewConfig; now: number },
): Promise<TypedTable> {
  const { key, eventTime, fields } = options.view;
  const latest = latestFileTime(options.now);
  const remedy = 'no later push could replace such a row; leave it out where the file is written';
  const typed = await typeTable(connection, loaded, {
    latest,
    plan: async (name, type) => {
      if (name === key) return planId(connection, loaded, { name, type });
      if (name === eventTime)
        return timestampColumn(connection, name, { type, table: rawTable(loaded.table), latest, remedy });
      return fieldColumn(name, type, { field: fields[name]! });
    },
  });
  if (typed.problems.length > 0) return typed;
  return { ...typed, problems: await checkDuplicates(connection, loaded, { key, time: eventTime }) };
}

/**
 * Checks and converts a raw table, column by column.
 * @param options.isExact no other tool wrote its texts: a header line or a word for no value is a value like others
 */
export async function typeTable(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  options: {
    plan: (name: string, type: string) => Promise<TypedColumn | TimeColumn>;
    latest: number;
    isExact?: boolean;
  },
): Promise<TypedTable> {
  const { isExact = false } = options;
  const columns: (TypedColumn | TimeColumn)[] = [];
  const problems: string[] = [];
  const blanks = await trimTexts(connection, loaded);
  for (const [name, type] of loaded.types) {
    try {
      columns.push(await options.plan(name, type));
    } catch (error) {
      if (!(error instanceof UnusableType)) throw error;
      problems.push(`${columnOf(loaded, name)}: is of type ${type}; ${error.message}`);
    }
  }
  if (!isExact) problems.push(...(await findRepeatedHeaders(connection, loaded)));
  problems.push(...(await checkColumns(connection, loaded, { columns })));
  if (problems.length > 0) return { problems, missing: {}, dropped: {}, warnings: [] };
  const expressions = columns.map(({ name, sql }) => `${sql} AS ${quoteIdentifier(name)}`).join(', ');
  await connection.run(
    `CREATE TABLE ${typedTable(loaded.table)} AS SELECT ${expressions}, rowid AS ${ORDINAL} FROM ${rawRows(loaded, columns)}`,
  );
  const warnings = [...(isExact ? [] : await listWordWarnings(connection, loaded)), ...blanks];
  for (const column of columns) {
    if (!('isTime' in column)) continue;
    const { name, range } = column;
    const { latest } = options;
    warnings.push(
      ...(await listTimeWarnings(connection, { table: loaded.table, column: name, range, latest })),
    );
  }
  return { problems, missing: await countMissing(connection, loaded, columns), dropped: {}, warnings };
}

async function planId(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  options: { name: string; type: string },
): Promise<TypedColumn> {
  const { name, type } = options;
  if (await hasOnly(connection, loaded, { name, type, holds: isTruthValue }))
    throw new UnusableType('all its values are true or false; an id must be text or a whole number');
  return idColumn(name, type);
}

/** One attribute; categories lose the `.0` where all of them are whole numbers. @throws {UnusableType} */
export async function planAttribute(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  options: { name: string; type: string; column: ColumnConfig },
): Promise<TypedColumn> {
  const { name, type, column } = options;
  const typed = attributeColumn(name, type, { column });
  if (column.role !== 'categorical') return typed;
  // pandas writes a column of whole numbers with gaps as floats: 12 becomes 12.0 in every row.
  const isWhole = await hasOnly(connection, loaded, { name, type, holds: isWholeNumber });
  return isWhole ? { ...typed, sql: withoutZero(typed.sql) } : typed;
}

/** Whether a column of texts has values, and all of them are such; texts that stand for "no value" are none. */
async function hasOnly(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  options: { name: string; type: string; holds: (text: string) => string },
): Promise<boolean> {
  const text = findText(kindOf(options.type), quoteIdentifier(options.name));
  if (text === undefined) return false;
  const [row] = await queryRows(
    connection,
    `SELECT bool_and(${options.holds(text)}) AS all_hold FROM ${rawTable(loaded.table)} WHERE NOT ${isBlankOrNoValue(text)}`,
  );
  return row!.all_hold === true;
}

async function countMissing(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  columns: readonly TypedColumn[],
): Promise<Record<string, number>> {
  const counts = columns.map(
    ({ name, sql, missingWhen = `${sql} IS NULL` }) =>
      `count(*) FILTER (WHERE ${missingWhen}) AS ${quoteIdentifier(name)}`,
  );
  const [row] = await queryRows(connection, `SELECT ${counts.join(', ')} FROM ${rawRows(loaded, columns)}`);
  return Object.fromEntries(
    Object.entries(row!).flatMap(([name, count]) => (count === 0n ? [] : [[name, Number(count)]])),
  );
}

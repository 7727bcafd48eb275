import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier } from '../database.js';
import { guessEpoch } from './guess-epoch.js';
import { isScientific, secondsOfText } from './text-rules.js';
import {
  derivedName,
  findText,
  kindOf,
  missing,
  numberOf,
  UnusableType,
  type ColumnCheck,
  type TypedColumn,
} from './typed-columns.js';

/** Units that whole numbers may count since 1970, by what one second is in them. */
const UNITS = [
  { name: 'seconds', perSecond: 1 },
  { name: 'milliseconds', perSecond: 1e3 },
  { name: 'microseconds', perSecond: 1e6 },
  { name: 'nanoseconds', perSecond: 1e9 },
] as const;

/** Seconds of the year 9999: no clock says more. */
const LATEST_SECONDS = 253_402_300_800;

/** Seconds of the year 1000: text like 10-11-12 would be a day of the year 10. */
const EARLIEST_SECONDS = -30_610_224_000;

/** 20240229, or with hours and minutes, or with seconds too: no count of seconds or milliseconds of our days has this form. */
const WRITTEN_DATE =
  '(19|20)\\d\\d(0[1-9]|1[0-2])(0[1-9]|[12]\\d|3[01])(([01]\\d|2[0-3])[0-5]\\d([0-5]\\d)?)?';

/** Two numbers of a column, between which nine in ten are. */
export interface NumberRange {
  readonly low: number;
  readonly high: number;
}

/** A column of times. */
export interface TimeColumn extends TypedColumn {
  readonly isTime: true;
  /** Of the numbers that the times are made of; absent where they are dates. */
  readonly range?: NumberRange | undefined;
}

/**
 * A time as Unix seconds. Dates and timestamps are taken as they are (UTC where they name no zone), text as ISO 8601 or
 * as a number. Numbers count since 1970, in the unit that their size tells: below 1e11 seconds (until the year 5138),
 * below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds; the units agree on no time after March 1973.
 * A column must keep to one unit: rows in another one than most are problems. So are rows of after `options.latest`: one of
 * them would be taken for the present.
 *
 * @param options.latest Unix seconds, Infinity when any time is believed
 * @param options.remedy what to do about rows of after that which mean no time
 * @throws {UnusableType} for what is no time
 */
export async function timestampColumn(
  connection: DuckDBConnection,
  name: string,
  options: { type: string; table: string; latest: number; remedy: string },
): Promise<TimeColumn> {
  const raw = quoteIdentifier(name);
  const kind = kindOf(options.type);
  if (kind === 'time' || kind === 'timestamptz') return instantColumn(name, options);
  const counted = kind === 'boolean' ? undefined : numberOf(kind, raw);
  if (counted === undefined) throw new UnusableType('a date, a timestamp or Unix seconds are wanted');
  const derived = { name: derivedName(name), sql: counted };
  const number = quoteIdentifier(derived.name);
  const { unit, range } = await findCommonUnit(connection, counted, options);
  const guess =
    range && Number.isFinite(options.latest) ? guessEpoch({ ...range, latest: options.latest }) : undefined;
  const seconds = `${number} / ${UNITS[unit]!.perSecond}`;
  const inOtherUnit = `coalesce(${number} <> 0 AND isfinite(${number}) AND ${unitOf(number)} <> ${unit}, false)`;
  const text = findText(kind, raw);
  const instant = text === undefined ? 'NULL' : secondsOfText(text);
  const sql = `coalesce(${seconds}, ${instant})`;
  return {
    name,
    sql,
    checks: [
      ...missingChecks(missing(kind, raw), text),
      ...(text === undefined
        ? []
        : [
            unreadable(`${text} <> '' AND (${sql} IS NULL OR isnan(${sql}))`),
            {
              when: isScientific(text),
              says: '{value} may be another time, rounded: it is in scientific notation; write times with all their digits',
            },
          ]),
      {
        when: `regexp_full_match(TRY_CAST(${number} AS BIGINT)::VARCHAR, '${WRITTEN_DATE}')`,
        says: "{value} looks like a date, not like a count since 1970: convert it in the SQL, strptime(CAST(… AS VARCHAR), '%Y%m%d')",
      },
      {
        when: inOtherUnit,
        says: `{value} is not in ${UNITS[unit]!.name} since 1970 as most rows are`,
      },
      ...outOfRange(sql, { ...options, unless: inOtherUnit, remedy: guess?.says ?? options.remedy }),
    ],
    missingWhen: 'false',
    derived,
    isTime: true,
    range,
  };
}

function instantColumn(name: string, options: { type: string; latest: number; remedy: string }): TimeColumn {
  const raw = quoteIdentifier(name);
  // Casts of nanoseconds keep infinity; epoch() of a date or timestamp gives seconds with their fraction.
  const instant = options.type === 'TIMESTAMP WITH TIME ZONE' ? raw : `CAST(${raw} AS TIMESTAMP)`;
  const sql = `epoch(${instant})`;
  return {
    name,
    sql,
    checks: [
      ...missingChecks(`${raw} IS NULL`, undefined),
      unreadable(`NOT isfinite(${instant})`),
      ...outOfRange(sql, { ...options, unless: 'false' }),
    ],
    missingWhen: 'false',
    isTime: true,
  };
}

function missingChecks(isMissing: string, text: string | undefined): ColumnCheck[] {
  const checks = [{ when: isMissing, says: 'is null; every row needs a time' }];
  if (text !== undefined) checks.push({ when: `${text} = ''`, says: 'is empty; every row needs a time' });
  return checks;
}

function unreadable(when: string): ColumnCheck {
  return { when, says: '{value} is no time: give a date, an ISO 8601 timestamp or Unix seconds' };
}

function outOfRange(
  seconds: string,
  options: { unless: string; latest: number; remedy: string },
): ColumnCheck[] {
  const isTime = `NOT ${options.unless} AND NOT isnan(${seconds})`;
  return [
    {
      when: `${isTime} AND ${seconds} >= ${LATEST_SECONDS}`,
      says: '{value} is no time before the year 10000',
    },
    {
      when: `${isTime} AND ${seconds} < ${EARLIEST_SECONDS}`,
      says: '{value} is no time after the year 1000: give dates as 2024-02-29, or say their dateformat',
    },
    {
      when: `${isTime} AND ${seconds} > ${options.latest === Infinity ? LATEST_SECONDS : options.latest} AND ${seconds} < ${LATEST_SECONDS}`,
      says: '{value} is a time after now',
      remedy: options.remedy,
    },
  ];
}

async function findCommonUnit(
  connection: DuckDBConnection,
  number: string,
  options: { table: string },
): Promise<{ unit: number; range: NumberRange | undefined }> {
  const rows = await queryRows(
    connection,
    `SELECT ${unitOf('number')} AS unit, count(*) AS rows, approx_quantile(number, 0.05) AS low, approx_quantile(number, 0.95) AS high
     FROM (SELECT ${number} AS number FROM ${options.table}) WHERE number <> 0 AND isfinite(number) GROUP BY unit ORDER BY rows DESC, unit LIMIT 1`,
  );
  const [row] = rows;
  if (row === undefined) return { unit: 0, range: undefined };
  return { unit: Number(row.unit), range: { low: Number(row.low), high: Number(row.high) } };
}

function unitOf(number: string): string {
  return `CASE WHEN abs(${number}) < 1e11 THEN 0 WHEN abs(${number}) < 1e14 THEN 1 WHEN abs(${number}) < 1e17 THEN 2 ELSE 3 END`;
}

import type { DuckDBConnection } from '@duckdb/node-api';
import { latestFileTime } from '../../domain/latest-time.js';
import { queryRows, quoteIdentifier, quoteLiteral } from '../database.js';
import { guessEpoch } from '../prepare/guess-epoch.js';
import type { FoundColumn, FoundTable } from './found-table.js';
import { isTimeName, sqlName } from './name-words.js';

/** A column taken for the time of interactions. */
export interface GuessedTime {
  readonly column: string;
  /** SQL of the time. */
  readonly sql: string;
  readonly why: string;
}

/** Numbers that give earlier times likely count from another day. */
const EARLIEST = Date.UTC(1996, 0) / 1000;

/** Orders of day and month that people write, as strptime takes them. */
const FORMATS = [
  ...[
    '%d/%m/%Y',
    '%m/%d/%Y',
    '%d.%m.%Y',
    '%d-%m-%Y',
    '%m-%d-%Y',
    '%d/%m/%y',
    '%m/%d/%y',
    '%d-%b-%Y',
    '%b %d, %Y',
    '%d %b %Y',
  ].flatMap((day) => [day, `${day} %H:%M`, `${day} %H:%M:%S`, `${day} %I:%M %p`, `${day} %I:%M:%S %p`]),
  '%m %d, %Y',
  '%Y%m%dT%H%M%S',
  '%a %b %d %H:%M:%S %z %Y',
];

/**
 * The column of a table that says when something happened; those that nobody can read surely are told in `doubts`.
 * @param options.now Unix seconds
 */
export async function guessTime(
  connection: DuckDBConnection,
  table: FoundTable,
  options: { now: number; taken: readonly string[] },
): Promise<{ time: GuessedTime | undefined; doubts: string[] }> {
  const latest = latestFileTime(options.now);
  const columns = table.columns.filter(({ name, filled }) => filled > 0 && !options.taken.includes(name));
  const named = columns.filter(({ name }) => isTimeName(name));
  const doubts: string[] = [];
  for (const column of [...named, ...columns.filter((column) => !named.includes(column))]) {
    const isNamed = named.includes(column);
    const time =
      findTime(column, { latest, isNamed }) ??
      (isNamed ? await findFormat(connection, table, column) : undefined);
    if (time === undefined) continue;
    if (typeof time === 'string') doubts.push(time);
    else return { time, doubts };
  }
  return { time: undefined, doubts };
}

function findTime(
  column: FoundColumn,
  options: { latest: number; isNamed: boolean },
): GuessedTime | undefined {
  const { name, filled, instants, numbers, low, high } = column;
  const sql = sqlName(name);
  if (instants === filled)
    return { column: name, sql, why: `times, ${dayOf(column.oldest)} to ${dayOf(column.newest)}` };
  if (numbers !== filled) return undefined;
  const written =
    /^(19|20)\d{6}$/.test(String(column.smallest)) && /^(19|20)\d{6}$/.test(String(column.largest));
  if (written && options.isNamed) {
    return {
      column: name,
      sql: `strptime(CAST(${sql} AS VARCHAR), '%Y%m%d')`,
      why: `dates as ${column.smallest}`,
    };
  }
  const perSecond = [1, 1e3, 1e6, 1e9].find(
    (unit) => low / unit >= EARLIEST && high / unit <= options.latest,
  );
  if (perSecond !== undefined) {
    return {
      column: name,
      sql,
      why: `numbers since 1970, nearly all of ${dayOf(low / perSecond)} to ${dayOf(high / perSecond)}`,
    };
  }
  const guess = options.isNamed ? guessEpoch({ low, high, latest: options.latest }) : undefined;
  if (guess === undefined) return undefined;
  return { column: name, sql: guess.sql.replaceAll(/\bx\b/g, `CAST(${sql} AS DOUBLE)`), why: guess.name };
}

/** Text in another order than ISO 8601: the one format that fits every row, or a sentence where several or none do. */
async function findFormat(
  connection: DuckDBConnection,
  { view }: FoundTable,
  { name, filled, example }: FoundColumn,
): Promise<GuessedTime | string> {
  const text = `CAST(${quoteIdentifier(name)} AS VARCHAR)`;
  const counts = FORMATS.map(
    (format, place) => `count(try_strptime(${text}, ${quoteLiteral(format)})) AS f${place}`,
  );
  const [row] = await queryRows(connection, `SELECT ${counts.join(', ')} FROM ${view}`);
  const fitting = FORMATS.filter((_, place) => Number(row![`f${place}`]) === filled);
  const [format] = fitting;
  const read = (each: string): string => `strptime(${sqlName(name)}, '${each}')`;
  if (format === undefined)
    return `${name} is called like a time, but '${example}' is none that is known; convert it in the SQL`;
  if (fitting.length === 1) return { column: name, sql: read(format), why: `times as '${example}'` };
  return `${name}: '${example}' can be read in several ways; say which in the SQL: ${fitting.map(read).join(' or ')}`;
}

function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10);
}

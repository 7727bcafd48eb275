import type { DuckDBConnection } from '@duckdb/node-api';
import { latestFileTime } from '../../../domain/latest-time.js';
import { queryRows, quoteIdentifier, quoteLiteral } from '../database.js';
import { guessEpoch } from '../prepare/guess-epoch.js';
import type { FoundColumn, FoundTable } from './found-table.js';
import { isIdName, isTimeName, sqlName, timeNameRank } from './name-words.js';
import { showDay } from '../../../domain/show-day.js';

/** A column taken for the time of interactions. */
export interface GuessedTime {
  readonly column: string;
  /** SQL of the time. */
  readonly sql: string;
  readonly why: string;
}

/** The time of interactions, the columns that are times of something else, and what nobody can tell. */
export interface TimeGuess {
  readonly time: GuessedTime | undefined;
  /** The other columns that hold times, the likeliest first. */
  readonly otherTimes: readonly GuessedTime[];
  readonly doubts: readonly string[];
}

/** A column that can be read as times, with the first and the last of them in Unix seconds where they are known. */
interface TimeCandidate extends GuessedTime {
  readonly oldest?: number;
  readonly newest?: number;
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
 * The column of a table that says when an interaction happened: the one whose name says so best, then the one whose values do.
 * @param options.now Unix seconds
 */
export async function guessTime(
  connection: DuckDBConnection,
  table: FoundTable,
  options: { now: number; taken: readonly string[] },
): Promise<TimeGuess> {
  const latest = latestFileTime(options.now);
  const columns = table.columns.filter(({ name, filled }) => filled > 0 && !options.taken.includes(name));
  const found: { time: TimeCandidate; rank: number }[] = [];
  const unread: { doubt: string; rank: number }[] = [];
  for (const column of columns) {
    const isNamed = isTimeName(column.name);
    const time =
      findTime(column, { latest, isNamed }) ??
      (isNamed ? await findFormat(connection, table, column) : undefined);
    if (time === undefined) continue;
    if (typeof time === 'string') unread.push({ doubt: time, rank: timeNameRank(column.name) });
    else found.push({ time, rank: rankOf(time, { column, table, latest }) });
  }
  found.sort((one, other) => one.rank - other.rank);
  const [best, ...others] = found;
  // A time of something else is worse than none where a better one only has to be converted.
  const isSomethingElse = best !== undefined && best.rank >= 3 && unread.some(({ rank }) => rank < 3);
  const chosen = isSomethingElse ? undefined : best;
  return {
    time: chosen?.time,
    otherTimes: (chosen === undefined ? found : others).map(({ time }) => time),
    doubts: [
      ...unread.filter(({ rank }) => chosen === undefined || rank <= chosen.rank).map(({ doubt }) => doubt),
      ...(chosen !== undefined && chosen.rank >= 3
        ? [
            `${chosen.time.column} is the likeliest time, but may be that of something else than the interaction`,
          ]
        : []),
    ],
  };
}

/** A name says more than values do, unless they are one moment or in the future; of equals, the fuller column wins, then the first. */
function rankOf(
  { column: name, oldest = EARLIEST, newest = EARLIEST }: TimeCandidate,
  { column, table, latest }: { column: FoundColumn; table: FoundTable; latest: number },
): number {
  const isMoment = column.distinct < 2 && table.rows > 1;
  const rank = isMoment || newest > latest ? 3 : timeNameRank(name);
  const isUnnamed = !isTimeName(name) && (rank === 2 || isIdName(name));
  const isOld = oldest < EARLIEST;
  return rank + (isUnnamed ? 0.5 : 0) + (isOld ? 0.2 : 0) + (1 - column.filled / table.rows) / 10;
}

function findTime(
  column: FoundColumn,
  options: { latest: number; isNamed: boolean },
): TimeCandidate | undefined {
  const { name, filled, instants, numbers, low, high, oldest, newest } = column;
  const sql = sqlName(name);
  if (instants === filled)
    return { column: name, sql, oldest, newest, why: `times, ${showDay(oldest)} to ${showDay(newest)}` };
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
      oldest: low / perSecond,
      newest: high / perSecond,
      why: `numbers since 1970, nearly all of ${showDay(low / perSecond)} to ${showDay(high / perSecond)}`,
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

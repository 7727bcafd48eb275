import type { DuckDBConnection } from '@duckdb/node-api';
import { SECONDS_PER_DAY } from '../../../domain/time.js';
import { queryRows } from '../database.js';
import { createRowLocator, locationColumns, ORDINAL } from './check-table.js';
import { NAMED_ROWS } from './load-failures.js';
import type { LoadedTable } from './load-table.js';
import { rawTable, typedTable } from './table-request.js';
import { showDay } from '../../../domain/show-day.js';

/** Rows apart from all others are strays when they are so few: one in a hundred, or one. */
const STRAY_SHARE = 0.01;

/** With fewer rows, nobody can say which of them are apart. */
const FEWEST_OTHERS = 4;

/** They are strays only so far apart from the others… */
const SHORTEST_GAP_SECONDS = 365 * SECONDS_PER_DAY;

/** … and so many times as far as any two others are from each other. */
const GAP_RATIO = 5;

/** Few rows at one end of time, far from all others; Unix seconds. */
interface Strays {
  readonly count: number;
  /** The one nearest to the others, and the other row nearest to it. */
  readonly nearest: number;
  readonly border: number;
}

/**
 * Rows whose times lie years apart from those of all others. The latest row of all is taken for the present, so strays
 * after the others are problems, each with its row; strays before them are warned of.
 */
export async function findStrayTimes(
  connection: DuckDBConnection,
  loaded: LoadedTable,
): Promise<{ problems: string[]; warnings: string[] }> {
  const late = await findStrays(connection, loaded, 'DESC');
  const early = await findStrays(connection, loaded, 'ASC');
  return {
    problems: late === undefined ? [] : await describeLate(connection, loaded, late),
    warnings:
      early === undefined
        ? []
        : [
            `${loaded.table}: ${early.count} rows have a timestamp of ${showDay(early.nearest)} or before, ` +
              `${yearsBetween(early)} years before all others: do they stand for no time? interactions.times: { from: … } leaves them out`,
          ],
  };
}

async function findStrays(
  connection: DuckDBConnection,
  { table, rowsRead }: LoadedTable,
  order: 'ASC' | 'DESC',
): Promise<Strays | undefined> {
  const most = Math.max(1, Math.floor(rowsRead * STRAY_SHARE));
  if (rowsRead - most < FEWEST_OTHERS) return undefined;
  const ends = await queryRows(
    connection,
    `SELECT position, timestamp, next, abs(timestamp - next) AS gap FROM (
       SELECT timestamp, lead(timestamp) OVER nearer AS next, row_number() OVER nearer AS position FROM (
         SELECT timestamp FROM ${typedTable(table)} ORDER BY timestamp ${order} LIMIT ${most + 1})
       WINDOW nearer AS (ORDER BY timestamp ${order}))
     WHERE next IS NOT NULL ORDER BY gap DESC, position DESC LIMIT 1`,
  );
  const gap = Number(ends[0]?.gap ?? 0);
  if (gap < SHORTEST_GAP_SECONDS) return undefined;
  const border = Number(ends[0]!.next);
  const isOther = order === 'DESC' ? `timestamp <= ${border}` : `timestamp >= ${border}`;
  const [others] = await queryRows(
    connection,
    `SELECT max(gap) AS gap FROM (SELECT timestamp - lag(timestamp) OVER (ORDER BY timestamp) AS gap
       FROM ${typedTable(table)} WHERE ${isOther})`,
  );
  if (gap < GAP_RATIO * Number(others!.gap)) return undefined;
  return { count: Number(ends[0]!.position), nearest: Number(ends[0]!.timestamp), border };
}

async function describeLate(
  connection: DuckDBConnection,
  loaded: LoadedTable,
  strays: Strays,
): Promise<string[]> {
  const rows = await queryRows(
    connection,
    `SELECT ${locationColumns(loaded)}, typed.timestamp FROM ${typedTable(loaded.table)} AS typed
     JOIN ${rawTable(loaded.table)} AS raw ON raw.rowid = typed.${ORDINAL}
     WHERE typed.timestamp >= ${strays.nearest} ORDER BY raw.rowid LIMIT ${NAMED_ROWS}`,
  );
  const locate = await createRowLocator(connection, loaded);
  const last = showDay(strays.border);
  const says =
    `${yearsBetween(strays)} years after all others, the last of which is of ${last}, and would be taken for the present; ` +
    `interactions.times: { to: ${nextDay(strays.border)} } leaves such rows out, a later day keeps them`;
  const more = strays.count - rows.length;
  return [
    ...rows.map((row) => `${locate('timestamp', row)}: is of ${showDay(Number(row.timestamp))}, ${says}`),
    ...(more > 0 ? [`${loaded.table}: … and ${more} more rows like these`] : []),
  ];
}

function yearsBetween({ nearest, border }: Strays): number {
  return Math.floor(Math.abs(nearest - border) / SHORTEST_GAP_SECONDS);
}

function nextDay(seconds: number): string {
  return showDay(seconds + SECONDS_PER_DAY);
}

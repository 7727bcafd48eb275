import type { DuckDBConnection } from '@duckdb/node-api';
import { SECONDS_PER_DAY } from '../../../domain/time.js';
import { queryRows, quoteIdentifier } from '../database.js';
import { ORDINAL } from './check-table.js';
import { listLeftOut } from './events-request.js';
import { COLUMN_DEFAULTS } from './keep-interactions.js';
import type { ReadTable } from './read-table.js';

/** Exports of a warehouse are late by less. */
const LONGEST_GAP_SECONDS = 30 * SECONDS_PER_DAY;

/**
 * Adds the rows of `typed_events` to `typed_interactions`, after its own in the order of rows. Where the interactions have
 * no value or type, their rows get what stands for it.
 *
 * @param tables.events undefined where there are none
 * @param tables.folder where they were looked for
 * @returns both as one table, with warnings of events that are rows of the files too, and of a gap between both
 */
export async function addEvents(
  connection: DuckDBConnection,
  tables: { interactions: ReadTable; events: ReadTable | undefined; folder: string },
): Promise<ReadTable> {
  const { interactions, events, folder } = tables;
  if (events === undefined) return { ...interactions, events: { folder, files: 0, rows: 0 } };
  const warnings = await listWarnings(connection);
  const rows = await appendRows(connection, {
    columns: [...events.loaded.types.keys()],
    given: [...interactions.loaded.types.keys()],
    offset: interactions.loaded.rowsRead,
  });
  return {
    loaded: {
      ...interactions.loaded,
      types: new Map([...events.loaded.types, ...interactions.loaded.types]),
      files: [...interactions.loaded.files, ...events.loaded.files],
      rowsRead: interactions.loaded.rowsRead + countRead(events),
    },
    problems: [],
    missing: addCounts(interactions.missing, events.missing),
    dropped: addCounts(interactions.dropped, events.dropped),
    warnings: [...interactions.warnings, ...events.warnings, ...warnings],
    seconds: interactions.seconds + events.seconds,
    events: { folder, files: events.loaded.files.length, rows },
  };
}

/** @returns how many rows were added */
async function appendRows(
  connection: DuckDBConnection,
  { columns, given, offset }: { columns: readonly string[]; given: readonly string[]; offset: number },
): Promise<number> {
  const own = columns.map((name) => {
    const column = quoteIdentifier(name);
    return given.includes(name) ? column : `${COLUMN_DEFAULTS[name]!} AS ${column}`;
  });
  await connection.run(
    `CREATE TABLE interactions_and_events AS
     SELECT ${own.join(', ')}, ${ORDINAL} FROM typed_interactions
     UNION ALL
     SELECT ${columns.map(quoteIdentifier).join(', ')}, ${ORDINAL} + ${offset} AS ${ORDINAL} FROM typed_events`,
  );
  const [row] = await queryRows(connection, 'SELECT count(*) AS rows FROM typed_events');
  await connection.run('DROP TABLE typed_interactions');
  await connection.run('DROP TABLE typed_events');
  await connection.run('ALTER TABLE interactions_and_events RENAME TO typed_interactions');
  return Number(row!.rows);
}

/** Rows of the files of events, with those that the query passed over. */
function countRead({ loaded, dropped }: ReadTable): number {
  return Object.keys(listLeftOut(undefined)).reduce(
    (rows, reason) => rows + (dropped[reason] ?? 0),
    loaded.rowsRead,
  );
}

function addCounts(
  one: Readonly<Record<string, number>>,
  other: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum: Record<string, number> = { ...one };
  for (const [name, count] of Object.entries(other)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}

/** Warns of events that a warehouse seems to have delivered too, and of a time that neither it nor they cover. */
async function listWarnings(connection: DuckDBConnection): Promise<string[]> {
  const [both] = await queryRows(
    connection,
    `SELECT count(*) AS rows FROM (SELECT user_id, item_id, floor(timestamp) AS second FROM typed_events) AS event
     SEMI JOIN (SELECT user_id, item_id, floor(timestamp) AS second FROM typed_interactions) AS row USING (user_id, item_id, second)`,
  );
  const [times] = await queryRows(
    connection,
    `SELECT (SELECT max(timestamp) FROM typed_interactions) AS last, (SELECT min(timestamp) FROM typed_events) AS first`,
  );
  const repeats = Number(both!.rows);
  const gap = times!.first === null || times!.last === null ? 0 : Number(times!.first) - Number(times!.last);
  return [
    ...(repeats > 0
      ? [
          `events: ${repeats} events have the user, the item and the second of a row of interactions, and count beside it: ` +
            'where the files have the same clicks, use one of the two',
        ]
      : []),
    ...(gap > LONGEST_GAP_SECONDS
      ? [
          `events: the first is of ${toDate(times!.first)}, ${Math.floor(gap / SECONDS_PER_DAY)} days after the last row of interactions: nothing is known of the time between`,
        ]
      : []),
  ];
}

function toDate(seconds: unknown): string {
  return new Date(Number(seconds) * 1000).toISOString().slice(0, 10);
}

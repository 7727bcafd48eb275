import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetConfig } from '../../../config/dataset-config.js';
import { MOST_SECONDS_AHEAD } from '../../../domain/event.js';
import type { ForgottenList } from '../../../domain/forgetting.js';
import { quoteIdentifier } from '../database.js';
import { createForgottenDigests } from '../forgotten-digests.js';
import type { ReadTable } from './read-table.js';
import { type ReadTables, viewOf } from './read-tables.js';
import { type TableName, typedTable } from './table-request.js';

/** Why rows are dropped. */
const OF_FORGOTTEN = 'of users who asked to be forgotten';

/** The ids of users in a table, and the times of its rows where it has some. */
interface UserTable {
  readonly table: TableName;
  readonly key: string;
  readonly time?: string | undefined;
}

/**
 * Takes the rows of users who asked to be forgotten out of every typed table that has users: those of before that, and those without a time, since nobody can tell that
 * they are later.
 * @returns the tables, and Unix seconds of the latest who asked; undefined where nobody did
 */
export async function leaveForgottenOut(
  connection: DuckDBConnection,
  read: ReadTables,
  { config, forgotten }: { config: DatasetConfig; forgotten: ForgottenList | undefined },
): Promise<{ read: ReadTables; forgottenUntil?: number | undefined }> {
  const users = Array.from(forgotten?.entries() ?? []);
  if (users.length === 0) return { read };
  const tables = listUserTables(config, read);
  await findIds(connection, users, tables);
  const left: [TableName, ReadTable][] = [];
  for (const each of tables) {
    const rows = await removeRows(connection, each);
    const before = read[each.table as keyof ReadTables]!;
    left.push([each.table, { ...before, dropped: { ...before.dropped, [OF_FORGOTTEN]: rows } }]);
  }
  await connection.run('DROP TABLE forgotten_ids');
  const forgottenUntil = users.reduce((latest, [, at]) => Math.max(latest, at), Number.NEGATIVE_INFINITY);
  return { read: { ...read, ...Object.fromEntries(left) }, forgottenUntil };
}

function listUserTables(config: DatasetConfig, read: ReadTables): UserTable[] {
  const hasTimes = read.interactions.loaded.types.has('timestamp');
  return [
    { table: 'interactions', key: 'user_id', time: hasTimes ? 'timestamp' : undefined },
    ...(read.users === undefined ? [] : [{ table: 'users', key: 'user_id' } as const]),
    ...Object.keys(read).flatMap((table) => {
      if (!isView(table)) return [];
      const { entity, key, eventTime } = viewOf(config, table);
      return entity === 'user' ? [{ table, key, time: eventTime }] : [];
    }),
  ];
}

function isView(table: string): table is `views.${string}` {
  return table.startsWith('views.');
}

/** Makes `forgotten_ids` of those ids of the tables whose digests are in the list: each is hashed once, however many rows it has. */
async function findIds(
  connection: DuckDBConnection,
  users: readonly (readonly [digest: string, at: number])[],
  tables: readonly UserTable[],
): Promise<void> {
  await createForgottenDigests(connection, users);
  const ids = tables.map(
    ({ table, key }) => `SELECT ${quoteIdentifier(key)} AS id FROM ${typedTable(table)}`,
  );
  await connection.run(
    `CREATE TABLE forgotten_ids AS SELECT id, asked_at FROM (${ids.join(' UNION ')}) JOIN forgotten_digests ON sha256(id) = digest`,
  );
  await connection.run('DROP TABLE forgotten_digests');
}

async function removeRows(connection: DuckDBConnection, { table, key, time }: UserTable): Promise<number> {
  const typed = typedTable(table);
  const isOf = `${typed}.${quoteIdentifier(key)} = forgotten_ids.id`;
  const isBefore =
    time === undefined
      ? 'true'
      : `${typed}.${quoteIdentifier(time)} <= forgotten_ids.asked_at + ${MOST_SECONDS_AHEAD}`;
  const { rowsChanged } = await connection.run(
    `DELETE FROM ${typed} USING forgotten_ids WHERE ${isOf} AND ${isBefore}`,
  );
  return rowsChanged;
}

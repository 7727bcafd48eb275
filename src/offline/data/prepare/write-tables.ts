import { join } from 'node:path';
import { DuckDBDataChunk, INTEGER, VARCHAR, type DuckDBConnection } from '@duckdb/node-api';
import { sortRawIds } from '../../../domain/id-index.js';
import { copyToParquet, quoteIdentifier, readBlocks } from '../database.js';
import { ORDINAL } from './check-table.js';

const BLOCK_ROWS = 2048;

/** Attribute columns of the entity tables that were given, and the columns of the context, in the dataset's order. */
export interface TablesToWrite {
  /** Whether there is a table `unwanted`. */
  readonly hasUnwanted: boolean;
  /** Whether the interactions have a column `target`. */
  readonly hasTarget: boolean;
  readonly items?: readonly string[];
  readonly users?: readonly string[];
  readonly context?: readonly string[];
}

/**
 * Writes the prepared tables of `kept`, `typed_items` and `typed_users`: items.parquet and users.parquet in the order of
 * sortRawIds, with every id that occurs anywhere, and interactions.parquet by user, time and order in the files; in the same order
 * unwanted.parquet, with what is unwanted of the items. Who only says what they do not want is a user, too.
 *
 * @returns the ids of both kinds, in order
 */
export async function writeTables(
  connection: DuckDBConnection,
  dir: string,
  tables: TablesToWrite,
): Promise<{ items: string[]; users: string[] }> {
  const items = await indexIds(connection, 'item', {
    from: ['kept', ...(tables.items === undefined ? [] : ['typed_items'])],
  });
  const users = await indexIds(connection, 'user', {
    from: [
      'kept',
      ...(tables.users === undefined ? [] : ['typed_users']),
      ...(tables.hasUnwanted ? ['unwanted JOIN item_index USING (item_id)'] : []),
    ],
  });
  await writeEntities(connection, dir, { kind: 'item', attributes: tables.items });
  await writeEntities(connection, dir, { kind: 'user', attributes: tables.users });
  const columns = [...(tables.hasTarget ? ['target'] : []), ...(tables.context ?? []).map(quoteIdentifier)];
  const more = columns.map((name) => `, ${name}`).join('');
  await copyToParquet(
    connection,
    join(dir, 'interactions.parquet'),
    `SELECT user_index, item_index, user_id, item_id, timestamp, CAST(value AS FLOAT) AS value, type${more}
     FROM kept JOIN user_index USING (user_id) JOIN item_index USING (item_id)
     ORDER BY user_index, timestamp, ${ORDINAL}`,
  );
  if (tables.hasUnwanted) {
    await copyToParquet(
      connection,
      join(dir, 'unwanted.parquet'),
      `SELECT user_index, item_index, user_id, item_id, timestamp
       FROM unwanted JOIN user_index USING (user_id) JOIN item_index USING (item_id)
       ORDER BY user_index, timestamp, ${ORDINAL}`,
    );
  }
  return { items, users };
}

async function indexIds(
  connection: DuckDBConnection,
  kind: 'item' | 'user',
  options: { from: readonly string[] },
): Promise<string[]> {
  const key = `${kind}_id`;
  const found: string[] = [];
  const selects = options.from.map((table) => `SELECT DISTINCT ${key} FROM ${table}`);
  await readBlocks(connection, selects.join(' UNION '), ([ids]) => {
    for (const id of ids!) found.push(id as string);
  });
  const ids = sortRawIds(found);
  await connection.run(`CREATE TABLE ${kind}_index (${key} VARCHAR, ${kind}_index INTEGER)`);
  const appender = await connection.createAppender(`${kind}_index`);
  for (let start = 0; start < ids.length; start += BLOCK_ROWS) {
    const block = ids.slice(start, start + BLOCK_ROWS);
    const chunk = DuckDBDataChunk.create([VARCHAR, INTEGER], block.length);
    chunk.setColumns([block, block.map((_, offset) => start + offset)]);
    appender.appendDataChunk(chunk);
  }
  appender.closeSync();
  return ids;
}

async function writeEntities(
  connection: DuckDBConnection,
  dir: string,
  options: { kind: 'item' | 'user'; attributes: readonly string[] | undefined },
): Promise<void> {
  const { kind, attributes } = options;
  const columns = [`${kind}_id`, ...(attributes ?? []).map(quoteIdentifier)].join(', ');
  const join_ = attributes === undefined ? '' : `LEFT JOIN typed_${kind}s USING (${kind}_id)`;
  await copyToParquet(
    connection,
    join(dir, `${kind}s.parquet`),
    `SELECT ${columns} FROM ${kind}_index ${join_} ORDER BY ${kind}_index`,
  );
}

import type { DuckDBConnection } from '@duckdb/node-api';
import { createDependencyAccess } from '../../../../src/domain/dependency-access.js';
import { queryRows, type Row } from '../../../../src/offline/data/database.js';
import { loadTable, type LoadedTable } from '../../../../src/offline/data/prepare/load-table.js';
import type { TableRequest } from '../../../../src/offline/data/prepare/table-request.js';

/** What loading gives: the rows as they are read, or what keeps them from it. */
export type TriedLoad =
  { readonly source: LoadedTable; readonly rows: readonly Row[] } | { readonly problems: readonly string[] };

/**
 * Loads interactions by an SQL in which `{dir}` stands for a folder; problems come without the folder and the name of the table.
 * @param options.reading another connection to load by
 */
export async function tryLoad(
  connection: DuckDBConnection,
  dir: string,
  options: { sql: string; wanted?: Partial<TableRequest>; reading?: DuckDBConnection },
): Promise<TriedLoad> {
  const request: TableRequest = {
    table: 'interactions',
    sql: options.sql.replaceAll('{dir}', dir),
    keys: ['user_id', 'item_id'],
    required: [],
    optional: [],
    texts: [],
    numbers: [],
    times: [],
    ...options.wanted,
  };
  const source = await loadTable(options.reading ?? connection, request, createDependencyAccess());
  if ('problems' in source) {
    const withoutFolder = source.problems.map((problem) => problem.replaceAll(`${dir}/`, ''));
    return { problems: withoutFolder.map((problem) => problem.replace(/^interactions: /, '')) };
  }
  const rows = await queryRows(connection, 'SELECT * FROM raw_interactions ORDER BY rowid');
  await connection.run('DROP TABLE raw_interactions');
  return { source, rows };
}

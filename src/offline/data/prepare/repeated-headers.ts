import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier, quoteLiteral } from '../database.js';
import { createRowLocator, locationColumns } from './check-table.js';
import { NAMED_ROWS } from './load-failures.js';
import type { LoadedTable } from './load-table.js';
import { rawTable } from './table-request.js';
import { kindOf, findText } from './typed-columns.js';

/**
 * Rows that are the header line again, as files have it that were put together with their headers: every column of texts
 * holds its own name, and there are two of them, or one that is called an id.
 */
export async function findRepeatedHeaders(
  connection: DuckDBConnection,
  loaded: LoadedTable,
): Promise<string[]> {
  const columns = [...loaded.types].flatMap(([name, type]) => {
    const origin = loaded.origins.get(name);
    const text = findText(kindOf(type), quoteIdentifier(name));
    return origin === undefined || text === undefined ? [] : [{ name, origin, text }];
  });
  const isTelling = columns.length > 1 || columns.some(({ origin }) => /id$/i.test(origin));
  if (!isTelling) return [];
  const isHeader = columns.map(
    ({ origin, text }) => `lower(${text}) = ${quoteLiteral(origin.toLowerCase())}`,
  );
  const rows = await queryRows(
    connection,
    `SELECT ${locationColumns(loaded)}, count(*) OVER () AS total FROM ${rawTable(loaded.table)} AS raw
     WHERE ${isHeader.join(' AND ')} ORDER BY raw.rowid LIMIT ${NAMED_ROWS}`,
  );
  if (rows.length === 0) return [];
  const locate = await createRowLocator(connection, loaded);
  const column = columns[0]!.name;
  const says = `is the header again ('${columns[0]!.origin}'): remove that line, or read the files that were put together one by one`;
  const more = Number(rows[0]!.total) - rows.length;
  return [
    ...rows.map((row) => `${locate(column, row)}: ${says}`),
    ...(more > 0 ? [`${loaded.table}: … and ${more} more headers`] : []),
  ];
}

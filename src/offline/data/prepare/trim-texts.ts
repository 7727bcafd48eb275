import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier } from '../database.js';
import type { LoadedTable } from './load-table.js';
import { rawTable } from './table-request.js';
import { hasBlanks, hasUnseenBlanks, trimmed } from './text-rules.js';

/**
 * Takes the blanks around the texts of a loaded table away, which are part of no value.
 * @returns warnings of those that nobody sees, by column
 */
export async function trimTexts(connection: DuckDBConnection, loaded: LoadedTable): Promise<string[]> {
  const table = rawTable(loaded.table);
  const names = [...loaded.types].flatMap(([name, type]) => (type === 'VARCHAR' ? [name] : []));
  if (names.length === 0) return [];
  const counts = names.map((name, place) => {
    const text = quoteIdentifier(name);
    return `count(*) FILTER (WHERE ${hasBlanks(text)}) AS b${place}, count(*) FILTER (WHERE ${hasUnseenBlanks(text)}) AS u${place}`;
  });
  const [row] = await queryRows(connection, `SELECT ${counts.join(', ')} FROM ${table}`);
  const blank = names.filter((_, place) => row![`b${place}`] !== 0n).map(quoteIdentifier);
  if (blank.length > 0)
    await connection.run(
      `UPDATE ${table} SET ${blank.map((text) => `${text} = ${trimmed(text)}`).join(', ')}`,
    );
  return names.flatMap((name, place) =>
    row![`u${place}`] === 0n
      ? []
      : [
          `${loaded.table}: ${String(row![`u${place}`])} rows have blanks around the ${name} that nobody sees ` +
            '(no-break or zero-width spaces, byte order marks); they are left out',
        ],
  );
}

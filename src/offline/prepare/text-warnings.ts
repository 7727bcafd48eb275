import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier } from '../database.js';
import type { LoadedSource } from './load-source.js';
import { rawTable, typedTable } from './source-request.js';
import { hasUnseenBlanks, isNoValue } from './text-rules.js';
import { kindOf, textNumber } from './typed-columns.js';

/** Different words for "no value" that are told of one column; more are hardly ever there. */
const MOST_WORDS = 10;

/**
 * Texts of a typed source that may not mean what they say: words that other tools write for "no value", which are ids,
 * categories and texts like others to us; and blanks around values that nobody sees, which are left out.
 */
export async function listTextWarnings(
  connection: DuckDBConnection,
  source: LoadedSource,
): Promise<string[]> {
  const typed = await queryRows(connection, `DESCRIBE ${typedTable(source.table)}`);
  const warnings: string[] = [];
  for (const { column_name, column_type } of typed) {
    const name = String(column_name);
    if (/^VARCHAR(\[\])?$/.test(String(column_type)))
      warnings.push(...(await listWords(connection, source, { name, type: String(column_type) })));
    if (column_type === 'VARCHAR') warnings.push(...(await listUnseenBlanks(connection, source, name)));
  }
  return warnings;
}

async function listWords(
  connection: DuckDBConnection,
  { table }: LoadedSource,
  { name, type }: { name: string; type: string },
): Promise<string[]> {
  const column = quoteIdentifier(name);
  const value = type === 'VARCHAR' ? column : `unnest(${column})`;
  const rows = await queryRows(
    connection,
    `SELECT word, count(*) AS rows FROM (SELECT ${value} AS word FROM ${typedTable(table)})
     WHERE ${isNoValue('word')} GROUP BY word ORDER BY word LIMIT ${MOST_WORDS}`,
  );
  const remedy =
    type === 'VARCHAR'
      ? (word: string) => `nullif(${name}, '${word}')`
      : (word: string) => `list_filter(${name}, lambda value: value <> '${word}')`;
  return rows.map(
    ({ word, rows }) =>
      `${table}: ${String(rows)} rows have the ${name} '${String(word)}', which is taken as any other text; ` +
      `where it stands for no value, say ${remedy(String(word))} in the SQL`,
  );
}

async function listUnseenBlanks(
  connection: DuckDBConnection,
  source: LoadedSource,
  name: string,
): Promise<string[]> {
  const text = textNumber(kindOf(source.types.get(name) ?? 'VARCHAR'), quoteIdentifier(name));
  if (text === undefined) return [];
  const [row] = await queryRows(
    connection,
    `SELECT count(*) AS rows FROM ${rawTable(source.table)} WHERE ${hasUnseenBlanks(text)}`,
  );
  const rows = Number(row!.rows);
  if (rows === 0) return [];
  return [
    `${source.table}: ${rows} rows have a ${name} with blanks around it that nobody sees (no-break or zero-width spaces, byte order marks); they are left out`,
  ];
}

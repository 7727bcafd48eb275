import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier } from '../database.js';
import type { LoadedTable } from './load-table.js';
import { typedTable } from './table-request.js';
import { isNoValue } from './text-rules.js';

/** Different words for "no value" that are told of one column; more are hardly ever there. */
const MOST_WORDS = 10;

/** Words that other tools write for "no value", which are ids, categories and texts of a typed table like others to us. */
export async function listWordWarnings(
  connection: DuckDBConnection,
  { table }: LoadedTable,
): Promise<string[]> {
  const columns = await queryRows(connection, `DESCRIBE ${typedTable(table)}`);
  const warnings: string[] = [];
  for (const { column_name, column_type } of columns) {
    const name = String(column_name);
    const value = VALUES[String(column_type)]?.(quoteIdentifier(name));
    if (value === undefined) continue;
    const rows = await queryRows(
      connection,
      `SELECT word, count(*) AS rows FROM (SELECT ${value} AS word FROM ${typedTable(table)})
       WHERE ${isNoValue('word')} GROUP BY word ORDER BY word LIMIT ${MOST_WORDS}`,
    );
    const isList = column_type !== 'VARCHAR';
    warnings.push(
      ...rows.map((row) => describe({ table, name, isList, word: String(row.word), rows: String(row.rows) })),
    );
  }
  return warnings;
}

/** Columns of texts, and of lists of them. */
const VALUES: Readonly<Record<string, ((column: string) => string) | undefined>> = {
  VARCHAR: (column) => column,
  'VARCHAR[]': (column) => `unnest(${column})`,
};

function describe(found: {
  table: string;
  name: string;
  isList: boolean;
  word: string;
  rows: string;
}): string {
  const { table, name, isList, word, rows } = found;
  const remedy = isList
    ? `list_filter(${name}, lambda value: value <> '${word}')`
    : `nullif(${name}, '${word}')`;
  return `${table}: ${rows} rows have the ${name} '${word}', which is taken as any other text; where it stands for no value, say ${remedy} in the SQL`;
}

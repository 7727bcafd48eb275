import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier, quoteLiteral, type Row } from '../database.js';
import {
  isBlankOrNoValue,
  isTruthValue,
  isWholeNumber,
  numberOfText,
  secondsOfText,
  trimmed,
} from '../prepare/text-rules.js';
import { describeCsv } from './describe-csv.js';
import type { FoundColumn, FoundTable } from './found-table.js';
import { joinFiles, listDataFiles, type DataFile } from './list-data-files.js';

/** Rows that are looked at of a table. */
const MOST_ROWS = 1_000_000;

/** Signs that separate the values of a text. */
export const SEPARATORS = ['|', ';', ',', '/'] as const;

/** The tables of a folder, looked at row by row, and the files that hold none. */
export async function findTables(
  connection: DuckDBConnection,
  folder: string,
): Promise<{ tables: FoundTable[]; others: string[] }> {
  const tables: FoundTable[] = [];
  const others: string[] = [];
  for (const file of await joinAlike(connection, folder, listDataFiles(folder))) {
    const table = await readTable(connection, folder, { file, view: `found_${tables.length}` });
    if (table === undefined) others.push(file.path);
    else tables.push(table);
  }
  return { tables, others };
}

/** Files of a folder that have the same columns are one table. */
async function joinAlike(
  connection: DuckDBConnection,
  folder: string,
  files: readonly DataFile[],
): Promise<DataFile[]> {
  const joined: DataFile[] = [];
  for (const group of joinFiles(files)) {
    const shapes = new Set<string>();
    if (group.files.length > 1)
      for (const file of group.files)
        shapes.add(await namesOf(connection, folder, { ...group, path: file, files: [file] }));
    if (shapes.size <= 1 && !shapes.has('')) joined.push(group);
    else joined.push(...group.files.map((file) => ({ ...group, path: file, files: [file] })));
  }
  return joined;
}

/** The columns of a file as one text; empty where it does not name them. */
async function namesOf(connection: DuckDBConnection, folder: string, file: DataFile): Promise<string> {
  const from = await describeSource(connection, folder, file);
  if (from === undefined || !from.hasNames) return '';
  const rows = await queryRows(
    connection,
    `DESCRIBE SELECT * FROM ${from.sql.replaceAll('{path}', () => literal(folder))}`,
  ).catch(() => []);
  return rows.map((row) => String(row.column_name)).join('\n');
}

async function readTable(
  connection: DuckDBConnection,
  folder: string,
  { file, view }: { file: DataFile; view: string },
): Promise<FoundTable | undefined> {
  const source = await describeSource(connection, folder, file);
  if (source === undefined) return undefined;
  try {
    const from = source.looking.replaceAll('{path}', () => literal(folder));
    await connection.run(`CREATE TABLE ${view} AS SELECT * FROM ${from} LIMIT ${MOST_ROWS + 1}`);
    const described = await queryRows(connection, `DESCRIBE ${view}`);
    const columns = described.map((row) => ({
      name: String(row.column_name),
      type: String(row.column_type),
    }));
    const [row] = await queryRows(connection, selectProfile(view, columns));
    const rows = Number(row!.rows);
    if (rows === 0 || columns.length < 2) return undefined;
    return {
      path: file.path,
      from: source.sql,
      view,
      hasNames: source.hasNames,
      isCsv: file.kind === 'csv',
      rows: Math.min(rows, MOST_ROWS),
      isCut: rows > MOST_ROWS,
      columns: columns.map((column, place) => toColumn(column, row![`c${place}`] as Row)),
    };
  } catch {
    return undefined;
  }
}

/** The FROM that a config says, and the one to look through: of text files, it reads nothing but text. */
async function describeSource(
  connection: DuckDBConnection,
  folder: string,
  file: DataFile,
): Promise<{ sql: string; looking: string; hasNames: boolean } | undefined> {
  const path = quoteLiteral(`{path}/${file.path.replaceAll(/[[?]/g, '[$&]')}`);
  if (file.kind === 'json') return { sql: path, looking: path, hasNames: true };
  if (file.kind === 'parquet') {
    const sql = file.path.includes('**') ? `read_parquet(${path}, hive_partitioning = true)` : path;
    return { sql, looking: sql, hasNames: true };
  }
  const shape = await describeCsv(connection, folder, file);
  if (shape === undefined) return undefined;
  const names = shape.hasNames ? [] : [`names = [${shape.columns.map(quoteLiteral).join(', ')}]`];
  const options = [...shape.options, ...names].join(', ');
  return {
    sql: `read_csv(${path}, ${options})`,
    looking: `read_csv(${path}, ${options}, all_varchar = true, sample_size = -1)`,
    hasNames: shape.hasNames,
  };
}

function literal(folder: string): string {
  return folder.replaceAll(/[*?[]/g, '[$&]').replaceAll("'", "''");
}

function selectProfile(view: string, columns: readonly { name: string; type: string }[]): string {
  const profiles = columns.map(({ name }, place) => {
    const text = quoteIdentifier(name);
    const number = numberOfText(text);
    const finite = `CASE WHEN isfinite(${number}) THEN ${number} END`;
    const seconds = secondsOfText(text);
    const separators = SEPARATORS.map(
      (sign, at) => `s${at}: count(*) FILTER (WHERE contains(${text}, ${quoteLiteral(sign)}))`,
    );
    return `{
      filled: count(*) FILTER (WHERE NOT ${isBlankOrNoValue(text)}), empty: count(*) - count(${text}), distinct_values: count(DISTINCT ${text}), numbers: count(${number}),
      wholes: count(*) FILTER (WHERE ${isWholeNumber(text)}), smallest: min(${finite}), largest: max(${finite}),
      low: approx_quantile(${finite}, 0.05), high: approx_quantile(${finite}, 0.95),
      instants: count(${seconds}), oldest: min(${seconds}), newest: max(${seconds}),
      truths: count(*) FILTER (WHERE ${isTruthValue(text)}), mean_length: avg(length(${text})), example: first(left(${text}, 60)),
      ${separators.join(', ')}
    } AS c${place}`;
  });
  const texts = columns.map(
    ({ name }) => `${trimmed(`CAST(${quoteIdentifier(name)} AS VARCHAR)`)} AS ${quoteIdentifier(name)}`,
  );
  return `SELECT count(*) AS rows, ${profiles.join(', ')} FROM (SELECT ${texts.join(', ')} FROM ${view})`;
}

function toColumn({ name, type }: { name: string; type: string }, profile: Row): FoundColumn {
  const { example, ...counts } = profile;
  const number = (key: string): number => Number(counts[key] ?? 0);
  return {
    name,
    type,
    filled: number('filled'),
    empty: number('empty'),
    distinct: number('distinct_values'),
    numbers: number('numbers'),
    wholes: number('wholes'),
    smallest: number('smallest'),
    largest: number('largest'),
    low: number('low'),
    high: number('high'),
    instants: number('instants'),
    oldest: number('oldest'),
    newest: number('newest'),
    truths: number('truths'),
    separators: Object.fromEntries(SEPARATORS.map((sign, at) => [sign, number(`s${at}`)])),
    meanLength: number('mean_length'),
    example: typeof example === 'string' ? example : '',
  };
}

import { basename, join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { duckdbMessage, queryRows, quoteIdentifier, quoteLiteral, type Row } from '../database.js';
import { findFileReaders } from '../prepare/file-readers.js';
import { formatSelect, parseSelect, type TreeNode } from '../prepare/select-tree.js';
import { settleFiles } from '../prepare/settle-files.js';
import { setOption } from '../prepare/reader-node.js';
import type { TableRequest } from '../prepare/table-request.js';
import {
  isBlankOrNoValue,
  isTruthValue,
  isWholeNumber,
  numberOfText,
  secondsOfText,
  trimmed,
} from '../prepare/text-rules.js';
import { SILENT_PROGRESS } from '../../progress/progress.js';
import { describeCsv } from './describe-csv.js';
import type { FoundColumn, FoundTable } from './found-table.js';
import { joinFiles, listDataFiles, placeOf, type DataFile } from './list-data-files.js';

/** Rows that are looked at of a table. */
const MOST_ROWS = 1_000_000;

/** Signs that separate the values of a text. */
export const SEPARATORS = ['|', ';', ',', '/'] as const;

/** A file that no table is made of, and why. */
export interface OtherFile {
  readonly path: string;
  readonly why: string;
}

/** How files are read: the FROM that a config says, and the one to look through, which reads text files as text. */
interface Reading {
  readonly sql: string;
  readonly looking: string;
  readonly hasNames: boolean;
  /** The columns, in alphabetical order, with the options of the reader; alike for files that are one table. */
  readonly shape: string;
}

/** The tables of a folder, looked at row by row, and the files that hold none. */
export async function findTables(
  connection: DuckDBConnection,
  folder: string,
): Promise<{ tables: FoundTable[]; others: OtherFile[] }> {
  const tables: FoundTable[] = [];
  const files = listDataFiles(folder);
  const { sound, others } = await checkFiles(connection, folder, files);
  for (const file of joinAlike(sound, files)) {
    const table = await readTable(connection, folder, { file, view: `found_${tables.length}` });
    if ('why' in table) others.push(table);
    else tables.push(table);
  }
  return { tables, others };
}

/** Reads every file as `prepare` does, and tells those that it refuses. */
async function checkFiles(
  connection: DuckDBConnection,
  folder: string,
  files: readonly DataFile[],
): Promise<{ sound: { file: DataFile; shape: string }[]; others: OtherFile[] }> {
  const sound: { file: DataFile; shape: string }[] = [];
  const others: OtherFile[] = [];
  for (const file of files) {
    const reading = await settle(connection, folder, file);
    if ('why' in reading) others.push(reading);
    else sound.push({ file, shape: reading.shape });
  }
  return { sound, others };
}

/** Files of a folder that have the same columns, in whatever order, are one table. */
function joinAlike(
  sound: readonly { file: DataFile; shape: string }[],
  all: readonly DataFile[],
): DataFile[] {
  const groups = new Map<string, DataFile[]>();
  for (const { file, shape } of sound) {
    // Without names of columns, nothing says that two files are alike.
    const place = shape === '' ? file.files[0]! : [placeOf(file), shape, subjectOf(file, shape)].join('\n');
    groups.set(place, [...(groups.get(place) ?? []), file]);
  }
  return [...groups.values()].map((group) => joinFiles(group, all));
}

/** Where the id is called `id`, only the file's name says of what: `users.csv` and `items.csv` with `id,name` are two tables. */
function subjectOf({ files: [path] }: DataFile, shape: string): string {
  return shape.split('\n').includes('id') ? /^[^\d_.-]*/.exec(basename(path!))![0] : '';
}

async function readTable(
  connection: DuckDBConnection,
  folder: string,
  { file, view }: { file: DataFile; view: string },
): Promise<FoundTable | OtherFile> {
  const reading = await settle(connection, folder, file);
  if ('why' in reading) return reading;
  const path = file.patterns.join(', ');
  try {
    await connection.run(`CREATE OR REPLACE TABLE ${view} AS ${reading.looking} LIMIT ${MOST_ROWS + 1}`);
    const columns = await describeColumns(connection, `SELECT * FROM ${view}`);
    const [row] = await queryRows(connection, selectProfile(view, columns));
    const rows = Number(row!.rows);
    if (rows === 0) return { path, why: 'has no rows' };
    if (columns.length < 2) return { path, why: 'has one column only' };
    return {
      path,
      from: reading.sql,
      view,
      hasNames: reading.hasNames,
      isCsv: file.kind === 'csv',
      rows: Math.min(rows, MOST_ROWS),
      isCut: rows > MOST_ROWS,
      columns: columns.map((column, place) => toColumn(column, row![`c${place}`] as Row)),
    };
  } catch (error) {
    return { path, why: duckdbMessage(error) };
  }
}

/** Settles how files are read by the code of `prepare`, or says why it refuses them. */
async function settle(
  connection: DuckDBConnection,
  folder: string,
  file: DataFile,
): Promise<Reading | OtherFile> {
  const path = file.patterns.join(', ');
  try {
    const { sql, hasNames, options } = await describeFile(connection, folder, file);
    const { root } = await parseSelect(
      connection,
      `SELECT * FROM ${sql.replaceAll('{path}', () => literal(folder))}`,
    );
    const settled = await settleFiles(connection, root, { request: ANY_COLUMN, progress: SILENT_PROGRESS });
    const problems = [...settled.problems, ...(settled.failure === undefined ? [] : [settled.failure])];
    if (problems.length > 0) return { path, why: listReasons(problems, { folder, path }) };
    if (settled.files.every(({ bytes }) => bytes === 0)) return { path, why: 'is empty' };
    if (file.kind === 'csv') {
      await setCsvOption(connection, root, { name: 'all_varchar', value: 'true' });
      await setCsvOption(connection, root, { name: 'sample_size', value: '-1' });
    }
    const looking = await formatSelect(connection, root);
    const columns = await describeColumns(connection, looking);
    const names = columns.map(({ name }) => name.toLowerCase()).sort();
    return { sql, looking, hasNames, shape: hasNames ? [...options, ...names].join('\n') : '' };
  } catch (error) {
    return { path, why: duckdbMessage(error) };
  }
}

/** `init` looks at all columns of a file and wants none of them by its name. */
const ANY_COLUMN: TableRequest = {
  table: 'interactions',
  sql: '',
  keys: [],
  required: [],
  optional: [],
  texts: [],
  numbers: [],
  times: [],
};

/** The file's name is said before its reasons already. */
function listReasons(
  problems: readonly string[],
  { folder, path }: { folder: string; path: string },
): string {
  return problems.map((problem) => problem.replaceAll(`${join(folder, path)}: `, '')).join('; ');
}

async function setCsvOption(
  connection: DuckDBConnection,
  root: TreeNode,
  option: { name: string; value: string },
): Promise<void> {
  for (const source of findFileReaders(root)) await setOption(connection, source, option);
}

async function describeColumns(
  connection: DuckDBConnection,
  sql: string,
): Promise<{ name: string; type: string }[]> {
  const described = await queryRows(connection, `DESCRIBE ${sql}`);
  return described.map((row) => ({ name: String(row.column_name), type: String(row.column_type) }));
}

/** The FROM that a config says. */
async function describeFile(
  connection: DuckDBConnection,
  folder: string,
  file: DataFile,
): Promise<{ sql: string; hasNames: boolean; options: readonly string[] }> {
  const paths = file.patterns.map((each) => quoteLiteral(`{path}/${each.replaceAll(/[[?]/g, '[$&]')}`));
  const path = paths.length === 1 ? paths[0]! : `[${paths.join(', ')}]`;
  const isPlain = paths.length === 1;
  if (file.kind === 'json')
    return { sql: isPlain ? path : `read_json(${path})`, hasNames: true, options: [] };
  if (file.kind === 'parquet') {
    const isPartitioned = file.patterns.some((each) => each.includes('**'));
    const reader = `read_parquet(${path}${isPartitioned ? ', hive_partitioning = true' : ''})`;
    return { sql: isPlain && !isPartitioned ? path : reader, hasNames: true, options: [] };
  }
  const { options, hasNames, columns } = await describeCsv(connection, folder, file);
  const names = hasNames ? [] : [`names = [${columns.map(quoteLiteral).join(', ')}]`];
  return { sql: `read_csv(${[path, ...options, ...names].join(', ')})`, hasNames, options };
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

import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier, quoteLiteral } from '../database.js';
import { asFileSource, type FileKind, type FileSource } from './file-sources.js';
import { branchesOf, type SelectNode, type TreeNode } from './select-tree.js';
import { addOption, findColumnOf, findColumnTypes, optionsOf } from './source-node.js';
import type { SourceRequest } from './source-request.js';
import { kindOf } from './typed-columns.js';

/** A column of a source that is a wanted one. */
interface WantedColumn {
  readonly output: string;
  readonly column: string;
  readonly type: string;
}

const TIME_FORMATS = new Set(['dateformat', 'timestampformat', 'date_format', 'timestamp_format']);
const TYPE_OPTIONS: Readonly<Record<FileKind, ReadonlySet<string>>> = {
  csv: new Set(['types', 'dtypes', 'column_types', 'columns', 'all_varchar', 'auto_detect']),
  json: new Set(['columns', 'auto_detect', 'records']),
  parquet: new Set(['hive_types', 'hive_types_autocast', 'schema']),
};

/**
 * Has the readers of a tree keep the text of ids, categories and other texts, and of times that DuckDB would guess the
 * format of: it reads 1.10 as 1.1, T as true, the JSON text 10-11-12 as a date, 02/01/2024 as the second of January.
 * Readers that a query tells the types are left alone.
 *
 * @returns the wanted columns that are now the text of a CSV file
 */
export async function keepText(
  connection: DuckDBConnection,
  root: TreeNode,
  request: SourceRequest,
): Promise<string[]> {
  const kept = new Set<string>();
  for (const branch of branchesOf(root)) {
    const source = asFileSource(branch.from_table);
    if (source === undefined || optionsOf(source.node).some((name) => TYPE_OPTIONS[source.kind].has(name)))
      continue;
    const types = await findColumnTypes(connection, source.node);
    const folders = await findFolderColumns(connection, source);
    const columns = findGuessed(branch, { source, types, request });
    const [inFolders, inFile] = partition(columns, ({ column }) => folders.has(column.toLowerCase()));
    const option = inFile.length > 0 ? toOption(source, { columns: inFile, types, folders }) : undefined;
    if (option !== undefined) await addOption(connection, source, option);
    const hiveTypes = toStruct(new Map(inFolders.map(({ column }) => [column, 'VARCHAR'])));
    if (inFolders.length > 0) await addOption(connection, source, { name: 'hive_types', value: hiveTypes });
    if (source.kind === 'csv') for (const { output } of inFile) kept.add(output);
  }
  return [...kept];
}

/** Wanted columns of a source whose values a guess may change. */
function findGuessed(
  branch: SelectNode,
  options: { source: FileSource; types: ReadonlyMap<string, string>; request: SourceRequest },
): WantedColumn[] {
  const { source, types, request } = options;
  const find = (output: string): WantedColumn[] => {
    const name = findColumnOf(branch, output)?.toLowerCase();
    const found = [...types].find(([column]) => column.toLowerCase() === name);
    return found === undefined ? [] : [{ output, column: found[0], type: found[1] }];
  };
  const hasFormat = optionsOf(source.node).some((name) => TIME_FORMATS.has(name));
  const times = request.times.flatMap(find).filter(({ type }) => kindOf(type) === 'time' && !hasFormat);
  const texts = [...request.keys, ...request.texts].flatMap(find);
  if (source.kind === 'csv') return [...texts, ...times];
  return [...texts, ...times].filter(({ type }) => isGuessedFromText(type));
}

/** JSON texts and names of folders become these types when all of them look like it. */
function isGuessedFromText(type: string): boolean {
  const element = kindOf(type.replace(/(\[\])+$/, ''));
  return element === 'time' || element === 'other-scalar';
}

/** Columns that are in the names of folders: `genre=Drama`. */
async function findFolderColumns(connection: DuckDBConnection, source: FileSource): Promise<Set<string>> {
  const [pattern] = source.patterns;
  const [row] = await queryRows(connection, `SELECT file FROM glob(${quoteLiteral(pattern!)}) LIMIT 1`);
  const path = typeof row?.file === 'string' ? row.file : '';
  const folders = path.matchAll(/(?<=[/\\])([^/\\=]+)=(?=[^/\\]*[/\\])/g);
  return new Set([...folders].map(([, name]) => name!.toLowerCase()));
}

function toOption(
  source: FileSource,
  options: {
    columns: readonly WantedColumn[];
    types: ReadonlyMap<string, string>;
    folders: ReadonlySet<string>;
  },
): { name: string; value: string } | undefined {
  const { columns, types, folders } = options;
  const texts = new Map(columns.map(({ column, type }) => [column, asText(type)]));
  if (source.kind === 'csv') return { name: 'types', value: toStruct(texts) };
  if (source.kind === 'parquet') return undefined;
  const inFile = [...types].filter(([name]) => !folders.has(name.toLowerCase()));
  return { name: 'columns', value: toStruct(new Map([...inFile, ...texts])) };
}

/** VARCHAR, in as many brackets as the type has. */
function asText(type: string): string {
  return `VARCHAR${/(\[\])*$/.exec(type)![0]}`;
}

function partition<T>(values: readonly T[], isFirst: (value: T) => boolean): [T[], T[]] {
  return [values.filter(isFirst), values.filter((value) => !isFirst(value))];
}

function toStruct(types: ReadonlyMap<string, string>): string {
  const fields = [...types].map(([name, type]) => `${quoteIdentifier(name)}: ${quoteLiteral(type)}`);
  return `{${fields.join(', ')}}`;
}

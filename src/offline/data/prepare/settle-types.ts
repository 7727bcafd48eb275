import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteIdentifier, quoteLiteral } from '../database.js';
import { findFileReaders, type FileKind, type FileReader } from './file-readers.js';
import { branchesOf, findPlainColumn, outputName, walkTree } from './select-tree.js';
import { parseSelect, type SelectNode, type TreeNode } from './select-tree.js';
import { addOption, findColumnOf, findColumnTypes, listFolderColumns, optionsOf } from './reader-node.js';
import type { TableRequest } from './table-request.js';
import { kindOf } from './typed-columns.js';

/** A column of a reader that is a wanted one. */
interface WantedColumn {
  readonly output: string;
  readonly column: string;
  readonly type: string;
}

/** A reader of a query whose types are left to DuckDB. */
interface UntypedReader {
  readonly reader: FileReader;
  /** The SELECT directly over it, if there is one. */
  readonly branch: SelectNode | undefined;
  /** Columns of the files, and of the names of their folders. */
  readonly types: ReadonlyMap<string, string>;
  /** Columns of the names of folders, in lower case. */
  readonly folders: ReadonlySet<string>;
}

const TIME_FORMATS = new Set(['dateformat', 'timestampformat', 'date_format', 'timestamp_format']);
const NUMBER_FORMATS = new Set(['decimal_separator', 'thousands']);
const TYPE_OPTIONS: Readonly<Record<FileKind, ReadonlySet<string>>> = {
  csv: new Set(['types', 'dtypes', 'column_types', 'columns', 'all_varchar', 'auto_detect']),
  json: new Set(['columns', 'auto_detect', 'records']),
  parquet: new Set(['hive_types', 'hive_types_autocast', 'schema']),
};
/** Without them DuckDB looks at 20,480 rows of a few files and rounds the 1.5 that comes later to 2. */
const WHOLE_FILES: Readonly<Record<FileKind, readonly string[]>> = {
  csv: ['sample_size', 'files_to_sniff'],
  json: ['sample_size', 'maximum_sample_files'],
  parquet: [],
};
const ALL_FILES = 1_000_000_000;

/**
 * Settles what the readers of a tree read the columns of CSV and JSON files as, from all rows of all files. Every column
 * of a CSV file that is wanted as it is stays text, for the rules of `text-rules.ts` to read: DuckDB would read 1.10 as
 * 1.1, T as true, 1_5 and 0xF as 15, 02/01/2024 as the second of January. So do JSON texts that look like dates or UUIDs.
 * Readers that a query tells the types are left alone.
 */
export async function settleTypes(
  connection: DuckDBConnection,
  root: TreeNode,
  request: TableRequest,
): Promise<void> {
  const branches = new Map(branchesOf(root).map((branch) => [branch.from_table, branch]));
  for (const reader of findFileReaders(root)) {
    if (optionsOf(reader.node).some((name) => TYPE_OPTIONS[reader.kind].has(name))) continue;
    const types = await findTypesInAllRows(connection, reader);
    const folders = await findFolderColumns(connection, reader);
    const untyped: UntypedReader = { reader: reader, branch: branches.get(reader.node), types, folders };
    await settleReader(connection, untyped, request);
  }
}

async function findTypesInAllRows(
  connection: DuckDBConnection,
  reader: FileReader,
): Promise<Map<string, string>> {
  const given = optionsOf(reader.node);
  const looking: FileReader = { ...reader, node: structuredClone(reader.node) };
  for (const name of WHOLE_FILES[reader.kind].filter((option) => !given.includes(option))) {
    const value = name === 'maximum_sample_files' ? ALL_FILES : -1;
    await addOption(connection, looking, { name, value: String(value) });
  }
  return findColumnTypes(connection, looking.node);
}

async function settleReader(
  connection: DuckDBConnection,
  untyped: UntypedReader,
  request: TableRequest,
): Promise<void> {
  const { reader, branch, folders } = untyped;
  const texts = branch === undefined ? [] : findGuessed(branch, { ...untyped, request });
  const numbers = branch === undefined ? [] : findNumbers(branch, { ...untyped, request });
  if (branch !== undefined) await keepNumbersElsewhere(connection, branch, { numbers, ...untyped });
  const columns = [...texts, ...numbers];
  const [inFolders, inFile] = partition(columns, ({ column }) => folders.has(column.toLowerCase()));
  const types = settledTypes(untyped, inFile);
  if (types.size > 0) {
    const name = reader.kind === 'csv' ? 'types' : 'columns';
    await addOption(connection, reader, { name, value: toStruct(types) });
  }
  const hiveTypes = new Map(inFolders.map(({ column }) => [column, 'VARCHAR']));
  if (hiveTypes.size > 0)
    await addOption(connection, reader, { name: 'hive_types', value: toStruct(hiveTypes) });
}

/** Wanted columns of a reader whose values a guess may change. */
function findGuessed(
  branch: SelectNode,
  options: Pick<UntypedReader, 'reader' | 'types'> & { request: TableRequest },
): WantedColumn[] {
  const { reader, request } = options;
  const find = (output: string): WantedColumn[] => findWanted(branch, output, options);
  const hasFormat = optionsOf(reader.node).some((name) => TIME_FORMATS.has(name));
  const times = request.times.flatMap(find).filter(({ type }) => kindOf(type) === 'time' && !hasFormat);
  const texts = [...request.keys, ...request.texts].flatMap(find);
  if (reader.kind === 'csv') return [...texts, ...times];
  return [...texts, ...times].filter(({ type }) => isGuessedFromText(type));
}

/**
 * Columns of a CSV file that DuckDB takes for numbers, and that the query gives as they are. Not where it groups, or asks
 * another query, which may have columns of the same names.
 */
function findNumbers(
  branch: SelectNode,
  options: Pick<UntypedReader, 'reader' | 'types' | 'folders'> & { request: TableRequest },
): WantedColumn[] {
  const { reader, folders, request } = options;
  const hasFormat = optionsOf(reader.node).some((name) => NUMBER_FORMATS.has(name));
  const { from_table: _, ...rest } = branch;
  const hasSubquery = [...walkTree(rest)].some((node) => node.class === 'SUBQUERY');
  if (reader.kind !== 'csv' || hasFormat || hasSubquery || branch.group_expressions.length > 0) return [];
  return [...request.numbers, ...request.times]
    .filter((output) => !isCast(branch, output))
    .flatMap((output) => findWanted(branch, output, options))
    .filter(({ column, type }) => NUMBER_KINDS.has(kindOf(type)) && !folders.has(column.toLowerCase()));
}

const NUMBER_KINDS = new Set(['integer', 'decimal', 'float', 'double']);

function isCast(branch: SelectNode, output: string): boolean {
  return branch.select_list.some(
    (each) => each.type === 'OPERATOR_CAST' && outputName(each)?.toLowerCase() === output.toLowerCase(),
  );
}

function findWanted(
  branch: SelectNode,
  output: string,
  { types }: Pick<UntypedReader, 'types'>,
): WantedColumn[] {
  const name = findColumnOf(branch, output)?.toLowerCase();
  const found = [...types].find(([column]) => column.toLowerCase() === name);
  return found === undefined ? [] : [{ output, column: found[0], type: found[1] }];
}

/** Where a query compares or computes with columns that are now text, it goes on with the numbers they were. */
async function keepNumbersElsewhere(
  connection: DuckDBConnection,
  branch: SelectNode,
  options: Pick<UntypedReader, 'types'> & { numbers: readonly WantedColumn[] },
): Promise<void> {
  const { numbers } = options;
  const inFile = new Set([...options.types.keys()].map((name) => name.toLowerCase()));
  const types = new Map(numbers.map(({ column, type }) => [column.toLowerCase(), type]));
  for (const { output, type } of numbers)
    if (!inFile.has(output.toLowerCase())) types.set(output.toLowerCase(), type);
  const { from_table: _, select_list, ...clauses } = branch;
  const computed = select_list.filter((each) => each.type !== 'COLUMN_REF');
  const references = [...walkTree([computed, clauses])].filter((node) => node.type === 'COLUMN_REF');
  for (const reference of references) {
    const type = types.get(findPlainColumn(reference)!.toLowerCase());
    if (type !== undefined) await castReference(connection, reference, type);
  }
}

async function castReference(connection: DuckDBConnection, reference: TreeNode, type: string): Promise<void> {
  const { root } = await parseSelect(connection, `SELECT CAST(source AS ${type}) FROM source`);
  const cast = (root as SelectNode).select_list[0]!;
  Object.assign(reference, { ...cast, alias: reference.alias, child: { ...reference, alias: '' } });
  delete reference.column_names;
}

/** JSON texts and names of folders become these types when all of them look like it. */
function isGuessedFromText(type: string): boolean {
  const element = kindOf(type.replace(/(\[\])+$/, ''));
  return element === 'time' || element === 'other-scalar';
}

/** Columns that are in the names of folders: `genre=Drama`. */
async function findFolderColumns(connection: DuckDBConnection, reader: FileReader): Promise<Set<string>> {
  const [pattern] = reader.patterns;
  const [row] = await queryRows(connection, `SELECT file FROM glob(${quoteLiteral(pattern!)}) LIMIT 1`);
  const path = typeof row?.file === 'string' ? row.file : '';
  return listFolderColumns(path);
}

/** CSV readers may be told the types of some columns: those of times come with a format that they must find. */
function settledTypes(
  { reader, types, folders }: UntypedReader,
  texts: readonly WantedColumn[],
): Map<string, string> {
  if (reader.kind === 'parquet') return new Map();
  const isOption = new Set([...folders, ...optionsOf(reader.node)]);
  const inFile = [...types].filter(
    ([name, type]) =>
      !isOption.has(name.toLowerCase()) && (reader.kind === 'json' || !kindOf(type).startsWith('time')),
  );
  return new Map([...inFile, ...texts.map(({ column, type }) => [column, asText(type)] as const)]);
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

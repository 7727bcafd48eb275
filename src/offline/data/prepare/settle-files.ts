import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteLiteral } from '../database.js';
import { checkParquetPages } from './check-parquet-pages.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { checkContainer, describeDamaged, type Advance } from './file-content.js';
import { findFileReaders, type FileReader, type TableFile } from './file-readers.js';
import { escapeGlob, listFiles, type ListedReader } from './list-files.js';
import { walkTree, type TreeNode } from './select-tree.js';
import { settleDialect, type SettledReader } from './settle-dialect.js';
import { readOptions, readPatterns, setFiles, textOf, type ReaderOptions } from './reader-node.js';
import type { TableRequest } from './table-request.js';

/** The files of a query, each read to its end and found sound, or what is wrong with them. */
export interface SettledFiles {
  readonly files: readonly TableFile[];
  readonly hidden: readonly string[];
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  /** What DuckDB says when it cannot read CSV files whose dialect is known. */
  readonly failure?: string | undefined;
}

const LARGE_MEGABYTES = 200;

/** A place of a query that reads files, with the options that the query gives there. */
interface ToldReader extends FileReader {
  readonly said: ReaderOptions;
  readonly compression: string;
  /** Whether the paths are not those that the text of the query has. */
  readonly isComputed: boolean;
}

/**
 * Lists the files that a query reads and checks each by its own means: the lengths and checksums of containers and parquet pages, every record of CSV
 * files. The readers of the tree are changed to read what was checked, in the dialect that was found: no hidden file, and no file without rows
 * beside files with rows, which would have a say in the types of columns.
 */
export async function settleFiles(
  connection: DuckDBConnection,
  root: TreeNode,
  { request, progress }: { request: TableRequest; progress: ProgressReporter },
): Promise<SettledFiles> {
  const readers: ToldReader[] = [];
  for (const reader of findFileReaders(root)) {
    const said = await readOptions(connection, reader.node);
    const patterns = await readPatterns(connection, reader);
    readers.push({
      ...reader,
      patterns,
      isComputed: patterns.join() !== reader.patterns.join(),
      said,
      compression: textOf(said.compression),
    });
  }
  const { files, hidden, problems, readers: listed } = await listFiles(connection, readers);
  if (problems.length > 0) return { files, hidden, problems, notes: [] };
  const names = listUsedNames(root, request);
  const reading = startReading(files, { label: `check the files of ${request.table}, MB`, progress });
  const { advance } = reading;
  const settled: SettledReader[] = [];
  try {
    for (const [index, reader] of readers.entries())
      settled.push(await settleReader(connection, reader, { listed: listed[index]!, names, advance }));
  } finally {
    reading.finish();
  }
  return {
    files,
    hidden,
    problems: [...new Set(settled.flatMap((each) => each.problems))],
    notes: [...new Set(settled.flatMap((each) => each.notes))],
    failure: settled.find(({ failure }) => failure !== undefined)?.failure,
  };
}

/** Says how far the reading of large files has come; of small ones nobody needs to know. */
function startReading(
  files: readonly TableFile[],
  { label, progress }: { label: string; progress: ProgressReporter },
): { advance: Advance; finish: () => void } {
  const total = Math.ceil(
    files.reduce((sum, { kind, bytes }) => sum + (kind === 'parquet' ? 0 : bytes), 0) / 1e6,
  );
  if (total < LARGE_MEGABYTES) return { advance: () => undefined, finish: () => undefined };
  const step = progress.start(label, total);
  let read = 0;
  return {
    advance: (bytes) => {
      const before = Math.floor(read / 1e6);
      read += bytes;
      step.advance(Math.floor(read / 1e6) - before);
    },
    finish: () => step.finish(),
  };
}

async function settleReader(
  connection: DuckDBConnection,
  reader: ToldReader,
  { listed, names, advance }: { listed: ListedReader; names: ReadonlySet<string>; advance: Advance },
): Promise<SettledReader> {
  const { kind, said } = reader;
  const damaged = await listDamaged(listed.files, advance);
  if (damaged.length > 0) return { files: listed.files, problems: damaged, notes: [] };
  const settled =
    kind === 'csv'
      ? await settleDialect(connection, reader, { files: listed.files, said, names, advance })
      : { files: await keepFilesWithRows(connection, listed), problems: [], notes: [] };
  if (listed.isOther || reader.isComputed || settled.files.length < listed.files.length)
    await setFiles(
      connection,
      reader,
      settled.files.map(({ path }) => path),
    );
  return settled;
}

/** Reads what has checksums of its own to its end; CSV files are read so for their dialect. */
async function listDamaged(files: readonly TableFile[], advance: Advance): Promise<string[]> {
  const problems: string[] = [];
  for (const file of new Set(files)) {
    try {
      if (file.container !== 'none' && file.kind !== 'csv') await checkContainer(file, { advance });
      if (file.kind === 'parquet') problems.push(...(await checkParquetPages(file.path)));
    } catch (error) {
      problems.push(describeDamaged(file, error));
    }
  }
  return problems;
}

/** Parquet files without rows, and empty JSON files, beside files with rows: DuckDB would take types from them. */
async function keepFilesWithRows(
  connection: DuckDBConnection,
  { reader, files }: ListedReader,
): Promise<readonly TableFile[]> {
  const empty =
    reader.kind === 'parquet'
      ? await findRowless(connection, files)
      : files.filter(({ bytes }) => bytes === 0);
  const kept = files.filter((file) => !empty.includes(file));
  return kept.length > 0 ? kept : files;
}

async function findRowless(
  connection: DuckDBConnection,
  files: readonly TableFile[],
): Promise<TableFile[]> {
  if (files.length < 2) return [];
  const paths = files.map(({ path }) => quoteLiteral(escapeGlob(path))).join(', ');
  try {
    const rows = await queryRows(
      connection,
      `SELECT file_name FROM parquet_file_metadata([${paths}]) WHERE num_rows = 0`,
    );
    const rowless = new Set(rows.map((row) => String(row.file_name)));
    return files.filter(({ path }) => rowless.has(path));
  } catch {
    // A footer that cannot be read: the query itself says which and why.
    return [];
  }
}

/** Names of columns that a query uses; a star uses those that are wanted of the table. */
function listUsedNames(root: TreeNode, request: TableRequest): Set<string> {
  const nodes = [...walkTree(root)];
  const named = nodes
    .filter((node) => node.type === 'COLUMN_REF')
    .flatMap((node) => node.column_names as string[]);
  const hasStar = nodes.some((node) => node.type === 'STAR');
  const wanted = hasStar ? [...request.keys, ...request.required, ...request.optional] : [];
  return new Set([...named, ...wanted].map((name) => name.toLowerCase()));
}

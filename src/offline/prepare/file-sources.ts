import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteLiteral } from '../database.js';
import { walkTree, type TreeNode } from './select-tree.js';
import { findOwn } from '../../domain/find-own.js';

export type FileKind = 'csv' | 'parquet' | 'json';

/** One place of a query that reads files: `FROM 'x.csv'`, `FROM read_parquet([…])`. */
export interface FileSource {
  readonly node: TreeNode;
  readonly kind: FileKind;
  /** Paths and globs as written. */
  readonly patterns: readonly string[];
}

export interface SourceFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly bytes: number;
  /** Another one once the file is replaced, written or cut. */
  readonly state: string;
}

const READERS: Readonly<Record<string, FileKind>> = {
  read_csv: 'csv',
  read_csv_auto: 'csv',
  read_parquet: 'parquet',
  parquet_scan: 'parquet',
  read_json: 'json',
  read_json_auto: 'json',
  read_ndjson: 'json',
  read_ndjson_auto: 'json',
};

/** Every place of a parse tree that reads CSV, parquet or JSON files. */
export function findFileSources(root: TreeNode): FileSource[] {
  return [...walkTree(root)].flatMap((node) => asFileSource(node) ?? []);
}

/** What a FROM reads, when it reads files. */
export function asFileSource(node: TreeNode): FileSource | undefined {
  if (node.type === 'BASE_TABLE' && node.schema_name === '') {
    const name = node.table_name as string;
    const kind = kindOfName(name);
    return kind && { node, kind, patterns: [name] };
  }
  if (node.type !== 'TABLE_FUNCTION') return undefined;
  const call = node.function as TreeNode;
  const kind = findOwn(READERS, String(call.function_name).toLowerCase());
  const [argument] = call.children as TreeNode[];
  return kind && { node, kind, patterns: textConstants(argument) };
}

/**
 * The files that sources read, each once, with what is wrong with them: no such file, empty, not parquet, text of another encoding.
 * An empty CSV file among others is no problem: that is how Spark writes a partition without rows.
 */
export async function listFiles(
  connection: DuckDBConnection,
  sources: readonly FileSource[],
): Promise<{ files: SourceFile[]; problems: string[] }> {
  const files = new Map<string, SourceFile>();
  const problems: string[] = [];
  for (const { kind, patterns } of sources) {
    for (const pattern of patterns) {
      if (/^(?!file:)[a-z][a-z0-9+.-]+:\/\//i.test(pattern)) {
        problems.push(`${pattern}: only local files are read; download it first`);
        continue;
      }
      const paths = await expandPattern(connection, pattern, { kind });
      if (paths.length === 0) problems.push(`there is no file ${pattern}`);
      for (const path of paths)
        files.set(path, { path, kind, bytes: statSync(path).size, state: stateOf(path) });
    }
  }
  const all = [...files.values()];
  const mayBeEmpty = all.length > 1;
  return {
    files: all,
    problems: [...problems, ...all.flatMap((file) => findFileProblem(file, { mayBeEmpty }))],
  };
}

function kindOfName(name: string): FileKind | undefined {
  if (/\.(csv|tsv)(\.gz|\.zst)?$/i.test(name)) return 'csv';
  if (/\.parquet$/i.test(name)) return 'parquet';
  return /\.(json|jsonl|ndjson)(\.gz|\.zst)?$/i.test(name) ? 'json' : undefined;
}

function textConstants(argument: TreeNode | undefined): string[] {
  const values = [...walkTree(argument)].map((node) => node.value as TreeNode | undefined);
  return values.flatMap((value) => (typeof value?.value === 'string' ? [value.value] : []));
}

/** DuckDB reads a folder as all files of the reader's kind in it. */
async function expandPattern(
  connection: DuckDBConnection,
  pattern: string,
  options: { kind: FileKind },
): Promise<string[]> {
  const isFolder = statSync(pattern, { throwIfNoEntry: false })?.isDirectory() === true;
  const glob = isFolder ? `${pattern}/**/*.${options.kind}` : pattern;
  const rows = await queryRows(connection, `SELECT file FROM glob(${quoteLiteral(glob)}) ORDER BY file`);
  return rows.map((row) => String(row.file));
}

/** Says which of the files are not what they were when they were listed: nothing that was read of them is sure. */
export function listChangedFiles(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path, state }) => stateOf(path) !== state)
    .map(({ path }) => `${path}: has changed while it was read; prepare again once it is written`);
}

function stateOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? 'gone' : `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`;
}

function findFileProblem(file: SourceFile, options: { mayBeEmpty: boolean }): string[] {
  if (file.bytes === 0) {
    return options.mayBeEmpty && file.kind !== 'parquet' ? [] : [`${file.path}: is empty (0 bytes)`];
  }
  const { head, tail } = readEnds(file);
  if (file.kind !== 'parquet') {
    return /^(\xFF\xFE|\xFE\xFF)/.test(head) ? [`${file.path}: is UTF-16 text; write it as UTF-8`] : [];
  }
  if (!isParquetMark(head)) return [`${file.path}: is not a parquet file (it does not begin with PAR1)`];
  if (!isParquetMark(tail)) return [`${file.path}: is a truncated parquet file (it does not end with PAR1)`];
  return [];
}

function readEnds(file: SourceFile): { head: string; tail: string } {
  const descriptor = openSync(file.path, 'r');
  const mark = Buffer.alloc(4);
  try {
    readSync(descriptor, mark, 0, 4, 0);
    const head = mark.toString('latin1');
    readSync(descriptor, mark, 0, 4, Math.max(0, file.bytes - 4));
    return { head, tail: mark.toString('latin1') };
  } finally {
    closeSync(descriptor);
  }
}

/** PARE marks a file whose footer is encrypted; DuckDB says what it thinks of that. */
function isParquetMark(mark: string): boolean {
  return mark === 'PAR1' || mark === 'PARE';
}

import { walkTree, type TreeNode } from './select-tree.js';
import { findOwn } from '../../../domain/find-own.js';

/** A format of files that the SQL of a dataset can read. */
export type FileKind = 'csv' | 'parquet' | 'json';

/** One place of a query that reads files: `FROM 'x.csv'`, `FROM read_parquet([…])`. */
export interface FileReader {
  readonly node: TreeNode;
  readonly kind: FileKind;
  /** Paths and globs as written. */
  readonly patterns: readonly string[];
}

/** The compression of a file. */
export type Container = 'none' | 'gzip' | 'zstd';

/** A file that the SQL of a dataset reads. */
export interface TableFile {
  readonly path: string;
  readonly kind: FileKind;
  readonly container: Container;
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
  read_json_objects: 'json',
  read_json_objects_auto: 'json',
  read_ndjson_objects: 'json',
};

/** Every place of a parse tree that reads CSV, parquet or JSON files. */
export function findFileReaders(root: TreeNode): FileReader[] {
  return [...walkTree(root)].flatMap((node) => asFileReader(node) ?? []);
}

/** The files that a FROM reads; undefined when it reads something else. */
export function asFileReader(node: TreeNode): FileReader | undefined {
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

/** The format that DuckDB reads a file as when a query names it in FROM. */
export function kindOfName(name: string): FileKind | undefined {
  if (/\.(csv|tsv)(\.gz|\.zst)?$/i.test(name)) return 'csv';
  if (/\.parquet$/i.test(name)) return 'parquet';
  return /\.(json|jsonl|ndjson)(\.gz|\.zst)?$/i.test(name) ? 'json' : undefined;
}

function textConstants(argument: TreeNode | undefined): string[] {
  const values = [...walkTree(argument)].map((node) => node.value as TreeNode | undefined);
  return values.flatMap((value) => (typeof value?.value === 'string' ? [value.value] : []));
}

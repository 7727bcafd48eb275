import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';

export type DataKind = 'csv' | 'json' | 'parquet';

/** A file that may hold a table, or a glob over several of one folder that end alike. */
export interface DataFile {
  readonly kind: DataKind;
  /** Relative to the folder. */
  readonly path: string;
  readonly files: readonly string[];
}

/** Folders below the one that is asked for. */
const DEEPEST = 4;

/** What holds no rows, whatever it looks like. */
const OTHER_FILES =
  /^(readme|licen[cs]e|changelog|makefile)|\.(md|ya?ml|toml|ini|py|ipynb|js|ts|sh|sql|html?|xml|pdf|png|jpe?g|zip|tar|tgz|7z|xlsx?|docx?|db|sqlite|onnx|bin|crc|log)$/i;

/**
 * Files of a folder that may hold tables, by their endings, and those of unknown endings that are text. Names that begin
 * with a dot or an underscore are left out, as Spark does.
 */
export function listDataFiles(folder: string): DataFile[] {
  const found = listFiles(folder, DEEPEST).flatMap((file) => {
    const kind = kindOf(join(folder, file));
    return kind === undefined ? [] : [{ kind, file }];
  });
  return found.map(({ kind, file }) => ({ kind, path: file, files: [file] }));
}

/** Files of one folder with one ending, as one glob; a file alone stays as it is. */
export function joinFiles(files: readonly DataFile[]): DataFile[] {
  const groups = new Map<string, DataFile[]>();
  for (const file of files) {
    const alike = `${partitionRoot(dirname(file.path))}/*${endingOf(file.path)}`;
    groups.set(alike, [...(groups.get(alike) ?? []), file]);
  }
  return [...groups.values()].map((group) => {
    const [first] = group;
    const [root, ending] = [partitionRoot(dirname(first!.path)), endingOf(first!.path)];
    const isPartitioned = root !== dirname(first!.path);
    if (group.length === 1 && !isPartitioned) return first!;
    const path = join(root, isPartitioned ? '**' : '', `*${ending}`);
    return { kind: first!.kind, path, files: group.flatMap((file) => file.files) };
  });
}

/** The folder above the first that is called `key=value`. */
function partitionRoot(folder: string): string {
  const parts = folder.split('/');
  const first = parts.findIndex((part) => part.includes('='));
  return first < 0 ? folder : parts.slice(0, first).join('/') || '.';
}

function endingOf(path: string): string {
  return /(\.[^.]+)?(\.gz|\.zst)?$/.exec(basename(path))![0];
}

function listFiles(folder: string, depth: number, from = folder): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !/^[._]/.test(name));
  return entries
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return depth > 0 ? listFiles(path, depth - 1, from) : [];
      return entry.isFile() || entry.isSymbolicLink() ? [relative(from, path)] : [];
    });
}

function kindOf(path: string): DataKind | undefined {
  const name = basename(path).replace(/\.(gz|zst)$/i, '');
  const ending = extname(name).toLowerCase();
  if (ending === '.parquet') return 'parquet';
  if (['.json', '.jsonl', '.ndjson'].includes(ending)) return 'json';
  if (['.csv', '.tsv'].includes(ending)) return 'csv';
  return OTHER_FILES.test(name) || name !== basename(path) || !isText(path) ? undefined : 'csv';
}

function isText(path: string): boolean {
  const head = readHead(path);
  return head.length > 0 && !head.includes(0);
}

/** The first bytes of a file. */
export function readHead(path: string): Buffer {
  const bytes = Buffer.alloc(65_536);
  const descriptor = openSync(path, 'r');
  try {
    return bytes.subarray(0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

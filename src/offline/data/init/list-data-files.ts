import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, dirname, extname, join, relative } from 'node:path';

/** A format of data files that `init` looks at. */
export type DataKind = 'csv' | 'json' | 'parquet';

/** A file that may hold a table, or several of one folder. */
export interface DataFile {
  readonly kind: DataKind;
  /** Paths or a glob, relative to the folder. */
  readonly patterns: readonly string[];
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
  return found.map(({ kind, file }) => ({ kind, patterns: [file], files: [file] }));
}

/**
 * Names the place of files that may be parts of one table: those of one kind in one folder, or in its folders
 * called `key=value`.
 */
export function placeOf({ kind, files }: DataFile): string {
  return `${kind} ${partitionRoot(dirname(files[0]!))}`;
}

/** Files of one place as one: by a glob that no other file of the folder matches, else by a list. */
export function joinFiles(group: readonly DataFile[], all: readonly DataFile[]): DataFile {
  const [first] = group;
  const files = group.flatMap((file) => file.files);
  const glob = findGlob(files, new Set(all.flatMap((file) => file.files)));
  return { kind: first!.kind, patterns: glob === undefined ? files : [glob], files };
}

function findGlob(files: readonly string[], all: ReadonlySet<string>): string | undefined {
  const [first] = files as [string];
  const [root, ending] = [partitionRoot(dirname(first)), endingOf(first)];
  const isPartitioned = root !== dirname(first);
  if (files.length === 1 && !isPartitioned) return undefined;
  const beginning = commonBeginning(files.map((file) => basename(file))).replace(/\d+$/, '');
  const own = new Set(files);
  const matches = (file: string, begins: string): boolean =>
    (isPartitioned ? partitionRoot(dirname(file)) : dirname(file)) === root &&
    basename(file).startsWith(begins) &&
    file.endsWith(ending);
  const fits = (begins: string): boolean =>
    files.every((file) => matches(file, begins)) &&
    [...all].every((file) => own.has(file) || !matches(file, begins));
  const begins = ['', beginning].find((each) => (each !== '' || ending !== '') && fits(each));
  return begins === undefined ? undefined : join(root, isPartitioned ? '**' : '', `${begins}*${ending}`);
}

function commonBeginning([first, ...others]: readonly string[]): string {
  let length = first!.length;
  while (!others.every((other) => other.startsWith(first!.slice(0, length)))) length -= 1;
  return first!.slice(0, others.length === 0 ? 0 : length);
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

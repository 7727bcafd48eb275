import {
  closeSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  statSync,
  type Dirent,
} from 'node:fs';
import { posix } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { isPassing } from '../../../domain/dependency-access.js';
import { queryRows, quoteLiteral } from '../database.js';
import {
  kindOfName,
  type Container,
  type FileKind,
  type FileReader,
  type TableFile,
} from './file-readers.js';

/** The files of one reader, in the order in which they are read. */
export interface ListedReader {
  readonly reader: FileReader;
  readonly files: readonly TableFile[];
  /** Whether DuckDB would list other files by the patterns of the reader. */
  readonly isOther: boolean;
}

/** All files that the SQL of a dataset reads, and what keeps it from reading some. */
export interface FileListing {
  readonly readers: readonly ListedReader[];
  /** The files of all readers, each once. */
  readonly files: readonly TableFile[];
  /** Files that match a pattern but are left out: their name, or that of a folder, begins with `_` or `.`. */
  readonly hidden: readonly string[];
  readonly problems: readonly string[];
}

interface FoundPaths {
  readonly paths: readonly string[];
  readonly hidden: readonly string[];
  readonly problems: readonly string[];
  readonly isOther: boolean;
}

const REMOTE = /^(?!file:)[a-z][a-z0-9+.-]+:\/\//i;
const GLOB_SIGNS = /[*?[]/;
/** What DuckDB does not read, by its first bytes. */
const FOREIGN: readonly (readonly [string, string])[] = [
  ['PK\u0003\u0004', 'is a zip archive; unpack it'],
  ['BZh', 'is bzip2 data; decompress it, or compress it with gzip or zstd'],
  ['\u00FD7zXZ', 'is xz data; decompress it, or compress it with gzip or zstd'],
];
const MARKS: Readonly<Record<Exclude<Container, 'none'>, (head: string) => boolean>> = {
  gzip: (head) => head.startsWith('\u001F\u008B'),
  // A frame, or one that is to be skipped.
  zstd: (head) => head.startsWith('\u0028\u00B5\u002F\u00FD') || head.startsWith('\u002A\u004D\u0018', 1),
};

/**
 * The files that readers read, with what is wrong with them: no such file, unreadable, empty, not what its name says, text of another encoding.
 * As in Spark, files below a pattern or a folder are left out when their name, or that of a folder on the way, begins with `_` or `.`; what
 * the pattern itself names so is not. An empty CSV or JSON file among others is no problem: that is how Spark writes a partition without rows.
 */
export async function listFiles(
  connection: DuckDBConnection,
  readers: readonly (FileReader & { compression?: string | undefined })[],
): Promise<FileListing> {
  const files = new Map<string, TableFile>();
  const hidden = new Set<string>();
  const problems = new Set<string>();
  const listed: ListedReader[] = [];
  for (const reader of readers) {
    const found = await findPaths(connection, reader);
    for (const path of found.hidden) hidden.add(path);
    for (const problem of found.problems) problems.add(problem);
    for (const path of found.paths) {
      const file = readOrNote(path, problems, () => describeFile(path, reader));
      if (file !== undefined) files.set(path, file);
    }
    const inOrder = found.paths.flatMap((path) => files.get(path) ?? []);
    listed.push({ reader, files: inOrder, isOther: found.isOther });
  }
  const all = [...files.values()];
  for (const file of all) {
    for (const problem of readOrNote(file.path, problems, () =>
      findFileProblem(file, { mayBeEmpty: all.length > 1 }),
    ) ?? [])
      problems.add(problem);
  }
  return { readers: listed, files: all, hidden: [...hidden], problems: [...problems] };
}

/** What the system says of a file that cannot be read; what may be well again in a moment is thrown. */
function readOrNote<T>(path: string, problems: Set<string>, read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    problems.add(describeUnreadable(path, error));
    return undefined;
  }
}

/**
 * A file or folder that the system does not let read, as a problem.
 * @throws what is thrown when it may be well again in a moment, or is no error of the system
 */
export function describeUnreadable(path: string, error: unknown): string {
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined || isPassing(error)) throw error;
  return `${path}: cannot be read: ${REASONS[code] ?? 'the system says'} (${code})`;
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not read it, or a folder above it',
  EPERM: 'this user may not read it, or a folder above it',
  EISDIR: 'it is a folder',
  ELOOP: 'its symbolic links lead in a circle',
  ENOENT: 'it has gone, or is a symbolic link to what is not there',
  ENOTDIR: 'a part of its path is no folder',
  ENAMETOOLONG: 'its path is too long',
  EMFILE: 'this process has too many open files',
  ENFILE: 'the system has too many open files',
};

async function findPaths(connection: DuckDBConnection, reader: FileReader): Promise<FoundPaths> {
  const found: FoundPaths[] = [];
  for (const pattern of reader.patterns) found.push(await expandPattern(connection, pattern, reader));
  return {
    paths: found.flatMap(({ paths }) => paths),
    hidden: found.flatMap((each) => each.hidden),
    problems: found.flatMap(({ problems }) => problems),
    isOther: found.some(({ isOther }) => isOther),
  };
}

async function expandPattern(
  connection: DuckDBConnection,
  written: string,
  { kind }: Pick<FileReader, 'kind'>,
): Promise<FoundPaths> {
  const none = { paths: [], hidden: [], problems: [], isOther: false };
  if (REMOTE.test(written))
    return { ...none, problems: [`${written}: only local files are read; download it first`] };
  const pattern = written.replace(/^file:(\/\/(localhost)?(?=\/))?/i, '');
  const isOther = pattern !== written;
  let isFolder = false;
  try {
    isFolder = statSync(pattern).isDirectory();
    if (!isFolder) return { ...none, paths: [pattern], isOther: isOther || GLOB_SIGNS.test(pattern) };
  } catch (error) {
    if (!GLOB_SIGNS.test(pattern)) return { ...none, problems: [describeMissing(pattern, error)] };
  }
  const glob = isFolder ? `${escapeGlob(pattern.replace(/\/+$/, ''))}/**/*` : pattern;
  const rows = await queryRows(
    connection,
    `SELECT DISTINCT file FROM glob(${quoteLiteral(glob)}) ORDER BY file`,
  );
  const all = rows.map((row) => String(row.file)).filter((path) => !isFolder || kindOfName(path) === kind);
  const hidden = all.filter((path) => isHiddenBelow(path, glob));
  const paths = all.filter((path) => !isHiddenBelow(path, glob));
  const problems = await listUnreadable(connection, glob);
  if (paths.length === 0 && problems.length === 0) {
    const but =
      hidden.length > 0 ? `, but for ${hidden.length} whose names, or folders, begin with _ or .` : '';
    problems.push(
      isFolder ? `there is no ${kind} file in ${pattern}${but}` : `there is no file ${pattern}${but}`,
    );
  }
  return { paths, hidden, problems, isOther: isOther || isFolder || hidden.length > 0 };
}

function describeMissing(path: string, error: unknown): string {
  const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  // A link that leads nowhere is there.
  if (isMissing && lstatSync(path, { throwIfNoEntry: false }) === undefined)
    return `there is no file ${path}`;
  return describeUnreadable(path, error);
}

/** A path as a pattern that matches nothing else. */
export function escapeGlob(path: string): string {
  return path.replaceAll(/[*?[]/g, '[$&]');
}

/**
 * True for a name that Spark leaves out: unfinished and hidden files and folders. A folder of a partition,
 * `_day=1`, is none of them. (`HadoopFSUtils.shouldFilterOutPathName`)
 */
export function isHiddenName(name: string): boolean {
  return (name.startsWith('_') && !name.includes('=')) || name.startsWith('.') || name.endsWith('._COPYING_');
}

/** Whether a path that a pattern matches goes through a hidden name that the pattern does not itself spell so. */
function isHiddenBelow(path: string, pattern: string): boolean {
  const asked = posix.normalize(pattern).split('/');
  const names = posix.normalize(path).split('/');
  const anywhere = asked.indexOf('**');
  const before = anywhere < 0 ? asked.length : anywhere;
  const after = anywhere < 0 ? 0 : asked.length - anywhere - 1;
  return names.some((name, index) => {
    const fromEnd = names.length - index;
    if (!isHiddenName(name)) return false;
    if (index < before) return asked[index]![0] !== name[0];
    return fromEnd > after || asked[asked.length - fromEnd]![0] !== name[0];
  });
}

/** DuckDB passes over folders that it may not read and links that lead nowhere, whatever should be there. */
async function listUnreadable(connection: DuckDBConnection, glob: string): Promise<string[]> {
  const parts = glob.split('/');
  const last = parts.length - 1;
  const problems: string[] = [];
  const links: { path: string; name: string; problem: string }[] = [];
  const walk = (folder: string, depth: number): void => {
    const part = parts[depth]!;
    if (!GLOB_SIGNS.test(part)) {
      if (depth < last) walk(`${folder}${part}/`, depth + 1);
      return;
    }
    const isAnywhere = part === '**';
    for (const entry of listFolder(folder || '.', problems)) {
      if (isHiddenName(entry.name)) continue;
      const path = `${folder}${entry.name}`;
      if (entry.isDirectory() && (isAnywhere || depth < last))
        walk(`${path}/`, isAnywhere ? depth : depth + 1);
      else if (entry.isSymbolicLink() && (isAnywhere || depth === last)) {
        const problem = findLinkProblem(path);
        if (problem !== undefined) links.push({ path, name: entry.name, problem });
      }
    }
  };
  walk('', 0);
  return [
    ...problems,
    ...(await keepMatching(connection, links, parts[last]!)).map(({ problem }) => problem),
  ];
}

function listFolder(folder: string, problems: string[]): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') problems.push(describeUnreadable(folder, error));
    return [];
  }
}

function findLinkProblem(path: string): string | undefined {
  try {
    statSync(path);
    return undefined;
  } catch (error) {
    return describeUnreadable(path, error);
  }
}

async function keepMatching<T extends { name: string }>(
  connection: DuckDBConnection,
  entries: readonly T[],
  part: string,
): Promise<T[]> {
  if (entries.length === 0) return [];
  const names = entries.map(({ name }) => quoteLiteral(name)).join(', ');
  const rows = await queryRows(
    connection,
    `SELECT name FROM (SELECT unnest([${names}]) AS name) WHERE name GLOB ${quoteLiteral(part)}`,
  );
  const matching = new Set(rows.map((row) => String(row.name)));
  return entries.filter(({ name }) => matching.has(name));
}

function describeFile(
  path: string,
  reader: { kind: FileKind; compression?: string | undefined },
): TableFile {
  const { kind, compression } = reader;
  return {
    path,
    kind,
    container: containerOf(path, { kind, compression }),
    bytes: statSync(path).size,
    state: stateOf(path),
  };
}

/** As DuckDB tells it: by the option, else by the name. Parquet files compress their pages. */
function containerOf(path: string, options: { kind: FileKind; compression: string | undefined }): Container {
  if (options.kind === 'parquet') return 'none';
  const said = options.compression?.toLowerCase() ?? 'auto';
  if (said === 'gzip' || said === 'zstd' || said === 'none') return said;
  if (/\.gz$/i.test(path)) return 'gzip';
  return /\.zst$/i.test(path) ? 'zstd' : 'none';
}

/** Says which of the files are not what they were when they were listed: nothing that was read of them is sure. */
export function listChangedFiles(files: readonly TableFile[]): string[] {
  return files
    .filter(({ path, state }) => stateOf(path) !== state)
    .map(({ path }) => `${path}: has changed while it was read; prepare again once it is written`);
}

function stateOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? 'gone' : `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`;
}

function findFileProblem(file: TableFile, options: { mayBeEmpty: boolean }): string[] {
  const { path, kind, container, bytes } = file;
  // To open a pipe is to wait for its writer.
  if (!statSync(path).isFile()) return [`${path}: is no regular file`];
  const { head, tail } = readEnds(path);
  if (bytes === 0) {
    return options.mayBeEmpty && kind !== 'parquet' ? [] : [`${path}: is empty (0 bytes)`];
  }
  if (kind === 'parquet') {
    if (!isParquetMark(head)) return [`${path}: is not a parquet file (it does not begin with PAR1)`];
    if (!isParquetMark(tail)) return [`${path}: is a truncated parquet file (it does not end with PAR1)`];
    return [];
  }
  return findMisnamed(head, { kind, container }).map((what) => `${path}: ${what}`);
}

/** What the first bytes of a text file say against its name. */
function findMisnamed(head: string, { kind, container }: Pick<TableFile, 'kind' | 'container'>): string[] {
  const foreign = FOREIGN.find(([mark]) => head.startsWith(mark));
  if (foreign !== undefined) return [foreign[1]];
  if (isParquetMark(head.slice(0, 4))) return [`is a parquet file, not ${kind}: read it with read_parquet`];
  if (container !== 'none')
    return MARKS[container](head) ? [] : [`is no ${container} data, whatever its name says`];
  if (kind === 'json' && isUtf16(head)) return ['is UTF-16 text; write it as UTF-8'];
  const packed = (['gzip', 'zstd'] as const).find((each) => MARKS[each](head));
  if (packed !== undefined)
    return [
      `is ${packed} data, which its name does not say: rename it, or say compression = '${packed}' in read_${kind}`,
    ];
  return [];
}

/**
 * True for a text that begins with a byte order mark of UTF-16, or like ASCII text in it; one character a
 * byte.
 */
export function isUtf16(head: string): boolean {
  if (head.startsWith('\u00FF\u00FE') || head.startsWith('\u00FE\u00FF')) return true;
  const isNul = (at: number): boolean => head.charCodeAt(at) === 0;
  return (isNul(0) && isNul(2) && !isNul(1)) || (isNul(1) && isNul(3) && !isNul(0));
}

function readEnds(path: string): { head: string; tail: string } {
  const descriptor = openSync(path, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const read = (length: number, at: number): string => {
      const bytes = Buffer.alloc(length);
      return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, length, at));
    };
    return { head: read(8, 0), tail: read(4, Math.max(0, size - 4)) };
  } finally {
    closeSync(descriptor);
  }
}

/** PARE marks a file whose footer is encrypted; DuckDB says what it thinks of that. */
function isParquetMark(mark: string): boolean {
  return mark.startsWith('PAR1') || mark.startsWith('PARE');
}

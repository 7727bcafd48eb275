import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteLiteral } from '../database.js';
import { compareWithDuckdb, type Comparison } from './count-csv-rows.js';
import { readCsvFile, type CsvFile, type CsvReading } from './csv-file.js';
import { linesBefore, listDifferences, listMisfits } from './csv-problems.js';
import { describeDamaged, type TextEncoding } from './file-content.js';
import type { FileReader, TableFile } from './file-readers.js';
import { setOption, textOf, type ReaderOptions } from './reader-node.js';

/** A CSV reader whose dialect is settled, or what keeps it from being so. */
export interface SettledReader {
  /** The files that hold rows; all of them when none does. */
  readonly files: readonly TableFile[];
  readonly problems: readonly string[];
  /** What a person should know of how the files are read. */
  readonly notes: readonly string[];
  /** What DuckDB says when it cannot read the files at all. */
  readonly failure?: string | undefined;
}

/** How DuckDB is told to go through the bytes of a file. */
interface ScanMode {
  /** Strict: DuckDB refuses lines that end in another way than the first, LF in quotes of a file with CR LF included. */
  readonly isStrict: boolean;
  readonly isParallel: boolean;
}

/** DuckDB refuses longer lines unless it is told. */
const LONG_RECORD_BYTES = 1_500_000;
/** Threads that begin inside of so long a value may lose their way. */
const LONG_VALUE_BYTES = 100_000;
const ENCODINGS: Readonly<Record<string, TextEncoding>> = {
  'utf-8': 'utf-8',
  utf8: 'utf-8',
  'latin-1': 'latin-1',
  latin1: 'latin-1',
  'iso-8859-1': 'latin-1',
  'utf-16': 'utf-16',
  utf16: 'utf-16',
};

/**
 * Settles the dialect of a CSV reader over all rows of all its files, and tells it to DuckDB, which would guess it from a part. What does not fit is
 * a problem by file and row. DuckDB then reads the files once, and what comes out is compared with what they hold.
 */
export async function settleDialect(
  connection: DuckDBConnection,
  reader: FileReader,
  options: Omit<CsvReading, 'encoding'> & { files: readonly TableFile[] },
): Promise<SettledReader> {
  const { files, said } = options;
  const encoding = ENCODINGS[textOf(said.encoding).toLowerCase() || 'utf-8'];
  // DuckDB knows no other encoding without an extension, and says so.
  if (encoding === undefined) return { files, problems: [], notes: [] };
  const reading = { ...options, encoding };
  const { read: all, problems } = await readCsvFiles(files, reading);
  const withRows = all.filter(({ rows }) => rows > 0);
  const read = withRows.length > 0 ? withRows : all;
  if (!isForgiving(said)) problems.push(...read.flatMap((file) => listMisfits(file, reading)));
  problems.push(...listDifferences(read, reading));
  const kept = new Set(read.map(({ file }) => file));
  const settled = { files: files.filter((file) => kept.has(file)), problems, notes: read.flatMap(noteOf) };
  if (problems.length > 0 || withRows.length === 0) return settled;
  const told = await tellDuckdb(connection, reader, { read, reading });
  return { ...settled, ...told, notes: [...settled.notes, ...told.notes] };
}

async function readCsvFiles(
  files: readonly TableFile[],
  reading: CsvReading,
): Promise<{ read: CsvFile[]; problems: string[] }> {
  const read: CsvFile[] = [];
  const problems: string[] = [];
  for (const file of new Set(files)) {
    try {
      const found = await readCsvFile(file, reading);
      if ('problem' in found) problems.push(found.problem);
      else read.push(found);
    } catch (error) {
      problems.push(describeDamaged(file, error));
    }
  }
  return { read, problems };
}

function noteOf({ file, note }: CsvFile): string[] {
  return note === undefined ? [] : [`${file.path}: ${note}`];
}

/** Whether the SQL lets read_csv leave out, or cut, rows that do not fit. */
function isForgiving(said: ReaderOptions): boolean {
  return said.ignore_errors === true || said.store_rejects === true || said.strict_mode === false;
}

/** Tells DuckDB the dialect, in the first mode in which it reads what the files hold. */
async function tellDuckdb(
  connection: DuckDBConnection,
  reader: FileReader,
  { read, reading }: { read: readonly CsvFile[]; reading: CsvReading },
): Promise<Comparison> {
  const { said } = reading;
  const dialect = listDialect(read, said);
  let worst: Comparison | undefined;
  for (const mode of listModes(read, said)) {
    const told = { ...dialect, ...optionsOfMode(mode, said) };
    const found = await compareWithDuckdb(connection, read, { said, told, isForgiving: isForgiving(said) });
    worst ??= found;
    if (found.problems.length > 0 || found.failure !== undefined) continue;
    await setOptions(connection, reader, told);
    return 'delim' in told || said.delim !== undefined || said.sep !== undefined
      ? found
      : { ...found, problems: await listMissniffed(connection, { read, told }) };
  }
  await setOptions(connection, reader, dialect);
  return worst!;
}

async function setOptions(
  connection: DuckDBConnection,
  reader: FileReader,
  options: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, value] of Object.entries(options)) await setOption(connection, reader, { name, value });
}

/** The dialect as options of read_csv; without `delim` when the files have several. */
function listDialect(read: readonly CsvFile[], said: ReaderOptions): Record<string, string> {
  const [first] = read as [CsvFile];
  const { quote, escape, comment, delimiter } = first.scan.dialect;
  const hasOneDelimiter = read.every(({ scan }) => scan.dialect.delimiter === delimiter);
  const isDelimiterSaid = said.delim !== undefined || said.sep !== undefined;
  const isLengthSaid = said.max_line_size !== undefined || said.maximum_line_size !== undefined;
  const longest = longestRecord(read);
  return {
    ...(hasOneDelimiter && !isDelimiterSaid && { delim: quoteLiteral(delimiter) }),
    quote: quoteLiteral(quote),
    escape: quoteLiteral(escape),
    comment: quoteLiteral(comment),
    skip: String(linesBefore(first)),
    header: String(first.hasHeader),
    ...(longest > LONG_RECORD_BYTES && !isLengthSaid && { max_line_size: String(2 * longest) }),
  };
}

function longestRecord(read: readonly CsvFile[]): number {
  return read.reduce((longest, { scan }) => Math.max(longest, scan.longestRecordBytes), 0);
}

function listModes(read: readonly CsvFile[], said: ReaderOptions): ScanMode[] {
  const isMixed = read.some(
    ({ scan: { lineEnds, hasQuotedLineEnds } }) =>
      lineEnds.crlf > 0 && (lineEnds.lf > 0 || hasQuotedLineEnds),
  );
  const strictness = said.strict_mode === false || isMixed ? [false] : [true, false];
  const parallelism = longestRecord(read) > LONG_VALUE_BYTES ? [false] : [true, false];
  return strictness.flatMap((isStrict) => parallelism.map((isParallel) => ({ isStrict, isParallel })));
}

function optionsOfMode({ isStrict, isParallel }: ScanMode, said: ReaderOptions): Record<string, string> {
  return {
    ...(!isStrict && said.strict_mode === undefined && { strict_mode: 'false' }),
    ...(!isParallel && said.parallel === undefined && { parallel: 'false' }),
  };
}

/** Files of several delimiters: DuckDB finds that of each by itself, and must find the one that all rows fit. */
async function listMissniffed(
  connection: DuckDBConnection,
  { read, told }: { read: readonly CsvFile[]; told: Readonly<Record<string, string>> },
): Promise<string[]> {
  const problems: string[] = [];
  const asked = Object.entries(told).filter(([name]) => name !== 'parallel');
  const options = asked.map(([name, value]) => `${name} = ${value}`).join(', ');
  for (const { file, scan } of read) {
    const [found] = await queryRows(
      connection,
      `SELECT Delimiter AS delimiter FROM sniff_csv(${quoteLiteral(file.path)}, ${options})`,
    );
    if (found?.delimiter !== scan.dialect.delimiter)
      problems.push(
        `${file.path}: has another delimiter than other files; select it by itself with its delim`,
      );
  }
  return problems;
}

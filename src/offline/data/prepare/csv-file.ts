import { CsvScanner, type CsvDialect, type CsvScan } from './csv-scanner.js';
import { readText, type Advance, type TextEncoding } from './file-content.js';
import type { TableFile } from './file-readers.js';
import { textOf, type ReaderOptions } from './reader-node.js';

/** The dialect and shape of a CSV file, told from all of its rows. */
export interface CsvFile {
  readonly file: TableFile;
  readonly scan: CsvScan;
  readonly hasHeader: boolean;
  readonly rows: number;
  /** What a person should know of how it is read. */
  readonly note?: string | undefined;
}

/** The options and expectations that a CSV file is read with. */
export interface CsvReading {
  /** What the SQL says. */
  readonly said: ReaderOptions;
  readonly encoding: TextEncoding;
  /** The columns that the query may take from a header, in lower case. */
  readonly names: ReadonlySet<string>;
  readonly advance: Advance;
}

const DELIMITERS = [',', ';', '\t', '|'];

/**
 * Reads a CSV file to its end and tells its dialect: RFC 4180, unless the SQL says otherwise. Only two things are found: the delimiter, by the
 * wanted columns of the header and by how many rows fit, and whether the first record is the header.
 */
export async function readCsvFile(
  file: TableFile,
  reading: CsvReading,
): Promise<CsvFile | { problem: string }> {
  const scan = chooseScan(await scanFile(file, reading), reading);
  if ('problem' in scan) return { problem: `${file.path}: ${scan.problem}` };
  const header = tellHeader(scan, reading);
  if ('problem' in header) return { problem: `${file.path}: ${header.problem}` };
  const rows = Math.max(0, scan.records - (header.hasHeader ? 1 : 0));
  return { file, scan, rows, ...header };
}

/** The whole file, once for each delimiter that its first record may have. */
async function scanFile(file: TableFile, options: CsvReading): Promise<CsvScan[]> {
  let scanners: CsvScanner[] | undefined;
  for await (const chunk of readText(file, options)) {
    scanners ??= createScanners(chunk, options);
    for (const scanner of scanners) scanner.push(chunk);
    scanners = dropUnlikely(scanners);
  }
  scanners ??= createScanners(Buffer.alloc(0), options);
  return scanners.map((scanner) => scanner.end());
}

function createScanners(head: Buffer, { said, encoding }: CsvReading): CsvScanner[] {
  // The line by which Excel is told the delimiter.
  const excel =
    said.skip === undefined ? /^"?sep=([^\r\n])"?(?=\r|\n)/i.exec(head.toString('latin1', 0, 16)) : null;
  const delimiter = textOf(said.delim ?? said.sep).replace('\\t', '\t') || excel?.[1];
  const isPlain = said.auto_detect === false;
  const delimiters = delimiter ? [delimiter] : isPlain ? [','] : DELIMITERS;
  const quote = said.quote === undefined ? '"' : textOf(said.quote);
  const shared: Omit<CsvDialect, 'delimiter'> = {
    quote,
    escape: textOf(said.escape) || quote,
    comment: textOf(said.comment),
    skip: Number(said.skip ?? 0) + (excel === null ? 0 : 1),
    isLatin: encoding === 'latin-1',
  };
  const mayBeShort = said.null_padding === true;
  const named = namesOf(said)?.length;
  return delimiters.flatMap((each) => {
    const dialect = { ...shared, delimiter: each };
    if (said.columns !== undefined) return [new CsvScanner(dialect, { width: named, mayBeShort })];
    // Names may be given to the first columns only.
    const widths = named === undefined ? [undefined] : [undefined, named];
    return widths.map((width) => new CsvScanner(dialect, { width, mayBeShort }));
  });
}

/** A delimiter that the first record does not have is none, where it has another one. */
function dropUnlikely(scanners: CsvScanner[]): CsvScanner[] {
  const widths = scanners.map((scanner) => scanner.width);
  if (!widths.some((width) => width !== undefined && width > 1)) return scanners;
  return scanners.filter((_, index) => widths[index] !== 1);
}

/** The scan whose header has the most of the wanted columns, then the one that most rows fit. */
function chooseScan(scans: readonly CsvScan[], { said, names }: CsvReading): CsvScan | { problem: string } {
  const given = namesOf(said)?.length;
  const ranked = scans
    .map((scan) => ({
      scan,
      known: countKnown(scan.first[0] ?? [], names),
      knownLater: Math.max(0, ...scan.first.map((cells) => countKnown(cells, names))),
      isAsNamed: scan.width === given,
    }))
    .sort(
      (a, b) =>
        b.known - a.known ||
        b.knownLater - a.knownLater ||
        Number(b.isAsNamed) - Number(a.isAsNamed) ||
        a.scan.misfitCount - b.scan.misfitCount ||
        b.scan.width - a.scan.width,
    );
  const [best] = ranked;
  const rival = ranked.find(
    ({ scan, known, isAsNamed }) =>
      scan.dialect.delimiter !== best!.scan.dialect.delimiter &&
      scan.width > 1 &&
      known === best!.known &&
      isAsNamed === best!.isAsNamed &&
      scan.misfitCount === best!.scan.misfitCount,
  );
  if (rival === undefined || scans[0]!.records === 0) return best!.scan;
  const either = [best!, rival].map(({ scan }) => `${show(scan.dialect.delimiter)} (${scan.width} values)`);
  return { problem: `its rows can be cut at ${either.join(' or at ')}: say delim in read_csv` };
}

/** Whether the first record is the header. */
function tellHeader(
  scan: CsvScan,
  { said, names }: CsvReading,
): { hasHeader: boolean; note?: string } | { problem: string } {
  if (typeof said.header === 'boolean') return { hasHeader: said.header };
  if (said.auto_detect === false || scan.records === 0) return { hasHeader: false };
  const cells = scan.first[0]!;
  const given = namesOf(said) ?? said.alias;
  if (given !== undefined) return tellNamedHeader(scan, { given, isAlias: namesOf(said) === undefined });
  const isUnnamed = [...names].some((name) => /^column\d+$/.test(name)) && countKnown(cells, names) === 0;
  return { hasHeader: !isUnnamed };
}

/** Where the SQL names the columns, the first record is a row, as in pandas, unless it says the same names. */
function tellNamedHeader(
  scan: CsvScan,
  { given, isAlias }: { given: readonly string[]; isAlias: boolean },
): { hasHeader: boolean; note?: string } | { problem: string } {
  const cells = scan.first[0]!;
  if (given.every((name, index) => asName(name) === asName(cells[index] ?? ''))) return { hasHeader: true };
  if (cells.some((cell) => cell.trim() === '' || isNumberLike(cell))) return { hasHeader: false };
  const line = `its first line (${cells.slice(0, 4).join(', ')})`;
  const isOther = cells.some(
    (_, index) => scan.first.length > 1 && scan.first.slice(1).every((row) => isNumberLike(row[index] ?? '')),
  );
  if (isOther || isAlias)
    return { problem: `${line} may be a header or a row: say header = true or header = false in read_csv` };
  return {
    hasHeader: false,
    note: `${line} is read as a row: the SQL names the columns and does not say header = true`,
  };
}

function isNumberLike(cell: string): boolean {
  return /^\s*([-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?|\d{4}-\d\d.*)\s*$/i.test(cell);
}

/** Cells of a row that equal one of the names, without regard to case and space around them. */
export function countKnown(cells: readonly string[], names: ReadonlySet<string>): number {
  return cells.filter((cell) => names.has(asName(cell))).length;
}

/** A cell as a column name is compared: trimmed, in lower case. */
export function asName(cell: string): string {
  return cell.trim().toLowerCase();
}

/** The column names that a query gives to a reader; undefined when it gives none. */
export function namesOf(said: ReaderOptions): readonly string[] | undefined {
  const names = said.names ?? said.column_names;
  if (Array.isArray(names)) return names.map(String);
  const columns = said.columns;
  return columns !== null && typeof columns === 'object' ? Object.keys(columns) : undefined;
}

/** A character as it is written in SQL. */
export function show(character: string): string {
  return `'${character.replaceAll('\t', '\\t')}'`;
}

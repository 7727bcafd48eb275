import type { DuckDBConnection } from '@duckdb/node-api';
import { duckdbMessage, queryRows, quoteLiteral, type Row } from '../database.js';
import type { CsvFile, CsvReading } from './csv-file.js';
import { escapeGlob } from './list-files.js';

/** The result of comparing the rows that DuckDB reads of files with the rows that the files hold. */
export interface Comparison {
  readonly problems: readonly string[];
  readonly notes: readonly string[];
  /** What DuckDB says when it cannot read them at all. */
  readonly failure?: string;
}

/** Options of read_csv that say how it goes through the bytes of a file. */
const CARRIED = [
  'encoding',
  'compression',
  'max_line_size',
  'maximum_line_size',
  'strict_mode',
  'parallel',
  'null_padding',
  'ignore_errors',
  'buffer_size',
  'new_line',
] as const;

/**
 * Reads files by DuckDB and compares what comes out with what they hold: as many rows, and as many bytes of values. Where the SQL says that rows
 * which do not fit may be left out, their number is a note.
 *
 * @param options.told options of read_csv with their values as SQL
 */
export async function compareWithDuckdb(
  connection: DuckDBConnection,
  read: readonly CsvFile[],
  options: Pick<CsvReading, 'said'> & { told: Readonly<Record<string, string>>; isForgiving: boolean },
): Promise<Comparison> {
  const problems: string[] = [];
  const notes: string[] = [];
  for (const files of groupAlike(read)) {
    const found = await countRows(connection, files, options);
    if ('failure' in found) return { problems: [], notes: [], ...found };
    for (const { file, scan, rows, hasHeader } of files) {
      const row = found.get(file.path);
      const [rowsRead, bytesRead] = [Number(row?.rows ?? 0), Number(row?.bytes ?? 0)];
      const bytes = scan.valueBytes.others + (hasHeader ? 0 : scan.valueBytes.first);
      if (options.isForgiving) {
        if (rowsRead !== rows)
          notes.push(
            `${file.path}: ${rowsRead} of its ${rows} rows are read; the SQL lets read_csv leave out what does not fit`,
          );
      } else if (rowsRead !== rows || bytesRead !== bytes) {
        problems.push(
          `${file.path}: holds ${rows} rows with ${bytes} bytes of values, but DuckDB reads ${rowsRead} rows with ${bytesRead} bytes; write it again as RFC 4180 says, or as parquet`,
        );
      }
    }
  }
  return { problems, notes };
}

/** Files that a reader which guesses nothing can read together: equally wide, with one delimiter. */
function groupAlike(files: readonly CsvFile[]): CsvFile[][] {
  const groups = new Map<string, CsvFile[]>();
  for (const file of files) {
    const key = `${file.scan.width} ${file.scan.dialect.delimiter}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [file]);
    else group.push(file);
  }
  return [...groups.values()];
}

async function countRows(
  connection: DuckDBConnection,
  files: readonly CsvFile[],
  options: Pick<CsvReading, 'said'> & { told: Readonly<Record<string, string>> },
): Promise<Map<string, Row> | { failure: string }> {
  const { said, told } = options;
  const { scan } = files[0]!;
  const columns = Array.from({ length: scan.width }, (_, index) => `c${index}`);
  const carried = CARRIED.flatMap((name) => (said[name] === undefined ? [] : [[name, asSql(said[name])]]));
  const readerOptions: Record<string, string> = {
    ...(Object.fromEntries(carried) as Record<string, string>),
    ...told,
    delim: quoteLiteral(scan.dialect.delimiter),
    columns: `{${columns.map((name) => `${name}: 'VARCHAR'`).join(', ')}}`,
    auto_detect: 'false',
    hive_partitioning: 'false',
    filename: 'true',
    // No value is this one, so that every text is counted.
    nullstr: quoteLiteral('\u0001shortlist\u0001'),
  };
  const paths = files.map(({ file }) => quoteLiteral(escapeGlob(file.path))).join(', ');
  const asked = Object.entries(readerOptions).map(([name, value]) => `${name} = ${value}`);
  const bytes = columns.map((name) => `coalesce(strlen(${name}), 0)`).join(' + ');
  try {
    const rows = await queryRows(
      connection,
      `SELECT filename AS file, count(*) AS rows, CAST(sum(${bytes}) AS BIGINT) AS bytes
       FROM read_csv([${paths}], ${asked.join(', ')}) GROUP BY filename`,
    );
    return new Map(rows.map((row) => [String(row.file), row]));
  } catch (error) {
    return { failure: `${files.map(({ file }) => file.path).join(', ')}: ${duckdbMessage(error)}` };
  }
}

function asSql(value: unknown): string {
  return typeof value === 'string' ? quoteLiteral(value) : String(value);
}

import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { queryRows, quoteLiteral } from '../database.js';
import { readHead, type DataFile } from './list-data-files.js';

/** The dialect of a text file, as options of read_csv. */
export interface CsvShape {
  readonly options: readonly string[];
  readonly hasNames: boolean;
  readonly columns: readonly string[];
}

/** A name of a column is no number and no time, and short. */
const NAME = /^(?![-+.\d/: ]*$).{1,64}$/s;

/**
 * Asks DuckDB for the dialect and columns of a text file; a file that it can make nothing of has a header and
 * no columns.
 */
export async function describeCsv(
  connection: DuckDBConnection,
  folder: string,
  { files }: DataFile,
): Promise<CsvShape> {
  const head = readHead(join(folder, files[0]!));
  const isCompressed = /\.(gz|zst)$/i.test(files[0]!);
  // No program but those of MovieLens and its kin writes it, and DuckDB does not look for it.
  const hasDoubleColons = !isCompressed && isSeparatedBy(head.toString('latin1'), '::');
  const preamble = isCompressed ? 0 : countComments(head.toString('latin1'));
  const given = [
    ...(preamble > 0 ? [`skip = ${preamble}`] : []),
    ...(hasDoubleColons ? ["delim = '::'", "quote = ''"] : []),
    ...(isCompressed || isUtf8(head) ? [] : ["encoding = 'latin-1'"]),
  ];
  const sniffed =
    (await sniff(connection, join(folder, files[0]!), given)) ??
    (await sniff(connection, join(folder, files[0]!), [...given, "encoding = 'latin-1'"]));
  if (sniffed === undefined || sniffed.columns.length < 2)
    return { options: [...given, 'header = true'], hasNames: true, columns: [] };
  const hasNames = sniffed.hasHeader && sniffed.columns.every((name) => NAME.test(name));
  return {
    options: [
      ...sniffed.given,
      ...(hasDoubleColons || sniffed.delimiter === ','
        ? []
        : [`delim = ${quoteLiteral(sniffed.delimiter === '\t' ? '\\t' : sniffed.delimiter)}`]),
      `header = ${hasNames}`,
    ],
    hasNames,
    columns: hasNames ? sniffed.columns : sniffed.columns.map((_, place) => `column${place + 1}`),
  };
}

async function sniff(
  connection: DuckDBConnection,
  file: string,
  given: readonly string[],
): Promise<
  { given: readonly string[]; delimiter: string; hasHeader: boolean; columns: string[] } | undefined
> {
  try {
    const [row] = await queryRows(
      connection,
      `SELECT Delimiter AS delimiter, HasHeader AS has_header, to_json(list_transform(Columns, lambda each: each.name)) AS names
       FROM sniff_csv(${[quoteLiteral(file), ...given].join(', ')}, sample_size = -1)`,
    );
    const names = JSON.parse(row!.names as string) as string[];
    return { given, delimiter: String(row!.delimiter), hasHeader: row!.has_header === true, columns: names };
  } catch {
    return undefined;
  }
}

/** Lines of `# comment` before the header; one with as many values as the line after them is a header itself. */
function countComments(text: string): number {
  const lines = text.split(/\r?\n/);
  const count = lines.findIndex((line) => !line.startsWith('#'));
  const width = (line: string): number => line.split(/[,;\t|]/).length;
  return count > 0 && width(lines[count - 1]!) !== width(lines[count]!) ? count : 0;
}

function isSeparatedBy(text: string, sign: string): boolean {
  const lines = text.split('\n').slice(0, -1).slice(0, 50);
  const counts = new Set(lines.map((line) => line.split(sign).length));
  return lines.length > 1 && counts.size === 1 && !counts.has(1);
}

/** Cut off in the middle of a character, a text is UTF-8 all the same. */
function isUtf8(head: Buffer): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}

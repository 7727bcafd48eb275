import { asName, countKnown, namesOf, show, type CsvFile, type CsvReading } from './csv-file.js';

const NAMED_FILES = 10;

/**
 * Lists the rows that do not fit the dialect of a CSV file; the first ones are named, the rest are counted.
 */
export function listMisfits(
  { file, scan, hasHeader }: CsvFile,
  { names }: Pick<CsvReading, 'names'>,
): string[] {
  const { lf, crlf, cr } = scan.lineEnds;
  const at = (record: number): string =>
    hasHeader && record === 0 ? 'the header' : `row ${record + (hasHeader ? 0 : 1)}`;
  if (cr > 0 && lf + crlf > 0) {
    return [
      `${file.path}, ${at(scan.firstLoneCr)}: has a carriage return (CR) that LF does not follow, in a file whose lines end in ${crlf > 0 ? 'CR LF' : 'LF'}; write line ends of one kind, and values with a CR in quotes`,
    ];
  }
  const header = scan.first[0] ?? [];
  if (
    hasHeader &&
    scan.misfitCount === scan.records - 1 &&
    header.at(-1)?.trim() === '' &&
    scan.first[1]?.length === scan.width - 1
  ) {
    return [
      `${file.path}: its header ends in ${show(scan.dialect.delimiter)}, which makes a column without a name that no row has; remove it, or say null_padding = true`,
    ];
  }
  const known = countKnown(header, names);
  const later = scan.first.findIndex((cells) => countKnown(cells, names) > known);
  const hint =
    hasHeader && later > 0 && scan.misfitCount > 0
      ? [
          `${file.path}: the header seems to be record ${later + 1}: say skip = ${later} in read_csv to leave out what stands before it`,
        ]
      : [];
  const more = scan.misfitCount - scan.misfits.length;
  return [
    ...hint,
    ...scan.misfits.map(({ record, why }) => `${file.path}, ${at(record)}: ${why}`),
    ...(more > 0 ? [`${file.path}: … and ${more} more rows`] : []),
  ];
}

/** Lists the differences that keep files from being read by one reader. */
export function listDifferences(
  files: readonly CsvFile[],
  { said, names }: Pick<CsvReading, 'said' | 'names'>,
): string[] {
  const [first] = files;
  const problems: string[] = [];
  for (const file of files.slice(1)) {
    const differs = (what: string): void =>
      void problems.push(
        `${file.file.path}: ${what}; select each by itself and join them by UNION ALL BY NAME`,
      );
    if (file.hasHeader !== first!.hasHeader)
      differs(`${file.hasHeader ? 'has a header' : 'has no header'}, unlike ${first!.file.path}`);
    if (linesBefore(file) !== linesBefore(first!))
      differs(
        `begins ${linesBefore(file)} lines before its first record, ${first!.file.path} begins ${linesBefore(first!)} before`,
      );
    if (!file.hasHeader && file.scan.width !== first!.scan.width)
      differs(`has ${file.scan.width} columns, ${first!.file.path} has ${first!.scan.width}`);
  }
  if (said.union_by_name !== true && namesOf(said) === undefined)
    problems.push(
      ...listOtherColumns(
        files.filter(({ hasHeader }) => hasHeader),
        names,
      ),
    );
  const more = problems.length - NAMED_FILES;
  return more > 0
    ? [...problems.slice(0, NAMED_FILES), `… and ${more} more differences between files`]
    : problems;
}

/** Without union_by_name DuckDB takes the columns of the first file. */
function listOtherColumns(files: readonly CsvFile[], names: ReadonlySet<string>): string[] {
  const columnsOf = (file: CsvFile): Set<string> => new Set(file.scan.first[0]!.map(asName));
  const [first, ...others] = files;
  if (first === undefined) return [];
  const columns = columnsOf(first);
  const say = 'say union_by_name = true in read_csv to have them empty there';
  return others.flatMap((other) => {
    const own = columnsOf(other);
    const lacks = [...columns].filter((name) => !own.has(name));
    const adds = [...own].filter((name) => !columns.has(name) && names.has(name));
    return [
      ...(lacks.length > 0
        ? [`${other.file.path}: has no column ${lacks.join(', ')}, unlike ${first.file.path}; ${say}`]
        : []),
      ...(adds.length > 0
        ? [`${first.file.path}: has no column ${adds.join(', ')}, unlike ${other.file.path}; ${say}`]
        : []),
    ];
  });
}

/** Lines before the first record of a file. */
export function linesBefore({ scan }: CsvFile): number {
  return scan.dialect.skip + scan.leadingBlankLines;
}

/** The facts about one column of files that nobody has described. */
export interface FoundColumn {
  readonly name: string;
  /** DuckDB's type; VARCHAR for every column of a text file. */
  readonly type: string;
  /** Rows with a value: not null, not blank, no word for it. */
  readonly filled: number;
  /** Rows of null. */
  readonly empty: number;
  readonly distinct: number;
  /** Rows whose value is a number, and a whole one. */
  readonly numbers: number;
  readonly wholes: number;
  /** The smallest and the largest number, and two between which nine in ten are. */
  readonly smallest: number;
  readonly largest: number;
  readonly low: number;
  readonly high: number;
  /** Rows whose value is an ISO 8601 time, and the earliest and latest of them in Unix seconds. */
  readonly instants: number;
  readonly oldest: number;
  readonly newest: number;
  /** Rows of true or false. */
  readonly truths: number;
  /** Rows whose text holds this sign. */
  readonly separators: Readonly<Record<string, number>>;
  readonly meanLength: number;
  readonly example: string;
}

/** A file, or several files alike, read as one table. */
export interface FoundTable {
  /** Relative to the folder that was looked at; a glob for several files. */
  readonly path: string;
  /** What stands in the FROM of its SQL, `{path}` for the folder. */
  readonly from: string;
  /** DuckDB table of the rows that were looked at, every value as text but lists and structs. */
  readonly view: string;
  /** Whether the file names its columns. */
  readonly hasNames: boolean;
  readonly isCsv: boolean;
  readonly rows: number;
  /** True when it has more rows than were looked at. */
  readonly isCut: boolean;
  readonly columns: readonly FoundColumn[];
}

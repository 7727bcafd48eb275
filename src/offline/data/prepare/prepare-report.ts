import type { TableLimits } from '../../../config/dataset-config.js';
import type { ValueSpread } from './check-values.js';
import type { LoadedTable } from './load-table.js';
import type { ViewReport } from './prepare-views.js';
import type { TypeCount } from './count-types.js';
import type { EventsRead } from './read-table.js';
import type { TableName } from './table-request.js';
import type { TargetReport } from './target-rows.js';

/** Counts and speed of reading one table of a dataset, and what became of its rows. */
export interface TableReport {
  readonly table: TableName;
  readonly files: readonly string[];
  readonly bytes: number;
  /** Files that match but were left out, as their names, or those of folders, begin with `_` or `.`. */
  readonly hiddenFiles: number;
  readonly rowsRead: number;
  readonly rowsKept: number;
  /** Rows left out, by reason; reasons without rows are not listed. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Rows without a value, by column; an interaction without a value counts 1. */
  readonly missing: Readonly<Record<string, number>>;
  readonly seconds: number;
  readonly rowsPerSecond: number;
  readonly megabytesPerSecond: number;
}

/** The distribution of the times of kept interactions, ISO 8601: percentiles 1, 25, 50, 75 and 99. */
export interface TimeSpread {
  readonly first: string;
  readonly lowerQuartile: string;
  readonly median: string;
  readonly upperQuartile: string;
  readonly last: string;
}

/** `report.json`: what `prepare` read, dropped and kept. */
export interface PrepareReport {
  readonly dataset: string;
  readonly fingerprint: string;
  /** One per table; the file calls them sources. */
  readonly sources: readonly TableReport[];
  readonly interactions: {
    readonly rows: number;
    readonly distinctUsers: number;
    readonly distinctItems: number;
    /** Rows that equal an earlier one in every column; they are kept. */
    readonly repeats: number;
    /** What the rows of the table have of a server's events, where the dataset takes them. */
    readonly events?: EventsRead;
    /** Types of the rows, the most frequent first, 20 at most; null where rows have none. Absent where the SQL gives no types. */
    readonly types?: readonly TypeCount[];
    /** Of all types. Absent as they are. */
    readonly distinctTypes?: number;
    /** Pairs of user and item whose latest word is of a negative type, where types are negative. */
    readonly unwanted?: number;
    /** What is to be predicted, where the config says it. */
    readonly target?: TargetReport;
    /** ISO 8601. */
    readonly from: string;
    readonly to: string;
    readonly times: TimeSpread;
    /** Whether the rows of a user have an order in time, and rows an age: training uses neither where not. */
    readonly hasOrder: boolean;
    readonly hasDates: boolean;
    /** Share of the consecutive rows of a user that differ in time. */
    readonly orderedShare: number;
    readonly values: ValueSpread;
  };
  /** Of the prepared tables, entities without interactions included. */
  readonly items: {
    readonly rows: number;
    readonly withoutInteractions: number;
    readonly withoutItemsRow: number;
  };
  readonly users: {
    readonly rows: number;
    readonly withoutInteractions: number;
    readonly withoutUsersRow: number;
  };
  /** Declared feature views. */
  readonly views: readonly ViewReport[];
  readonly warnings: readonly string[];
  /** All of it, writing included. */
  readonly seconds: number;
}

/** Sums up one table once its rows are typed and filtered. */
export function reportTable(
  loaded: LoadedTable,
  counts: {
    dropped: Readonly<Record<string, number>>;
    missing: Readonly<Record<string, number>>;
    seconds: number;
  },
): TableReport {
  const bytes = loaded.files.reduce((sum, file) => sum + file.bytes, 0);
  const dropped = Object.fromEntries(Object.entries(counts.dropped).filter(([, rows]) => rows > 0));
  return {
    table: loaded.table,
    files: loaded.files.map((file) => file.path),
    bytes,
    hiddenFiles: loaded.hiddenFiles.length,
    rowsRead: loaded.rowsRead,
    rowsKept: loaded.rowsRead - Object.values(dropped).reduce((sum, rows) => sum + rows, 0),
    dropped,
    missing: counts.missing,
    seconds: round(counts.seconds, 3),
    rowsPerSecond: Math.round(loaded.rowsRead / counts.seconds),
    megabytesPerSecond: round(bytes / 1e6 / counts.seconds, 1),
  };
}

/** Warns of each limit that reading a table exceeded. */
export function listLimitWarnings(report: TableReport, limits: TableLimits | undefined): string[] {
  const { table, bytes, rowsPerSecond } = report;
  const { maxMegabytes = Infinity, minRowsPerSecond = 0 } = limits ?? {};
  const warnings: string[] = [];
  if (bytes > maxMegabytes * 1e6) {
    warnings.push(
      `source_large: ${table}: ${megabytes(bytes)} MB of files are more than the limit of ${maxMegabytes} MB`,
    );
  }
  if (rowsPerSecond < minRowsPerSecond) {
    warnings.push(
      `source_slow: ${table}: ${rowsPerSecond} rows/s are fewer than the limit of ${minRowsPerSecond} rows/s`,
    );
  }
  return warnings;
}

/** The report as lines for a person. */
export function renderPrepareReport(report: PrepareReport): string {
  const { interactions, items, users } = report;
  const lines = [
    `${report.dataset}: prepared in ${round(report.seconds, 1)} s, fingerprint ${report.fingerprint.slice(0, 12)}`,
    ...report.sources.map(renderTable),
    ...(interactions.events === undefined ? [] : [renderEvents(interactions.events)]),
    `  ${count(interactions.rows, 'interactions')} of ${count(interactions.distinctUsers, 'users')} with ` +
      `${count(interactions.distinctItems, 'items')}, ${interactions.from.slice(0, 10)} to ${interactions.to.slice(0, 10)}`,
    ...(interactions.unwanted === undefined ? [] : [renderUnwanted(interactions.unwanted)]),
    ...renderTypes(interactions),
    ...(interactions.target === undefined ? [] : [renderTarget(interactions.target, interactions.rows)]),
    ...renderSpread(interactions),
    `  catalogue of ${count(items.rows, 'items')}, ${items.withoutInteractions} without interactions, ` +
      `${items.withoutItemsRow} without a row in items; ${count(users.rows, 'users')}, ${users.withoutInteractions} without interactions`,
    ...(interactions.repeats > 0
      ? [`  ${interactions.repeats} interactions repeat another in every column; they are kept`]
      : []),
    ...report.views.map(renderView),
    ...report.warnings.map((warning) => `  warning: ${warning}`),
  ];
  return lines.join('\n');
}

/** As rules and weights name them; text in quotation marks where it could be read otherwise. */
function renderTypes({ types = [], distinctTypes = 0 }: PrepareReport['interactions']): string[] {
  if (types.length === 0) return [];
  const shown = types.map(
    ({ type, rows }) => `${type === null ? 'none' : showType(type)} ${rows.toLocaleString('en-GB')}`,
  );
  const others = distinctTypes - types.length;
  return [`  types: ${shown.join(', ')}${others > 0 ? `, and ${others} others` : ''}`];
}

function renderTarget(report: TargetReport, all: number): string {
  const { target, rows, distinctUsers, distinctItems, from, to } = report;
  return (
    `  target ${target}: ${count(rows, 'interactions')}, ${percent(rows / all)}, of ${count(distinctUsers, 'users')} with ` +
    `${count(distinctItems, 'items')}, ${from.slice(0, 10)} to ${to.slice(0, 10)}`
  );
}

function showType(type: string): string {
  return /^[\p{L}\p{N}_.-]+$/u.test(type) && type !== 'none' ? type : JSON.stringify(type);
}

/** One line on times that differ, and one on values that do. */
function renderSpread({ from, to, times, values }: PrepareReport['interactions']): string[] {
  const days = [times.first, times.lowerQuartile, times.median, times.upperQuartile, times.last];
  const { lowest, lowerQuartile, median, upperQuartile, highest, rowsBelowZero, rowsOfZero } = values;
  return [
    ...(from === to
      ? []
      : [
          `  times: 1, 25, 50, 75 and 99 % of them until ${days.map((time) => time.slice(0, 10)).join(', ')}`,
        ]),
    ...(lowest === highest
      ? []
      : [
          `  values: ${lowest} to ${highest}; 25, 50 and 75 % of them up to ${lowerQuartile}, ${median}, ${upperQuartile}; ` +
            `${rowsBelowZero} below zero, ${rowsOfZero} of zero`,
        ]),
  ];
}

function renderTable(report: TableReport): string {
  const dropped = Object.entries(report.dropped).map(([reason, rows]) => `${rows} dropped (${reason})`);
  const missing = Object.entries(report.missing).map(([column, rows]) => `${rows} without ${column}`);
  const speed = `${megabytes(report.bytes)} MB in ${report.seconds} s: ${report.rowsPerSecond} rows/s, ${report.megabytesPerSecond} MB/s`;
  const hidden =
    report.hiddenFiles > 0
      ? [`${count(report.hiddenFiles, 'files')} left out, whose names begin with _ or .`]
      : [];
  return [
    `  ${report.table}: ${count(report.rowsRead, 'rows')} read, ${speed}`,
    ...hidden,
    ...dropped,
    ...missing,
  ].join('; ');
}

function renderEvents({ folder, files, rows }: EventsRead): string {
  if (files === 0) return `  of interactions, no rows are events: ${folder} has none`;
  return `  of interactions, ${count(rows, 'rows')} are events, from ${count(files, 'files')} of ${folder}`;
}

function renderUnwanted(pairs: number): string {
  return `  ${count(pairs, 'pairs')} of user and item are unwanted: their latest row is of a negative type`;
}

function renderView({ name, rows, keys, knownKeys, missing, events }: ViewReport): string {
  const gaps = Object.entries(missing)
    .filter(([, share]) => share > 0)
    .map(([field, share]) => `${percent(share)} without ${field}`);
  const time = events === undefined ? [] : [`${events.oldest.slice(0, 10)} to ${events.newest.slice(0, 10)}`];
  const known = `${percent(knownKeys)} of them known to the dataset`;
  return [
    `  view ${name}: ${count(rows, 'rows')} of ${count(keys, 'keys')}, ${known}`,
    ...time,
    ...gaps,
  ].join('; ');
}

function percent(share: number): string {
  return `${Number((100 * share).toPrecision(3))} %`;
}

function count(rows: number, noun: string): string {
  return `${rows.toLocaleString('en-GB')} ${noun}`;
}

function megabytes(bytes: number): number {
  return Number((bytes / 1e6).toPrecision(3));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

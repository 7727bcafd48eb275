import { mkdir } from 'node:fs/promises';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetConfig, EntityTableConfig } from '../../../config/dataset-config.js';
import { durationSeconds } from '../../../config/duration.js';
import type { ViewConfig } from '../../../config/view-config.js';
import { copyToParquet, queryRows, quoteIdentifier, quoteLiteral } from '../database.js';
import type { PreparedManifest } from '../prepared-dataset.js';
import type { PreparedFreshness } from '../prepared-views.js';
import { escapeGlob } from './list-files.js';
import { typedTable, type TableRequest } from './table-request.js';
import { findOwn } from '../../../domain/find-own.js';

/** Counts of one declared view. */
export interface ViewReport {
  readonly name: string;
  readonly rows: number;
  readonly keys: number;
  /** Share of the keys that are items of the catalogue, or users of the dataset. */
  readonly knownKeys: number;
  /** Per field: share of the rows without a value. */
  readonly missing: Readonly<Record<string, number>>;
  /** Event times of the oldest and the newest row, ISO 8601; absent without event times. */
  readonly events?: { readonly oldest: string; readonly newest: string };
  /** Rows whose event time lies after the last interaction. */
  readonly rowsAfterLastInteraction: number;
}

/** The columns that each declared view wants of its files. */
export function listViewRequests(config: DatasetConfig): TableRequest[] {
  return Object.entries(config.views ?? {}).map(([name, view]) => {
    const times = view.eventTime === undefined ? [] : [view.eventTime];
    const fields = Object.entries(view.fields);
    const required = [...times, ...fields.map(([field]) => field)];
    const columns = [view.key, ...required].map(quoteIdentifier).join(', ');
    const pattern = quoteLiteral(findPattern(view.source, config.path));
    return {
      table: `views.${name}`,
      sql: `SELECT ${columns} FROM read_parquet(${pattern}, union_by_name = true)`,
      keys: [view.key],
      required,
      optional: [],
      texts: fields.flatMap(([field, { type }]) => (type === 'category' ? [field] : [])),
      numbers: [],
      times,
      wholeFiles: true,
    };
  });
}

/** The views of a dataset as `prepared.json` keeps them. */
export function specifyViews(
  config: DatasetConfig,
  countRows: (table: `views.${string}`) => number,
): PreparedManifest['views'] {
  return {
    items: specifyFreshness(config.items),
    users: specifyFreshness(config.users),
    declared: Object.entries(config.views ?? {}).map(([name, view]) => ({
      name,
      entity: view.entity,
      key: view.key,
      ...(view.eventTime !== undefined && { eventTime: view.eventTime }),
      ...specifyTimeToLive(view),
      rows: countRows(`views.${name}`),
      fields: Object.entries(view.fields).map(([field, { timeToLive, ...rest }]) => ({
        name: field,
        ...rest,
        ...(timeToLive !== undefined && { timeToLiveSeconds: durationSeconds(timeToLive) }),
      })),
    })),
  };
}

/** Writes `views/<name>.parquet` of each typed view, by key and then by event time. */
export async function writeViews(
  connection: DuckDBConnection,
  dir: string,
  views: Readonly<Record<string, ViewConfig>>,
): Promise<void> {
  for (const [name, { key, eventTime, fields }] of Object.entries(views)) {
    await mkdir(join(dir, 'views'), { recursive: true });
    const order = [key, ...(eventTime === undefined ? [] : [eventTime])].map(quoteIdentifier).join(', ');
    const columns = Object.keys(fields).map(quoteIdentifier).join(', ');
    await copyToParquet(
      connection,
      join(dir, 'views', `${name}.parquet`),
      `SELECT ${order}, ${columns} FROM ${typedTable(`views.${name}`)} ORDER BY ${order}`,
    );
  }
}

/** Sums up a typed view once the ids of the dataset are known. */
export async function reportView(
  connection: DuckDBConnection,
  name: string,
  options: { view: ViewConfig; missing: Readonly<Record<string, number>>; lastInteraction: number },
): Promise<ViewReport> {
  const { view, missing, lastInteraction } = options;
  const { entity } = view;
  const key = quoteIdentifier(view.key);
  const time = view.eventTime === undefined ? 'NULL::DOUBLE' : quoteIdentifier(view.eventTime);
  const [found] = await queryRows(
    connection,
    `SELECT count(*) AS rows, count(DISTINCT ${key}) AS keys, min(${time}) AS oldest, max(${time}) AS newest,
       count(*) FILTER (WHERE ${time} > ${lastInteraction}) AS later,
       (SELECT count(*) FROM ${entity}_index WHERE ${entity}_id IN (SELECT ${key} FROM ${typedTable(`views.${name}`)})) AS known
     FROM ${typedTable(`views.${name}`)}`,
  );
  const { oldest, newest } = found!;
  const rows = Number(found!.rows);
  const keys = Number(found!.keys);
  return {
    name,
    rows,
    keys,
    knownKeys: Number(found!.known) / keys,
    missing: Object.fromEntries(
      Object.keys(view.fields).map((field) => [field, (findOwn(missing, field) ?? 0) / rows]),
    ),
    ...(oldest !== null && { events: { oldest: toIso(oldest), newest: toIso(newest) } }),
    rowsAfterLastInteraction: Number(found!.later),
  };
}

/** Warns of what a person should look at before training on a view. */
export function listViewWarnings(report: ViewReport, entity: ViewConfig['entity']): string[] {
  const { name, rows, knownKeys, rowsAfterLastInteraction } = report;
  const empty = Object.entries(report.missing).filter(([, share]) => share === 1);
  return [
    ...(knownKeys === 0
      ? [
          `views.${name}: none of its keys is ${entity === 'item' ? 'an item' : 'a user'} of the dataset; do both write ids the same way?`,
        ]
      : []),
    ...(rowsAfterLastInteraction > 0
      ? [
          `views.${name}: ${rowsAfterLastInteraction} of ${rows} rows are of after the last interaction; training does not use them`,
        ]
      : []),
    ...empty.map(([field]) => `views.${name}: no row has a value of ${field}`),
  ];
}

/** A folder stands for all parquet files in it, at any depth; what is written around `{path}` may be a glob. */
function findPattern(source: string, path: string): string {
  const plain = source.replaceAll('{path}', () => path);
  const found = statSync(plain, { throwIfNoEntry: false });
  if (found?.isDirectory()) return `${escapeGlob(plain.replace(/\/+$/, ''))}/**/*.parquet`;
  return found?.isFile() ? escapeGlob(plain) : source.replaceAll('{path}', () => escapeGlob(path));
}

function specifyFreshness(source: EntityTableConfig | undefined): PreparedFreshness {
  const columns = Object.entries(source?.columns ?? {});
  const own = columns.flatMap(([name, { timeToLive }]) =>
    timeToLive === undefined ? [] : [[name, durationSeconds(timeToLive)] as const],
  );
  return {
    ...specifyTimeToLive(source ?? {}),
    ...(own.length > 0 && { fieldTimeToLiveSeconds: Object.fromEntries(own) }),
  };
}

function specifyTimeToLive({
  timeToLive,
  whenStale,
  online,
}: Pick<EntityTableConfig, 'timeToLive' | 'whenStale' | 'online'>): PreparedFreshness {
  return {
    ...(timeToLive !== undefined && { timeToLiveSeconds: durationSeconds(timeToLive) }),
    ...(whenStale !== undefined && { whenStale }),
    ...(online !== undefined && { online }),
  };
}

function toIso(seconds: unknown): string {
  return new Date(Number(seconds) * 1000).toISOString();
}

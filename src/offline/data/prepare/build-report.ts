import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetConfig, TableLimits } from '../../../config/dataset-config.js';
import { isAskable, LONGEST_ID } from '../../../domain/entity-id.js';
import type { IdIndex } from '../../../domain/id-index.js';
import type { InteractionTable } from '../../../domain/interactions.js';
import { whyUndated, whyUnordered } from '../../../domain/time-facts.js';
import { SECONDS_PER_DAY } from '../../../domain/time.js';
import { whyUnfit } from '../../protocol/choose-protocol.js';
import { queryRows } from '../database.js';
import type { PreparedManifest, PreparedTables } from '../prepared-dataset.js';
import { countTypes } from './count-types.js';
import { countRepeats, listUnseenTypes } from './keep-interactions.js';
import type { ValueSpread } from './check-values.js';
import { listLimitWarnings, reportTable } from './prepare-report.js';
import type { PrepareReport, TableReport, TimeSpread } from './prepare-report.js';
import { listViewWarnings, reportView, type ViewReport } from './prepare-views.js';
import { viewOf, type ReadTables } from './read-tables.js';
import { listContextWarnings } from './specify-context.js';
import type { TableName } from './table-request.js';
import type { InteractionSummary } from './summarise-interactions.js';
import type { TargetReport } from './target-rows.js';

/** So few rows may be of one day. */
const FEW_ROWS = 5;

/** Counts what was read, kept and dropped, and adds the warnings. */
export async function buildReport(
  connection: DuckDBConnection,
  options: {
    config: DatasetConfig;
    read: ReadTables;
    /** `performance.now()` when it all began. */
    started: number;
    manifest: PreparedManifest;
    tables: PreparedTables;
    dropped: Readonly<Record<string, number>>;
    summary: InteractionSummary;
    values: { spread: ValueSpread; warnings: readonly string[] };
    /** Where something is to be predicted. */
    found: { report: TargetReport; warnings: readonly string[] } | undefined;
  },
): Promise<PrepareReport> {
  const { config, manifest, tables, summary, values } = options;
  const reports = reportTables(options.read, options.dropped);
  const withoutItemsRow = options.read.items ? await countUnlisted(connection, 'item') : summary.items;
  const withoutUsersRow = options.read.users ? await countUnlisted(connection, 'user') : summary.users;
  const repeats = await countRepeats(connection);
  const types = options.read.interactions.loaded.types.has('type') ? await countTypes(connection) : {};
  const views = await reportViews(connection, options);
  const warnings = [
    ...reports.flatMap((report) => listLimitWarnings(report, limitsOf(config, report.table))),
    ...listNotes(options.read),
    ...Object.values(options.read).flatMap((table) => table?.warnings ?? []),
    ...listUnaskableIds('user', tables.users.entities),
    ...listUnaskableIds('item', tables.catalogue.entities),
    ...listLookalikeIds('user', tables.users.entities),
    ...listLookalikeIds('item', tables.catalogue.entities),
    ...values.warnings,
    // Before the first event, nobody can have sent one of a negative type.
    ...(options.read.interactions.events?.files === 0
      ? []
      : await listUnseenTypes(connection, config.interactions.negative)),
    ...(options.found?.warnings ?? []),
    ...listShortSpan(summary),
    ...listTimeLimits(config, tables.interactions, summary),
    ...(options.read.items && withoutItemsRow === summary.items ? [strangers('item')] : []),
    ...(options.read.users && withoutUsersRow === summary.users ? [strangers('user')] : []),
    ...(manifest.context ? await listContextWarnings(connection, manifest.context) : []),
    ...views.flatMap((view) => listViewWarnings(view, config.views![view.name]!.entity)),
  ];
  return {
    dataset: config.name,
    fingerprint: manifest.fingerprint,
    sources: reports,
    interactions: {
      rows: summary.rows,
      distinctUsers: summary.users,
      distinctItems: summary.items,
      repeats,
      ...(options.read.interactions.events && { events: options.read.interactions.events }),
      ...(manifest.counts.unwanted !== undefined && { unwanted: manifest.counts.unwanted }),
      ...types,
      ...(options.found && { target: options.found.report }),
      from: toIso(summary.from),
      to: toIso(summary.to),
      times: spreadOf(summary),
      ...describeTimes(tables.interactions),
      values: values.spread,
    },
    items: {
      rows: manifest.counts.items,
      withoutInteractions: manifest.counts.items - summary.items,
      withoutItemsRow,
    },
    users: {
      rows: manifest.counts.users,
      withoutInteractions: manifest.counts.users - summary.users,
      withoutUsersRow,
    },
    views,
    warnings,
    seconds: (performance.now() - options.started) / 1000,
  };
}

function spreadOf({ quantiles }: InteractionSummary): TimeSpread {
  const [first, lowerQuartile, median, upperQuartile, last] = quantiles.map(toIso) as [
    string,
    string,
    string,
    string,
    string,
  ];
  return { first, lowerQuartile, median, upperQuartile, last };
}

function toIso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

function describeTimes({
  times: { hasOrder, hasDates, orderedShare },
}: InteractionTable): Pick<PrepareReport['interactions'], 'hasOrder' | 'hasDates' | 'orderedShare'> {
  return { hasOrder, hasDates, orderedShare };
}

/** What training and evaluation go without, because the times do not give it. */
function listTimeLimits(
  { evaluation }: DatasetConfig,
  { times }: InteractionTable,
  { rows, from, to }: InteractionSummary,
): string[] {
  if (rows < 2 || (rows < FEW_ROWS && from < to)) return [];
  const order = whyUnordered(times);
  const dates = whyUndated(times);
  const protocol = evaluation && whyUnfit(evaluation.protocol, times);
  return [
    ...(order === undefined
      ? []
      : [
          `${order}: neither sources nor features use the order of a user's rows, and the protocols chronological and last-out cannot be used`,
        ]),
    ...(dates === undefined
      ? []
      : [`${dates}: nothing trends or has an age, and the protocol rolling cannot be used`]),
    ...(protocol === undefined
      ? []
      : [
          `evaluation.protocol of the config is ${evaluation!.protocol}, which these times do not allow: write random, or leave evaluation out`,
        ]),
  ].map((limit) => `interactions: ${limit}`);
}

function listShortSpan({ rows, from, to, quantiles }: InteractionSummary): string[] {
  const seconds = quantiles[4] - quantiles[0];
  if (rows < FEW_ROWS || from === to || seconds >= SECONDS_PER_DAY) return [];
  return [
    `interactions: nearly all rows are of one day, ${toIso(quantiles[0])} to ${toIso(quantiles[4])}: are their times in another unit?`,
  ];
}

function reportTables(tables: ReadTables, dropped: Readonly<Record<string, number>>): TableReport[] {
  return Object.values(tables)
    .filter((read) => read !== undefined)
    .map(({ loaded, dropped: own, missing, seconds }) =>
      reportTable(loaded, { dropped: loaded.table === 'interactions' ? dropped : own, missing, seconds }),
    );
}

/** What a person should know of how files were read. */
function listNotes(tables: ReadTables): string[] {
  return Object.values(tables)
    .filter((read) => read !== undefined)
    .flatMap(({ loaded }) => loaded.notes.map((note) => `${loaded.table}: ${note}`));
}

async function reportViews(
  connection: DuckDBConnection,
  { config, read, summary }: { config: DatasetConfig; read: ReadTables; summary: InteractionSummary },
): Promise<ViewReport[]> {
  const reports: ViewReport[] = [];
  for (const [name, view] of Object.entries(config.views ?? {})) {
    const { missing } = read[`views.${name}`]!;
    reports.push(await reportView(connection, name, { view, missing, lastInteraction: summary.to }));
  }
  return reports;
}

function limitsOf(config: DatasetConfig, table: TableName): TableLimits | undefined {
  if (table === 'interactions' || table === 'events') return config.interactions.limits;
  if (table === 'items' || table === 'users') return config[table]?.limits;
  return viewOf(config, table).limits;
}

async function countUnlisted(connection: DuckDBConnection, kind: 'item' | 'user'): Promise<number> {
  const [row] = await queryRows(
    connection,
    `SELECT count(*) AS ids FROM ${kind}_index ANTI JOIN typed_${kind}s USING (${kind}_id)`,
  );
  return Number(row!.ids);
}

function strangers(kind: 'item' | 'user'): string {
  return `${kind}s: no ${kind}_id of the interactions is in the ${kind}s table; do both write ids the same way?`;
}

/** Such users and items are trained on and served like others, but nobody can ask for them by id. */
function listUnaskableIds(kind: 'item' | 'user', { ids }: IdIndex): string[] {
  const unaskable = ids.filter((id) => !isAskable(id));
  if (unaskable.length === 0) return [];
  const example = JSON.stringify(unaskable[0]!.slice(0, 40));
  return [
    `${kind}s: requests cannot name ${unaskable.length} of the ${kind}_ids, which are longer than ${LONGEST_ID} ` +
      `characters or hold control characters; the first begins ${example}`,
  ];
}

/** Ids that a person cannot tell apart: one letter may be written in two ways, and some characters are not seen at all. */
function listLookalikeIds(kind: 'item' | 'user', { ids }: IdIndex): string[] {
  const unseen = ids.filter((id) => /\p{Cf}/u.test(id));
  const firsts = new Map<string, string>();
  const pairs = ids.filter(isNotAscii).flatMap((id) => {
    const composed = id.normalize('NFC');
    const first = firsts.get(composed);
    firsts.set(composed, first ?? id);
    return first === undefined ? [] : [[first, id] as const];
  });
  return [
    ...(unseen.length === 0
      ? []
      : [
          `${kind}s: ${unseen.length} of the ${kind}_ids hold characters that nobody sees; the first is ${escape(unseen[0]!)}`,
        ]),
    ...(pairs.length === 0
      ? []
      : [
          `${kind}s: ${pairs.length} of the ${kind}_ids look like another one, whose letters are written as other characters, ` +
            `and are kept apart: ${pairs[0]!.map(escape).join(' and ')}; nfc_normalize(…) in the SQL writes both alike`,
        ]),
  ];
}

function isNotAscii(id: string): boolean {
  return /[^\0-\x7F]/.test(id);
}

/** An id of which every character can be told. */
function escape(id: string): string {
  const shown = JSON.stringify(id.slice(0, 40));
  return shown.replaceAll(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

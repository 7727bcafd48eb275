import type { DuckDBConnection } from '@duckdb/node-api';
import type { DatasetConfig, SourceLimits } from '../../config/dataset-config.js';
import { isAskable, LONGEST_ID } from '../../domain/entity-id.js';
import type { IdIndex } from '../../domain/id-index.js';
import { queryRows } from '../database.js';
import type { PreparedManifest, PreparedTables } from '../prepared-dataset.js';
import { countRepeats } from './keep-interactions.js';
import { listLimitWarnings, reportSource, type PrepareReport, type SourceReport } from './prepare-report.js';
import { listViewWarnings, reportView, type ViewReport } from './prepare-views.js';
import { viewOf, type ReadSources } from './read-sources.js';
import { listContextWarnings } from './specify-context.js';
import type { TableName } from './source-request.js';
import type { InteractionSummary } from './summarise-interactions.js';

const UNTIMED =
  'interactions: no two rows differ in time, so their order in the files stands for it: nothing can trend, and the rolling protocol cannot be used';

/** What was read, kept and dropped, with the warnings. */
export async function buildReport(
  connection: DuckDBConnection,
  options: {
    config: DatasetConfig;
    sources: ReadSources;
    /** `performance.now()` when it all began. */
    started: number;
    manifest: PreparedManifest;
    tables: PreparedTables;
    dropped: Readonly<Record<string, number>>;
    summary: InteractionSummary;
  },
): Promise<PrepareReport> {
  const { config, manifest, tables, summary } = options;
  const reports = reportSources(options.sources, options.dropped);
  const withoutItemsRow = options.sources.items ? await countUnlisted(connection, 'item') : summary.items;
  const withoutUsersRow = options.sources.users ? await countUnlisted(connection, 'user') : summary.users;
  const repeats = await countRepeats(connection);
  const views = await reportViews(connection, options);
  const warnings = [
    ...reports.flatMap((report) => listLimitWarnings(report, limitsOf(config, report.table))),
    ...listNotes(options.sources),
    ...(await listIdWarnings(connection)),
    ...listUnaskableIds('user', tables.users.entities),
    ...listUnaskableIds('item', tables.catalogue.entities),
    ...(summary.rows > 1 && summary.from === summary.to ? [UNTIMED] : []),
    ...(options.sources.items && withoutItemsRow === summary.items ? [strangers('item')] : []),
    ...(options.sources.users && withoutUsersRow === summary.users ? [strangers('user')] : []),
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
      from: new Date(summary.from * 1000).toISOString(),
      to: new Date(summary.to * 1000).toISOString(),
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

function reportSources(sources: ReadSources, dropped: Readonly<Record<string, number>>): SourceReport[] {
  return Object.values(sources)
    .filter((read) => read !== undefined)
    .map(({ source, missing, seconds }) =>
      reportSource(source, { dropped: source.table === 'interactions' ? dropped : {}, missing, seconds }),
    );
}

/** What a person should know of how files were read. */
function listNotes(sources: ReadSources): string[] {
  return Object.values(sources)
    .filter((read) => read !== undefined)
    .flatMap(({ source }) => source.notes.map((note) => `${source.table}: ${note}`));
}

async function reportViews(
  connection: DuckDBConnection,
  { config, sources, summary }: { config: DatasetConfig; sources: ReadSources; summary: InteractionSummary },
): Promise<ViewReport[]> {
  const reports: ViewReport[] = [];
  for (const [name, view] of Object.entries(config.views ?? {})) {
    const { missing } = sources[`views.${name}`]!;
    reports.push(await reportView(connection, name, { view, missing, lastInteraction: summary.to }));
  }
  return reports;
}

function limitsOf(config: DatasetConfig, table: TableName): SourceLimits | undefined {
  if (table === 'interactions' || table === 'items' || table === 'users') return config[table]?.limits;
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

/** Words that other tools write for "no value" are text to us: they may be ids, but hardly ever are. */
async function listIdWarnings(connection: DuckDBConnection): Promise<string[]> {
  const warnings: string[] = [];
  for (const key of ['user_id', 'item_id']) {
    const rows = await queryRows(
      connection,
      `SELECT ${key} AS id, count(*) AS rows FROM kept
       WHERE lower(${key}) IN ('null', 'none', 'nan', 'na', 'n/a', 'nil', '<na>', '\\n', 'undefined') GROUP BY id ORDER BY id`,
    );
    warnings.push(
      ...rows.map(({ id, rows }) => `interactions: ${String(rows)} rows have the ${key} '${String(id)}'`),
    );
  }
  return warnings;
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

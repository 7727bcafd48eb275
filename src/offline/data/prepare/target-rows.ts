import type { DuckDBConnection } from '@duckdb/node-api';
import type { InteractionsConfig } from '../../../config/dataset-config.js';
import { showDay } from '../../../domain/show-day.js';
import { describeTarget, MOST_EVIDENCE_TYPES, type Target } from '../../../domain/target.js';
import { queryRows, quoteLiteral } from '../database.js';

/** What the prepared interactions have of the target. */
export interface TargetReport {
  /** In words, as the config has it. */
  readonly target: string;
  readonly rows: number;
  readonly distinctUsers: number;
  readonly distinctItems: number;
  /** ISO 8601, of the first and the last of them. */
  readonly from: string;
  readonly to: string;
}

/** Types that a message counts. */
const MOST_TYPES = 10;

/** With no target in the first so many of the time, hardly anything can be learnt from. */
const LATE_SHARE = 0.9;

/** Lists the columns that a target asks for and the rows do not have. */
export function listTargetObstacles(
  target: Target | undefined,
  { columns, events }: { columns: readonly string[]; events?: InteractionsConfig['events'] },
): string[] {
  if (target === undefined) return [];
  const rows = events === true ? 'no event has one, and the SQL gives no column' : 'the SQL gives no column';
  return [
    ...(target.types === undefined || columns.includes('type')
      ? []
      : [`interactions: target names types, and ${rows} type`]),
    ...(target.minimumValue === undefined || columns.includes('value')
      ? []
      : [`interactions: target has a minimumValue, and ${rows} value: all would count 1`]),
  ];
}

/** Adds a column `target` to the table `kept`, whose values have not met their weights yet. */
export async function markTargets(connection: DuckDBConnection, target: Target | undefined): Promise<void> {
  if (target === undefined) return;
  await connection.run('ALTER TABLE kept ADD COLUMN target BOOLEAN');
  await connection.run(`UPDATE kept SET target = ${isTarget(target)}`);
}

/**
 * Counts the rows of the target in the table `kept`.
 * @returns the target with the types that are evidence; what is wrong with it, where no row is of it; and what should be known of it
 */
export async function findTarget(
  connection: DuckDBConnection,
  target: Target,
): Promise<{ target: Target; report: TargetReport; problems: string[]; warnings: string[] }> {
  const types = await countTypes(connection);
  const [row] = await queryRows(
    connection,
    `SELECT count(*) FILTER (target) AS rows, count(DISTINCT user_id) FILTER (target) AS users,
       count(DISTINCT item_id) FILTER (target) AS items, count(*) AS "all",
       min(timestamp) FILTER (target) AS "from", max(timestamp) FILTER (target) AS "to",
       min(timestamp) AS first, max(timestamp) AS last FROM kept`,
  );
  const counts = Object.fromEntries(
    Object.entries(row!).map(([name, value]) => [name, Number(value)]),
  ) as Record<'rows' | 'users' | 'items' | 'all' | 'from' | 'to' | 'first' | 'last', number>;
  const isEvidence = (type: string | null): type is string =>
    type !== null && target.types?.includes(type) === false;
  const evidence = types.map(({ type }) => type).filter(isEvidence);
  return {
    target: { ...target, ...(target.types && { evidence: evidence.slice(0, MOST_EVIDENCE_TYPES) }) },
    report: {
      target: describeTarget(target),
      rows: counts.rows,
      distinctUsers: counts.users,
      distinctItems: counts.items,
      from: toIso(counts.from),
      to: toIso(counts.to),
    },
    problems: counts.rows === 0 ? [`${await explainNone(connection, target)}${describeTypes(types)}`] : [],
    warnings: counts.rows === 0 ? [] : listWarnings(target, counts, types),
  };
}

interface TypeRows {
  readonly type: string | null;
  readonly rows: number;
  readonly targets: number;
}

/** The most frequent first. */
async function countTypes(connection: DuckDBConnection): Promise<TypeRows[]> {
  const rows = await queryRows(
    connection,
    `SELECT type, count(*) AS rows, count(*) FILTER (target) AS targets FROM kept
     GROUP BY type ORDER BY count(*) DESC, type`,
  );
  return rows.map(({ type, rows, targets }) => ({
    type: type as string | null,
    rows: Number(rows),
    targets: Number(targets),
  }));
}

/** There may have been some, which were dropped. */
async function explainNone(connection: DuckDBConnection, target: Target): Promise<string> {
  const hasColumn = target.minimumValue === undefined ? 'type' : 'value';
  const [columns] = await queryRows(
    connection,
    `SELECT count(*) AS found FROM duckdb_columns() WHERE table_name = 'typed_interactions' AND column_name = ${quoteLiteral(hasColumn)}`,
  );
  const [row] =
    Number(columns!.found) === 0
      ? [{ rows: 0 }]
      : await queryRows(
          connection,
          `SELECT count(*) AS rows FROM typed_interactions WHERE ${isTarget(target)}`,
        );
  const dropped = Number(row!.rows);
  const before = dropped === 0 ? '' : `; ${dropped.toLocaleString('en')} were, and all of them are dropped`;
  return `interactions: no row is of the target (${describeTarget(target)})${before}`;
}

function describeTypes(types: readonly TypeRows[]): string {
  if (types.every(({ type }) => type === null)) return '';
  const shown = types
    .slice(0, MOST_TYPES)
    .map(({ type, rows }) => `${type ?? 'none'} ${rows.toLocaleString('en')}`);
  const others = types.length - shown.length;
  return `; rows by type: ${shown.join(', ')}${others > 0 ? `, and ${others} other types` : ''}`;
}

function listWarnings(
  target: Target,
  counts: Record<'rows' | 'all' | 'from' | 'first' | 'last', number>,
  types: readonly TypeRows[],
): string[] {
  const { rows, all, from, first, last } = counts;
  const seen = new Set(types.filter(({ targets }) => targets > 0).map(({ type }) => type));
  const unseen = (target.types ?? []).filter((type) => !seen.has(type));
  const isLate = last > first && from - first > LATE_SHARE * (last - first);
  return [
    ...unseen.map(
      (type) =>
        `interactions: no row is of the type '${type}', which interactions.target names${describeTypes(types)}`,
    ),
    ...(rows === all
      ? [
          `interactions: all rows are of the target (${describeTarget(target)})${describeTypes(types)}: it changes nothing. ` +
            'Leave interactions.target out, or bring what comes before, such as views',
        ]
      : []),
    ...(isLate
      ? [
          `interactions: the first of ${rows.toLocaleString('en')} rows of the target (${describeTarget(target)}) is of ${showDay(from)}, ` +
            `the first row of all of ${showDay(first)}: a ranker learns from weeks that have some, and cuts before have none`,
        ]
      : []),
  ];
}

/** Whether a row is of the target, as SQL that is never NULL. */
function isTarget({ types, minimumValue }: Target): string {
  const conditions = [
    ...(types === undefined ? [] : [`type IN (${types.map(quoteLiteral).join(', ')})`]),
    ...(minimumValue === undefined ? [] : [`value >= ${minimumValue}`]),
  ];
  return `coalesce(${conditions.join(' AND ')}, false)`;
}

function toIso(seconds: number): string {
  return new Date(seconds * 1000).toISOString();
}

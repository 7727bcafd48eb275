import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ShortlistError } from '../../../domain/errors.js';
import { openDatabase, queryRows, quoteLiteral } from '../../data/database.js';
import { escapeGlob, isHiddenName } from '../../data/prepare/list-files.js';
import { overlapOf, rankCorrelation } from '../../protocol/list-agreement.js';

/** Figures of the slates that one bundle served, by the log. */
export interface ServedFigures {
  readonly bundle: string;
  /** What it was when it made them: `stable`, `canary`, `shadow`. */
  readonly releases: readonly string[];
  readonly slates: number;
  /** Different ones, with the visitors who are none. */
  readonly users: number;
  /** Different items that were shown. */
  readonly items: number;
  /** Of the different items that the two bundles showed together, the share that this one showed. */
  readonly coverage: number;
  readonly meanScore: number;
  /** Of slates that were computed. */
  readonly medianMs: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Shares of the slates. */
  readonly degraded: number;
  readonly coldStart: number;
  readonly empty: number;
}

/** Figures of the answers of two bundles, and the differences between the slates of the same users. */
export interface ImpressionComparison {
  readonly served: readonly [ServedFigures, ServedFigures];
  /**
   * What a pair is: two slates of one request, where one of the bundles scored in shadow what the other one answered; where there is
   * none, the latest slates of one user, or of one visitor who is none, in one scenario, of the same length asked for.
   */
  readonly pairedBy: 'request' | 'user';
  readonly pairs: number;
  /** Different items in the slates of the pairs: of the first bundle, of the second, and those that are in both. */
  readonly pairedItems: readonly [first: number, second: number, both: number];
  readonly agreements: readonly Agreement[];
  /** Kendall's tau of the items that both slates of a pair show, mean; undefined where no pair shares two. */
  readonly rankCorrelation: number | undefined;
  /** Mean over pairs of the second mean score less the first. */
  readonly scoreDifference: number | undefined;
}

/** The likeness of the beginnings of two slates. */
export interface Agreement {
  readonly k: number;
  /** Mean share of the first k items that are the same, whatever their order. */
  readonly overlap: number;
}

const CUTS = [1, 3, 5, 10];

/**
 * Compares what two bundles showed, by a compacted impression log.
 * @param folder of the parquet files
 * @throws ShortlistError INVALID_DATASET when there are none, NOT_COMPARABLE when a bundle is not in them
 */
export async function compareImpressions(
  folder: string,
  [first, second]: readonly [string, string],
): Promise<ImpressionComparison> {
  const files = listLogFiles(folder);
  if (files.length === 0) {
    const what = `There is no compacted impression log in ${folder}: run \`shortlist impressions compact\`.`;
    throw new ShortlistError('INVALID_DATASET', what);
  }
  const database = await openDatabase();
  try {
    const bundles = [first, second] as const;
    await database.connection.run(logSql(files));
    const figures = (await queryRows(database.connection, figuresSql(bundles))) as unknown as ServedFigures[];
    const served = [findServed(figures, first), findServed(figures, second)] as const;
    const read = async (sql: string): Promise<Pair[]> =>
      (await queryRows(database.connection, sql)) as unknown as Pair[];
    const ofRequests = await read(pairsSql(bundles, KEYS.request));
    const pairedBy = ofRequests.length > 0 ? 'request' : 'user';
    const pairs = ofRequests.length > 0 ? ofRequests : await read(pairsSql(bundles, KEYS.user));
    return { served, pairedBy, pairs: pairs.length, ...describePairs(pairs) };
  } finally {
    database.close();
  }
}

/** Hidden files are left out, as `prepare` leaves them out. */
function listLogFiles(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.parquet') && !isHiddenName(name));
  return names.sort().map((name) => join(folder, name));
}

interface Pair {
  readonly first: readonly string[];
  readonly second: readonly string[];
  readonly first_score: number | null;
  readonly second_score: number | null;
}

function findServed(figures: readonly ServedFigures[], bundle: string): ServedFigures {
  const found = figures.find((served) => served.bundle === bundle);
  if (found !== undefined) return found;
  const known = figures.map((served) => served.bundle).join(', ');
  throw new ShortlistError('NOT_COMPARABLE', `The log has no slate of ${bundle}; it has those of ${known}.`);
}

/** Files of an earlier release have no column `release` and no `session_id`: nothing was tried then, and all were users. */
function logSql(files: readonly string[]): string {
  const list = files.map((file) => quoteLiteral(escapeGlob(file))).join(', ');
  return `CREATE VIEW log AS SELECT * REPLACE (coalesce(release, 'stable') AS release),
      coalesce('user ' || user_id, 'session ' || session_id) AS visitor FROM (
      SELECT NULL::VARCHAR AS release, NULL::VARCHAR AS session_id WHERE false
      UNION ALL BY NAME SELECT * FROM read_parquet([${list}], union_by_name = true))`;
}

function figuresSql(bundles: readonly [string, string]): string {
  return `WITH slates AS (
      SELECT bundle, request_id, time_ms, release, any_value(visitor) AS visitor, avg(score) AS score,
        count(item_id) AS shown, any_value(strategy) AS strategy, any_value(len(degraded)) AS degradations,
        any_value(cache) AS cache, any_value(milliseconds) AS milliseconds
      FROM log GROUP BY ALL
    ), items AS (SELECT bundle, count(DISTINCT item_id)::INT AS items FROM log GROUP BY bundle),
    shown AS (
      SELECT count(DISTINCT item_id) AS items FROM log WHERE bundle IN (${bundles.map(quoteLiteral).join(', ')})
    )
    SELECT bundle, list_sort(list(DISTINCT release)) AS releases, count(*)::INT AS slates,
      count(DISTINCT visitor)::INT AS users, any_value(items.items) AS items,
      coalesce(any_value(items.items) / nullif(any_value(shown.items), 0), 0) AS coverage,
      coalesce(avg(score), 0) AS "meanScore",
      coalesce(quantile_cont(milliseconds, 0.5) FILTER (cache IN ('miss', 'off')), 0) AS "medianMs",
      coalesce(quantile_cont(milliseconds, 0.95) FILTER (cache IN ('miss', 'off')), 0) AS "p95Ms",
      coalesce(quantile_cont(milliseconds, 0.99) FILTER (cache IN ('miss', 'off')), 0) AS "p99Ms",
      avg((degradations > 0)::INT) AS degraded, avg((strategy = 'cold-start')::INT) AS "coldStart",
      avg((slates.shown = 0)::INT) AS empty
    FROM slates JOIN items USING (bundle) CROSS JOIN shown GROUP BY bundle ORDER BY bundle`;
}

/** What two slates have in common that are a pair. */
const KEYS = {
  request: {
    columns: 'visitor, scenario, asked, request_id',
    where: "(one.release = 'shadow') <> (two.release = 'shadow')",
  },
  user: { columns: 'visitor, scenario, asked', where: 'true' },
} as const;

/** The latest slates of each key, as lists in the order in which they were shown. */
function pairsSql(
  [first, second]: readonly [string, string],
  { columns, where }: (typeof KEYS)[keyof typeof KEYS],
): string {
  const latest = (bundle: string): string => `(
      SELECT visitor, scenario, asked, request_id, release, list(item_id ORDER BY position) AS items, avg(score) AS score
      FROM log WHERE bundle = ${quoteLiteral(bundle)} AND visitor IS NOT NULL AND item_id IS NOT NULL
      GROUP BY visitor, scenario, asked, request_id, release, time_ms
      QUALIFY row_number() OVER (PARTITION BY ${columns} ORDER BY time_ms DESC, request_id) = 1)`;
  return `SELECT one.items AS first, two.items AS second, one.score AS first_score, two.score AS second_score
    FROM ${latest(first)} AS one JOIN ${latest(second)} AS two USING (${columns}) WHERE ${where}`;
}

function describePairs(
  pairs: readonly Pair[],
): Pick<ImpressionComparison, 'agreements' | 'rankCorrelation' | 'scoreDifference' | 'pairedItems'> {
  const agreements = CUTS.map((k) => ({
    k,
    overlap: meanOf(pairs.map(({ first, second }) => overlapOf(first, second, { k }))) ?? 0,
  }));
  const correlations = pairs.flatMap(({ first, second }) => rankCorrelation(first, second) ?? []);
  return {
    agreements,
    pairedItems: countItems(pairs),
    rankCorrelation: meanOf(correlations),
    scoreDifference: meanOf(pairs.map((pair) => pair.second_score! - pair.first_score!)),
  };
}

function countItems(pairs: readonly Pair[]): readonly [number, number, number] {
  const [one, two] = [
    new Set(pairs.flatMap(({ first }) => first)),
    new Set(pairs.flatMap(({ second }) => second)),
  ];
  return [one.size, two.size, [...one].filter((item) => two.has(item)).length];
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

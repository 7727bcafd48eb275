import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ShortlistError } from '../../domain/errors.js';
import { openDatabase, queryRows, quoteLiteral } from '../database.js';
import { overlapOf, rankCorrelation } from './list-agreement.js';

/** What a log says of the slates of one bundle. */
export interface ServedFigures {
  readonly bundle: string;
  readonly slates: number;
  readonly users: number;
  /** Different items that were shown. */
  readonly items: number;
  readonly meanScore: number;
  /** Of slates that were computed. */
  readonly medianMs: number;
  readonly p99Ms: number;
  /** Shares of the slates. */
  readonly degraded: number;
  readonly coldStart: number;
  readonly empty: number;
}

/** How two bundles answered, and how the slates of the same users differ. */
export interface ImpressionComparison {
  readonly served: readonly [ServedFigures, ServedFigures];
  /** Users and scenarios that both served: their latest slates of each, of the same length asked for. */
  readonly pairs: number;
  readonly agreements: readonly Agreement[];
  /** Kendall's tau of the items that both slates of a pair show, mean; undefined where no pair shares two. */
  readonly rankCorrelation: number | undefined;
  /** Mean over pairs of the second mean score less the first. */
  readonly scoreDifference: number | undefined;
}

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
  const isThere = existsSync(folder) && readdirSync(folder).some((name) => name.endsWith('.parquet'));
  if (!isThere) {
    const what = `There is no compacted impression log in ${folder}: run \`shortlist impressions compact\`.`;
    throw new ShortlistError('INVALID_DATASET', what);
  }
  const database = await openDatabase();
  try {
    const log = quoteLiteral(join(folder, '*.parquet'));
    const figures = (await queryRows(database.connection, figuresSql(log))) as unknown as ServedFigures[];
    const served = [findServed(figures, first), findServed(figures, second)] as const;
    const pairs = (await queryRows(database.connection, pairsSql(log, first, second))) as unknown as Pair[];
    return { served, pairs: pairs.length, ...describePairs(pairs) };
  } finally {
    database.close();
  }
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

function figuresSql(log: string): string {
  return `WITH slates AS (
      SELECT bundle, request_id, time_ms, any_value(user_id) AS user_id, avg(score) AS score, count(item_id) AS shown,
        any_value(strategy) AS strategy, any_value(len(degraded)) AS degradations, any_value(cache) AS cache,
        any_value(milliseconds) AS milliseconds
      FROM ${log} GROUP BY ALL
    ), items AS (SELECT bundle, count(DISTINCT item_id)::INT AS items FROM ${log} GROUP BY bundle)
    SELECT bundle, count(*)::INT AS slates, count(DISTINCT user_id)::INT AS users, any_value(items) AS items,
      coalesce(avg(score), 0) AS "meanScore",
      coalesce(quantile_cont(milliseconds, 0.5) FILTER (cache IN ('miss', 'off')), 0) AS "medianMs",
      coalesce(quantile_cont(milliseconds, 0.99) FILTER (cache IN ('miss', 'off')), 0) AS "p99Ms",
      avg((degradations > 0)::INT) AS degraded, avg((strategy = 'cold-start')::INT) AS "coldStart",
      avg((shown = 0)::INT) AS empty
    FROM slates JOIN items USING (bundle) GROUP BY bundle ORDER BY bundle`;
}

/** The latest slates of each user, as lists in the order in which they were shown. */
function pairsSql(log: string, first: string, second: string): string {
  const latest = (bundle: string): string => `(
      SELECT user_id, scenario, asked, list(item_id ORDER BY position) AS items, avg(score) AS score
      FROM ${log} WHERE bundle = ${quoteLiteral(bundle)} AND user_id IS NOT NULL AND item_id IS NOT NULL
      GROUP BY user_id, scenario, asked, request_id, time_ms
      QUALIFY row_number() OVER (PARTITION BY user_id, scenario, asked ORDER BY time_ms DESC, request_id) = 1)`;
  return `SELECT one.items AS first, two.items AS second, one.score AS first_score, two.score AS second_score
    FROM ${latest(first)} AS one JOIN ${latest(second)} AS two USING (user_id, scenario, asked)`;
}

function describePairs(
  pairs: readonly Pair[],
): Pick<ImpressionComparison, 'agreements' | 'rankCorrelation' | 'scoreDifference'> {
  const agreements = CUTS.map((k) => ({
    k,
    overlap: meanOf(pairs.map(({ first, second }) => overlapOf(first, second, { k }))) ?? 0,
  }));
  const correlations = pairs.flatMap(({ first, second }) => rankCorrelation(first, second) ?? []);
  return {
    agreements,
    rankCorrelation: meanOf(correlations),
    scoreDifference: meanOf(pairs.map((pair) => pair.second_score! - pair.first_score!)),
  };
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;
}

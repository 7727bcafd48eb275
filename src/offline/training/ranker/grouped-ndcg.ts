import type { RankingRows } from './ranking-rows.js';
import { orderByScore } from './score-order.js';

/** Gain of a relevance grade: 2^grade − 1 (Burges et al. 2005). */
export function gainOf(grade: number): number {
  return 2 ** grade - 1;
}

/** Discount of a 0-based rank: 1 / log2(rank + 2). */
export function discountOf(rank: number): number {
  return 1 / Math.log2(rank + 2);
}

/** DCG of the first `cutoff` ranks when the largest gains come first. */
export function idealDcg(gains: Float64Array, cutoff: number): number {
  const best = gains.toSorted().reverse();
  return best.subarray(0, cutoff).reduce((sum, gain, rank) => sum + gain * discountOf(rank), 0);
}

/** Mean nDCG@cutoff over the queries of one set of rows, for many sets of scores. */
export interface GroupedNdcg {
  /** Queries with a positive label: the ones that count. */
  readonly queries: number;
  /** @param scores one per row */
  compute(scores: Float64Array): number;
  /** That of each query that counts, in the order of the rows. */
  computeEach(scores: Float64Array): Float64Array;
}

/**
 * nDCG over graded rows with gain 2^grade − 1, times the weight of the row. A query without a positive has no ideal and is left out (LightGBM counts it
 * as 1, which only moves the mean towards 1: the best iteration is the same). Rows with one score share the mean gain of
 * their ranks (McSherry and Najork 2008), so that the order of the rows cannot flatter a ranker that does not tell them apart.
 */
export function createGroupedNdcg(
  { labels, weights, groupOffsets }: RankingRows,
  cutoff: number,
): GroupedNdcg {
  const gains = Float64Array.from(labels, (label, row) => gainOf(label) * (weights?.[row] ?? 1));
  const queries = listJudgedQueries(gains, groupOffsets, cutoff);
  const longest = queries.reduce((most, { start, end }) => Math.max(most, end - start), 0);
  const order = new Uint32Array(longest);
  const keys = new Float64Array(longest);
  const judge = (scores: Float64Array, { start, end, ideal }: JudgedQuery): number => {
    const scored = scores.subarray(start, end);
    orderByScore(scored, order, keys);
    return expectedDcg(scored, gains.subarray(start, end), { order, cutoff }) / ideal;
  };
  return {
    queries: queries.length,
    compute: (scores) => {
      let sum = 0;
      for (const query of queries) sum += judge(scores, query);
      return sum / queries.length;
    },
    computeEach: (scores) => Float64Array.from(queries, (query) => judge(scores, query)),
  };
}

interface JudgedQuery {
  readonly start: number;
  readonly end: number;
  readonly ideal: number;
}

function listJudgedQueries(gains: Float64Array, offsets: Uint32Array, cutoff: number): JudgedQuery[] {
  return Array.from(offsets.subarray(0, -1), (start, query) => {
    const end = offsets[query + 1]!;
    return { start, end, ideal: idealDcg(gains.subarray(start, end), cutoff) };
  }).filter(({ ideal }) => ideal > 0);
}

function expectedDcg(
  scores: Float64Array,
  gains: Float64Array,
  { order, cutoff }: { order: Uint32Array; cutoff: number },
): number {
  let dcg = 0;
  let next = 0;
  for (let first = 0; first < Math.min(cutoff, scores.length); first = next) {
    const score = Math.fround(scores[order[first]!]!);
    let gain = 0;
    let discount = 0;
    for (next = first; next < scores.length && Math.fround(scores[order[next]!]!) === score; next++) {
      gain += gains[order[next]!]!;
      if (next < cutoff) discount += discountOf(next);
    }
    dcg += (gain / (next - first)) * discount;
  }
  return dcg;
}

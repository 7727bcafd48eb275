import { estimateMean, type Estimate } from './mean-estimate.js';
import {
  describeSlates,
  type AnsweredSplit,
  type ItemTraits,
  type SlateQualities,
} from './slate-qualities.js';
import type { EvaluationQuery } from './splits.js';

/** Metrics of a set of slates. Only the first `k` items of each slate count. */
export interface RankingFigures extends SlateQualities {
  readonly queries: number;
  /** Binary gain, discount 1 / log2(rank + 1), over the ideal of min(k, relevant) hits (Järvelin and Kekäläinen, 2002). */
  readonly ndcg: Estimate;
  /** Σ over hits of hit number / rank, over the number of relevant items. */
  readonly map: Estimate;
  /** Hits over k, also where the slate is shorter. */
  readonly precision: Estimate;
  /** Hits over the number of relevant items. */
  readonly recall: Estimate;
  /** 1 / rank of the first hit, 0 without one. */
  readonly mrr: Estimate;
  /** 1 with at least one hit, else 0. */
  readonly hitRate: Estimate;
}

/** The figures, with what paired comparisons and plots need besides. */
export interface MetricSummary extends RankingFigures {
  /** In the order of the queries, split after split. */
  readonly ndcgPerQuery: Float64Array;
  /** In the order of the splits. */
  readonly ndcgBySplit: readonly Estimate[];
}

/** Metrics of one slate, by the definitions of `RankingFigures`. */
export type SlateFigures = Record<'ndcg' | 'map' | 'precision' | 'recall' | 'mrr' | 'hitRate', number>;

/**
 * Judges the slates of one or several splits together: the mean over all queries, each weighing the same.
 *
 * @param options.traits of every item, for the diversity of slates
 * @throws RangeError when a split has no queries or not one slate per query, or when a slate repeats an item.
 */
export function evaluateSlates(
  answers: readonly AnsweredSplit[],
  options: { k?: number | undefined; traits?: ItemTraits | undefined } = {},
): MetricSummary {
  const { k = 10, traits } = options;
  const bySplit = answers.map((answered) => judgeSplit(answered, k));
  const all = bySplit.flat();
  return {
    queries: all.length,
    ndcg: estimateMean(all.map((query) => query.ndcg)),
    map: estimateMean(all.map((query) => query.map)),
    precision: estimateMean(all.map((query) => query.precision)),
    recall: estimateMean(all.map((query) => query.recall)),
    mrr: estimateMean(all.map((query) => query.mrr)),
    hitRate: estimateMean(all.map((query) => query.hitRate)),
    ...describeSlates(answers, { k, traits }),
    ndcgPerQuery: Float64Array.from(all, (query) => query.ndcg),
    ndcgBySplit: bySplit.map((queries) => estimateMean(queries.map((query) => query.ndcg))),
  };
}

/** DCG of `hits` hits in the first places: what nDCG is relative to. */
export function idealGain(hits: number): number {
  let gain = 0;
  for (let rank = 1; rank <= hits; rank++) gain += 1 / Math.log2(rank + 1);
  return gain;
}

function judgeSplit({ split, slates }: AnsweredSplit, k: number): SlateFigures[] {
  if (split.queries.length === 0) throw new RangeError(`split ${split.label} has no queries`);
  if (slates.length !== split.queries.length) {
    throw new RangeError(`split ${split.label}: ${slates.length} slates for ${split.queries.length} queries`);
  }
  return split.queries.map((query, position) => judgeSlate(query, slates[position]!.subarray(0, k), k));
}

/**
 * Judges one slate of `k` items at most.
 * @throws RangeError when it repeats an item
 */
export function judgeSlate(
  query: Pick<EvaluationQuery, 'user' | 'relevant'>,
  slate: Int32Array,
  k: number,
): SlateFigures {
  if (new Set(slate).size !== slate.length)
    throw new RangeError(`a slate of user ${query.user} repeats an item`);
  const relevant = new Set(query.relevant);
  const hitRanks = [...slate].flatMap((item, position) => (relevant.has(item) ? [position + 1] : []));
  const gain = hitRanks.reduce((sum, rank) => sum + 1 / Math.log2(rank + 1), 0);
  const precisions = hitRanks.reduce((sum, rank, earlierHits) => sum + (earlierHits + 1) / rank, 0);
  return {
    ndcg: gain / idealGain(Math.min(k, relevant.size)),
    map: precisions / relevant.size,
    precision: hitRanks.length / k,
    recall: hitRanks.length / relevant.size,
    mrr: hitRanks.length === 0 ? 0 : 1 / hitRanks[0]!,
    hitRate: hitRanks.length === 0 ? 0 : 1,
  };
}

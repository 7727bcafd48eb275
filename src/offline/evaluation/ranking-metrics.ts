import { selectTopK } from '../../domain/top-k.js';
import type { EvaluationQuery, SplitFacts } from './splits.js';

/** A mean over queries and its standard error (0 for a single query). */
export interface Estimate {
  readonly mean: number;
  readonly standardError: number;
}

/** What a set of slates is worth. Only the first `k` items of each slate count. */
export interface RankingFigures {
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
  /** Distinct items recommended over the size of the catalogue, mean over splits. */
  readonly coverage: number;
  /** Share of the recommendations that went to the tenth of the catalogue with the most train rows, mean over splits. */
  readonly popularityShare: number;
}

/** The figures, with what paired comparisons and plots need besides. */
export interface MetricSummary extends RankingFigures {
  /** In the order of the queries, split after split. */
  readonly ndcgPerQuery: Float64Array;
  /** In the order of the splits. */
  readonly ndcgBySplit: readonly Estimate[];
}

/** The slates that one ranking gave to the queries of one split. */
export interface AnsweredSplit {
  readonly split: Pick<SplitFacts, 'label' | 'queries' | 'popularity'>;
  /** Item indexes per query, best first, each once. */
  readonly slates: readonly Int32Array[];
}

type QueryFigures = Record<'ndcg' | 'map' | 'precision' | 'recall' | 'mrr' | 'hitRate', number>;

/** The share of the catalogue that counts as popular in `popularityShare`. */
const POPULAR_SHARE = 0.1;

/**
 * Judges the slates of one or several splits together: the mean over all queries, each weighing the same.
 *
 * @throws RangeError when a split has no queries or not one slate per query, or when a slate repeats an item.
 */
export function evaluateSlates(
  answers: readonly AnsweredSplit[],
  options: { k?: number | undefined } = {},
): MetricSummary {
  const { k = 10 } = options;
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
    coverage: estimateMean(answers.map((answered) => coverage(answered, k))).mean,
    popularityShare: estimateMean(answers.map((answered) => popularityShare(answered, k))).mean,
    ndcgPerQuery: Float64Array.from(all, (query) => query.ndcg),
    ndcgBySplit: bySplit.map((queries) => estimateMean(queries.map((query) => query.ndcg))),
  };
}

/** The mean of values and its standard error: sample deviation over √n, 0 for a single value. */
export function estimateMean(values: ArrayLike<number>): Estimate {
  const count = values.length;
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / count;
  const squares = list.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, standardError: count === 1 ? 0 : Math.sqrt(squares / (count - 1) / count) };
}

/** DCG of `hits` hits in the first places: what nDCG is relative to. */
export function idealGain(hits: number): number {
  let gain = 0;
  for (let rank = 1; rank <= hits; rank++) gain += 1 / Math.log2(rank + 1);
  return gain;
}

function judgeSplit({ split, slates }: AnsweredSplit, k: number): QueryFigures[] {
  if (split.queries.length === 0) throw new RangeError(`split ${split.label} has no queries`);
  if (slates.length !== split.queries.length) {
    throw new RangeError(`split ${split.label}: ${slates.length} slates for ${split.queries.length} queries`);
  }
  return split.queries.map((query, position) => judgeSlate(query, slates[position]!.subarray(0, k), k));
}

function judgeSlate(query: EvaluationQuery, slate: Int32Array, k: number): QueryFigures {
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

function coverage({ split, slates }: AnsweredSplit, k: number): number {
  const shown = new Set<number>();
  for (const slate of slates) for (const item of slate.subarray(0, k)) shown.add(item);
  return shown.size / split.popularity.length;
}

/** 0 when nothing was recommended. */
function popularityShare({ split, slates }: AnsweredSplit, k: number): number {
  const limit = Math.ceil(POPULAR_SHARE * split.popularity.length);
  const popular = new Set(selectTopK(Float32Array.from(split.popularity), { limit }).items);
  const shown = slates.flatMap((slate) => [...slate.subarray(0, k)]);
  return shown.filter((item) => popular.has(item)).length / Math.max(1, shown.length);
}

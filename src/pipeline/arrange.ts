import type { CandidateSet } from '../domain/candidate.js';
import type { MoveReason } from '../domain/slate.js';
import { orderByScore, pickScores, selectTopK } from '../domain/top-k.js';
import type { RankedSlate, SlateStep } from '../rules/slate-rule.js';
import { explainMoves } from '../rules/slate/explain-moves.js';
import { fillPlaces } from '../rules/slate/fill-places.js';
import type { Query } from './hydrate-query.js';

/** The candidates that an answer shows, in the order in which it shows them. */
export interface Selection {
  /** Rows of the candidate set. */
  readonly rows: Int32Array;
  /** Ranking scores of `rows`: descending, where no rule moved one. */
  readonly scores: Float32Array;
  /** Per row, what moved it, in the order of the rules; where it was asked for. */
  readonly reasons?: readonly (readonly MoveReason[])[] | undefined;
}

/** The part of a query by which a slate is arranged. */
export type ArrangingQuery = Pick<Query, 'limit' | 'rules' | 'moment' | 'shown'>;

/**
 * Chooses and orders what is shown: the candidates with the highest ranking scores, then as the rules of the scenario move them. Equal scores
 * keep the order of the candidates, which is that of fusion. Nothing shortens it: there are `limit` items, or all candidates.
 * @param scores one per candidate
 * @param options.reasons says what moved each
 */
export function arrange(
  scores: Float32Array,
  { items }: Pick<CandidateSet, 'items'>,
  { query, reasons = false }: { query: ArrangingQuery; reasons?: boolean },
): Selection {
  if (query.rules.slate.length === 0) return takeBest(scores, query, reasons);
  const order = orderByScore(scores);
  const slate = toRankedSlate(
    order.map((row) => items[row]!),
    query,
  );
  const steps = beginRules(query, slate);
  if (steps.length === 0) return takeBest(scores, query, reasons);
  const worth = normalise(pickScores(scores, order));
  const { ranks } = fillPlaces(steps, { worth, places: query.limit });
  const rows = ranks.map((rank) => order[rank]!);
  return {
    rows,
    scores: pickScores(scores, rows),
    ...(reasons && { reasons: explain(ranks, { query, slate, worth }) }),
  };
}

/**
 * What the rules of a query do to the place of some candidates, shown or not, in the order of the rules: as the reasons of a selection say it.
 * @param rows of the candidate set
 */
export function explainRows(
  rows: readonly number[],
  scores: Float32Array,
  { items, query }: Pick<CandidateSet, 'items'> & { query: ArrangingQuery },
): NonNullable<Selection['reasons']> {
  const order = orderByScore(scores);
  const slate = toRankedSlate(
    order.map((row) => items[row]!),
    query,
  );
  if (beginRules(query, slate).length === 0) return rows.map(() => []);
  const ranks = Int32Array.from(rows, (row) => order.indexOf(row));
  return explain(ranks, { query, slate, worth: normalise(pickScores(scores, order)) });
}

/** Best candidates that places are counted among in explanations, with those that are shown. */
const MOST_EXPLAINED = 300;

/** What moved some candidates, each known by its rank. */
function explain(
  ranks: Int32Array,
  { query, slate, worth }: { query: ArrangingQuery; slate: RankedSlate; worth: Float64Array },
): NonNullable<Selection['reasons']> {
  const best = Array.from({ length: Math.min(MOST_EXPLAINED, worth.length) }, (_, rank) => rank);
  const kept = Int32Array.from(new Set([...best, ...ranks])).sort();
  const few = toRankedSlate(
    kept.map((rank) => slate.items[rank]!),
    query,
  );
  return explainMoves(
    ranks.map((rank) => kept.indexOf(rank)),
    {
      begin: () => beginRules(query, few),
      worth: Float64Array.from(kept, (rank) => worth[rank]!),
      places: Math.min(query.limit, worth.length),
    },
  );
}

/** What was ranked as rules take it; `items` are in the order of ranking. */
export function toRankedSlate(
  items: Int32Array,
  { limit, moment, shown }: Pick<ArrangingQuery, 'limit' | 'moment' | 'shown'>,
): RankedSlate {
  return { items, moment, shown, before: shown.length, limit, rankOf: (item) => items.indexOf(item) };
}

/** What the rules of a query do to a slate: new for each slate that is filled. */
export function beginRules({ rules }: Pick<ArrangingQuery, 'rules'>, slate: RankedSlate): SlateStep[] {
  return rules.slate.flatMap((rule) => rule.begin(slate) ?? []);
}

function takeBest(scores: Float32Array, { limit }: ArrangingQuery, reasons: boolean): Selection {
  const { items: rows, scores: best } = selectTopK(scores, { limit });
  return { rows, scores: best, ...(reasons && { reasons: Array.from(rows, () => []) }) };
}

/** Scores in descending order as shares of their span, from 1 for the first to 0 for the last; all 0 where they are equal. */
function normalise(scores: Float32Array): Float64Array {
  const lowest = scores.at(-1) ?? 0;
  const span = (scores[0] ?? 0) - lowest;
  return Float64Array.from(scores, (score) => (span > 0 ? (score - lowest) / span : 0));
}

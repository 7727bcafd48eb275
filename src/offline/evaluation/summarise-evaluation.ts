import type {
  Comparison,
  EvaluationResult,
  EvaluationRow,
  HistorySlice,
  RankingKind,
} from './evaluation-result.js';
import { pairedBootstrap } from './paired-bootstrap.js';
import { estimateMean, evaluateSlates, type MetricSummary } from './ranking-metrics.js';
import type { SplitFacts } from './splits.js';

/** Everything an evaluation measured, before it is judged. */
export interface EvaluationRun extends Pick<
  EvaluationResult,
  | 'protocol'
  | 'dataset'
  | 'k'
  | 'candidates'
  | 'skippedSources'
  | 'ranker'
  | 'timings'
  | 'seed'
  | 'createdAt'
  | 'command'
> {
  /** Oldest first. */
  readonly splits: readonly SplitFacts[];
  /** With one ranking of kind two-stage, and at least one source or baseline. */
  readonly rankings: readonly AnsweredRanking[];
}

/** What one ranking answered to every query. */
export interface AnsweredRanking {
  readonly name: string;
  readonly kind: RankingKind;
  /** Per split, per query: item indexes, best first, each once. */
  readonly slates: readonly (readonly Int32Array[])[];
}

interface JudgedRanking extends AnsweredRanking {
  readonly summary: MetricSummary;
}

/** Slices by the number of distinct items that training knew of the user. */
const HISTORY_SLICES = [
  { label: '0', least: 0, most: 0 },
  { label: '1–5', least: 1, most: 5 },
  { label: '6–20', least: 6, most: 20 },
  { label: '21–100', least: 21, most: 100 },
  { label: '>100', least: 101, most: Number.POSITIVE_INFINITY },
];

/**
 * Judges every ranking of a run on the same queries and compares the two-stage one with the best single one.
 *
 * @throws RangeError when the run has no two-stage ranking or no single one, or its slates do not fit its queries.
 */
export function summariseEvaluation(run: EvaluationRun): EvaluationResult {
  const { splits, rankings, ...rest } = run;
  const judged = rankings.map((ranking) => judgeRanking(ranking, run));
  const bestSingle = findBest(judged, ['source', 'baseline']);
  const twoStage = findBest(judged, ['two-stage']);
  return {
    ...rest,
    splits: splits.map(({ label, knownUntil, trainRows, queries }) => ({
      label,
      knownUntil,
      trainRows,
      queries: queries.length,
    })),
    rows: judged.map((ranking) => toRow(ranking, bestSingle)),
    comparison: compare(twoStage, bestSingle, run.seed),
    slices: sliceByHistory(splits, { twoStage, bestSingle }),
  };
}

function judgeRanking(ranking: AnsweredRanking, { splits, k }: EvaluationRun): JudgedRanking {
  const answers = splits.map((split, position) => ({ split, slates: ranking.slates[position] ?? [] }));
  return { ...ranking, summary: evaluateSlates(answers, { k }) };
}

function findBest(judged: readonly JudgedRanking[], kinds: readonly RankingKind[]): JudgedRanking {
  const eligible = judged.filter((ranking) => kinds.includes(ranking.kind));
  if (eligible.length === 0)
    throw new RangeError(`the evaluation has no ranking of kind ${kinds.join(' or ')}`);
  return eligible.reduce((best, ranking) =>
    ranking.summary.ndcg.mean > best.summary.ndcg.mean ? ranking : best,
  );
}

function toRow({ name, kind, summary }: JudgedRanking, bestSingle: JudgedRanking): EvaluationRow {
  const { ndcgPerQuery: _, ndcgBySplit, ...metrics } = summary;
  return { name, kind, metrics, ndcgBySplit, liftOverBestSingle: liftOf(summary, bestSingle.summary) };
}

function liftOf(summary: MetricSummary, base: MetricSummary): number | null {
  return base.ndcg.mean === 0 ? null : summary.ndcg.mean / base.ndcg.mean - 1;
}

function compare(twoStage: JudgedRanking, bestSingle: JudgedRanking, seed: number): Comparison {
  return {
    twoStage: twoStage.name,
    bestSingle: bestSingle.name,
    lift: liftOf(twoStage.summary, bestSingle.summary),
    ...pairedBootstrap(twoStage.summary.ndcgPerQuery, bestSingle.summary.ndcgPerQuery, { seed }),
  };
}

function sliceByHistory(
  splits: readonly SplitFacts[],
  compared: { twoStage: JudgedRanking; bestSingle: JudgedRanking },
): HistorySlice[] {
  const lengths = splits.flatMap((split) => [...split.historyLengths]);
  return HISTORY_SLICES.flatMap(({ label, least, most }) => {
    const inSlice = (_: number, query: number): boolean =>
      lengths[query]! >= least && lengths[query]! <= most;
    const twoStage = compared.twoStage.summary.ndcgPerQuery.filter(inSlice);
    const bestSingle = compared.bestSingle.summary.ndcgPerQuery.filter(inSlice);
    if (twoStage.length === 0) return [];
    return [
      {
        label,
        queries: twoStage.length,
        twoStage: estimateMean(twoStage),
        bestSingle: estimateMean(bestSingle),
      },
    ];
  });
}

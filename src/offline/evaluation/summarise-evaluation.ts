import type { AttributeColumn } from '../../domain/catalogue.js';
import type {
  Ablation,
  Comparison,
  EvaluationResult,
  EvaluationRow,
  RankingKind,
  Segment,
  Segmentation,
} from './evaluation-result.js';
import { pairedBootstrap } from '../protocol/paired-bootstrap.js';
import { estimateMean } from '../protocol/mean-estimate.js';
import { collectQueryFigures } from './query-figures.js';
import { evaluateSlates, type MetricSummary } from '../protocol/ranking-metrics.js';
import { groupQueries, type QueryGrouping } from './segment-queries.js';
import type { ItemTraits } from '../protocol/slate-qualities.js';
import type { SplitFacts } from '../protocol/splits.js';

/** Everything an evaluation measured, before it is judged. */
export interface EvaluationRun extends Pick<
  EvaluationResult,
  | 'protocol'
  | 'trainingProtocol'
  | 'dataset'
  | 'k'
  | 'candidates'
  | 'skippedSources'
  | 'ranker'
  | 'replay'
  | 'search'
  | 'index'
  | 'alsChoices'
  | 'sourceWorths'
  | 'timings'
  | 'seed'
  | 'createdAt'
  | 'command'
> {
  /** Oldest first. */
  readonly splits: readonly SplitFacts[];
  /** With one ranking of kind two-stage, and at least one source or baseline. */
  readonly rankings: readonly AnsweredRanking[];
  /** What the two-stage ranking answered without each group of features; none where that was not asked. */
  readonly ablations?: readonly AblatedSlates[] | undefined;
  readonly traits: ItemTraits;
  /** Of the users, a value per user index. */
  readonly userAttributes: readonly AttributeColumn[];
}

/** The answers of one ranking to every query. */
export interface AnsweredRanking {
  readonly name: string;
  readonly kind: RankingKind;
  /** Per split, per query: item indexes, best first, each once. */
  readonly slates: readonly (readonly Int32Array[])[];
}

/** The answers of the pipeline to every query with a ranker that was trained without one feature group. */
export interface AblatedSlates extends Pick<AnsweredRanking, 'slates'> {
  readonly group: string;
}

interface JudgedRanking extends AnsweredRanking {
  readonly summary: MetricSummary;
}

interface ComparedRankings {
  readonly twoStage: JudgedRanking;
  readonly bestSingle: JudgedRanking;
  /** Who asked, per query. */
  readonly users: readonly number[];
  readonly seed: number;
}

/**
 * Judges every ranking of a run on the same queries and compares the two-stage one with the best single one.
 *
 * @throws RangeError when the run has no two-stage ranking or no single one, or its slates do not fit its queries.
 */
export function summariseEvaluation(run: EvaluationRun): EvaluationResult {
  const { splits, rankings, ablations, traits: _, userAttributes, ...rest } = run;
  const judged = rankings.map((ranking) => judgeRanking(ranking, run));
  const bestSingle = findBest(judged, ['source', 'baseline']);
  const twoStage = findBest(judged, ['two-stage']);
  const users = splits.flatMap(({ queries }) => queries.map(({ user }) => user));
  const compared = { twoStage, bestSingle, users, seed: run.seed };
  return {
    ...rest,
    splits: splits.map(({ label, knownUntil, trainRows, testRows, tiedRows, queries }) => ({
      label,
      knownUntil,
      trainRows,
      testRows,
      tiedRows,
      queries: queries.length,
    })),
    rows: judged.map((ranking) => toRow(ranking, bestSingle)),
    queries: collectQueryFigures(
      splits,
      new Map(judged.map(({ name, summary }) => [name, summary.ndcgPerQuery])),
    ),
    comparison: compare(compared),
    segmentations: groupQueries(splits, userAttributes).map((grouping) => judgeSegments(grouping, compared)),
    ...(ablations && { ablation: ablations.map((ablated) => judgeAblation(ablated, run, compared)) }),
  };
}

function judgeRanking(ranking: AnsweredRanking, run: EvaluationRun): JudgedRanking {
  return { ...ranking, summary: judgeSlates(ranking.slates, run) };
}

function judgeSlates(slates: AnsweredRanking['slates'], { splits, k, traits }: EvaluationRun): MetricSummary {
  const answers = splits.map((split, position) => ({ split, slates: slates[position] ?? [] }));
  return evaluateSlates(answers, { k, traits });
}

function judgeAblation(
  { group, slates }: AblatedSlates,
  run: EvaluationRun,
  { twoStage, seed, users }: ComparedRankings,
): Ablation {
  const { ndcg, ndcgPerQuery } = judgeSlates(slates, run);
  return { group, ndcg, ...pairedBootstrap(ndcgPerQuery, twoStage.summary.ndcgPerQuery, { seed, users }) };
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

function compare({ twoStage, bestSingle, seed, users }: ComparedRankings): Comparison {
  return {
    twoStage: twoStage.name,
    bestSingle: bestSingle.name,
    lift: liftOf(twoStage.summary, bestSingle.summary),
    ...pairedBootstrap(twoStage.summary.ndcgPerQuery, bestSingle.summary.ndcgPerQuery, { seed, users }),
  };
}

function judgeSegments({ labels, labelOf, by }: QueryGrouping, compared: ComparedRankings): Segmentation {
  const segments = labels.map((label): Segment => {
    const inSegment = (_: number, query: number): boolean => labelOf[query] === label;
    const twoStage = compared.twoStage.summary.ndcgPerQuery.filter(inSegment);
    const bestSingle = compared.bestSingle.summary.ndcgPerQuery.filter(inSegment);
    const users = compared.users.filter(inSegment);
    return {
      label,
      queries: twoStage.length,
      twoStage: estimateMean(twoStage),
      bestSingle: estimateMean(bestSingle),
      ...pairedBootstrap(twoStage, bestSingle, { seed: compared.seed, users }),
    };
  });
  return { by, segments };
}

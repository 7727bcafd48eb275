import type { ItemIndex } from '../../bundle/manifest.js';
import { alignColumns } from '../report/align-columns.js';
import { listFeatureGroupRows } from './feature-group-rows.js';
import type { EvaluationResult, EvaluationRow, Segmentation } from './evaluation-result.js';
import {
  formatCount,
  formatDifference,
  formatEstimate,
  formatLift,
  formatOptionalShare,
  formatScore,
  formatShare,
} from '../report/figure-format.js';
import { describeAlsChoice } from '../training/candidates/choose-als-weights.js';
import { describeWorths } from '../training/stage-one/measure-worths.js';
import { listTimeFacts } from './time-lines.js';
import { describeSearch } from '../training/tuning/describe-search.js';

/** The table that `shortlist evaluate` prints: Markdown that also reads well on a terminal, without a final newline. */
export function renderEvaluationTable(result: EvaluationResult): string {
  const head = headOf(result.k);
  const body = result.rows.map((row) => cellsOf(row));
  return [
    describeRun(result),
    '',
    ...alignColumns([head, ...body]),
    '',
    ...conclusions(result),
    '',
    ...sourceLines(result),
    ...featureGroupLines(result),
  ].join('\n');
}

/** The tables that `shortlist evaluate --segments` prints below: the two compared rankings by groups of queries. */
export function renderSegmentTables({ segmentations, comparison, k }: EvaluationResult): string {
  const { twoStage, bestSingle, confidence } = comparison;
  const tables = segmentations.map(({ by, segments }: Segmentation) => {
    const interval = `${Math.round(100 * confidence)} % interval`;
    const head = [
      by,
      'queries',
      `${twoStage} nDCG@${k} ± se`,
      `${bestSingle} nDCG@${k} ± se`,
      'difference',
      interval,
    ];
    const rows = segments.map((segment) => [
      segment.label,
      formatCount(segment.queries),
      formatEstimate(segment.twoStage),
      formatEstimate(segment.bestSingle),
      formatDifference(segment.difference),
      `${formatDifference(segment.low)} to ${formatDifference(segment.high)}`,
    ]);
    return alignColumns([head, ...rows]).join('\n');
  });
  return tables.join('\n\n');
}

function describeRun(result: EvaluationResult): string {
  const { dataset, protocol, splits, seed } = result;
  const queries = splits.reduce((sum, split) => sum + split.queries, 0);
  const over = splits.length === 1 ? splits[0]!.label : `${splits.length} windows from ${splits[0]!.label}`;
  return (
    `${dataset.name} (${formatCount(dataset.users)} users, ${formatCount(dataset.items)} items, ` +
    `${formatCount(dataset.interactions)} interactions)${describeJudged(dataset)}, protocol ${protocol}: ${over}, ` +
    `${formatCount(queries)} queries, seed ${seed}`
  );
}

function describeJudged({ target }: EvaluationResult['dataset']): string {
  return target === undefined ? '' : `, target ${target}`;
}

function headOf(k: number): string[] {
  const accuracy = ['ranking', `nDCG@${k} ± se`, 'lift', 'MAP', 'P', 'R', 'MRR', 'HR'];
  return [...accuracy, 'coverage', 'popular', 'novelty', 'diversity'];
}

function cellsOf({ name, metrics, liftOverBestSingle }: EvaluationRow): string[] {
  const { ndcg, map, precision, recall, mrr, hitRate, coverage, popularityShare, novelty, diversity } =
    metrics;
  return [
    name,
    formatEstimate(ndcg),
    formatLift(liftOverBestSingle),
    ...[map, precision, recall, mrr, hitRate].map(({ mean }) => formatScore(mean)),
    formatShare(coverage),
    formatShare(popularityShare),
    novelty.toFixed(2),
    formatOptionalShare(diversity),
  ];
}

function conclusions(result: EvaluationResult): string[] {
  const { comparison, candidates, k, rows, ranker, search, index, alsChoices = [] } = result;
  const { bestSingle, lift, difference, low, high, confidence } = comparison;
  const best = rows.find((row) => row.name === bestSingle)!;
  return [
    `- Best single source: ${bestSingle}, nDCG@${k} ${formatScore(best.metrics.ndcg.mean)}.`,
    `- Two-stage over it: ${formatLift(lift)}, difference ${formatDifference(difference)}, ` +
      `${Math.round(100 * confidence)} % interval ${formatDifference(low)} to ${formatDifference(high)}.`,
    `- Ceiling: ${formatCount(candidates.meanCount)} candidates hold ${formatShare(candidates.recall.mean)} of the ` +
      `relevant items; a perfect ranker over them would reach nDCG@${k} ${formatScore(candidates.ndcgCeiling)}.`,
    ...describeRankers(ranker),
    ...listTimeFacts(result).map((fact) => `- ${fact}`),
    ...(search === undefined ? [] : [`- Search for training parameters: ${describeSearch(search)}`]),
    ...(index === undefined ? [] : [`- Index of als: ${describeIndex(index)}.`]),
    ...(alsChoices.length === 0
      ? []
      : [`- Numbers of als, by validation: ${alsChoices.map(describeAlsChoice).join('; ')}.`]),
  ];
}

/** Objective and trees of the ranker of each split: that they change from one to the next is chance, or news. */
function describeRankers({ bySplit = [] }: EvaluationResult['ranker']): string[] {
  if (bySplit.length === 0) return [];
  const rankers = bySplit.map(
    ({ split, objective, trees, isTossUp }) =>
      `${bySplit.length > 1 ? `${split} ` : ''}${objective} ${formatCount(trees)} trees${isTossUp ? ' (a toss-up)' : ''}`,
  );
  const note = bySplit.some(({ isTossUp }) => isTossUp)
    ? '; a toss-up: the objectives differ by less than the error, and the first named is kept'
    : '';
  return [`- Ranker: ${rankers.join(', ')}${note}.`];
}

/** The recall of an index against an exact search, in words. */
export function describeIndex({ kind, recall }: ItemIndex): string {
  const { mean, items, users } = recall;
  return `${kind}, recall@${items} ${mean.toFixed(4)} against exact, of ${users} users`;
}

/** What each source brought to the candidates, and which sources there were none of. */
function sourceLines({ candidates, skippedSources, sourceWorths }: EvaluationResult): string[] {
  const head = ['source', 'share of candidates', 'recall', 'found by it alone'];
  const rows = candidates.sources.map(({ name, share, recall, uniqueRecall }) => [
    name,
    formatShare(share),
    formatShare(recall),
    formatShare(uniqueRecall),
  ]);
  const notes = [
    ...(sourceWorths === undefined ? [] : [`- Worth by validation: ${describeWorths(sourceWorths)}.`]),
    ...skippedSources.map(({ name, reason }) => `- Skipped: ${name}, ${reason}.`),
  ];
  return [...alignColumns([head, ...rows]), ...(notes.length > 0 ? ['', ...notes] : [])];
}

/** What each group of features did for the ranker, unless it was trained elsewhere. */
function featureGroupLines(result: EvaluationResult): string[] {
  if (result.ranker.featureGroups.length === 0) return [];
  return ['', ...alignColumns(listFeatureGroupRows(result))];
}

import {
  drawImportances,
  drawRows,
  drawSlices,
  drawSources,
  drawSplits,
  drawValidation,
  MAX_IMPORTANCES,
} from './evaluation-charts.js';
import type { EvaluationResult } from './evaluation-result.js';
import { formatCount, formatEstimate, formatScore, formatShare } from '../report/figure-format.js';
import type { ReportFigure } from '../report/report-page.js';
import type { Estimate } from './ranking-metrics.js';

/** The plots of a report in reading order; the one over time only where there is more than one split. */
export function listFigures(result: EvaluationResult): ReportFigure[] {
  return [
    rankingsFigure(result),
    ...(result.splits.length > 1 ? [splitsFigure(result)] : []),
    slicesFigure(result),
    sourcesFigure(result),
    // An imported ranker tells nothing of its training.
    ...(result.ranker.validationCurve.length > 0
      ? [importancesFigure(result), validationFigure(result)]
      : []),
  ];
}

function rankingsFigure(result: EvaluationResult): ReportFigure {
  return {
    title: 'Which ranking puts the right things on top?',
    meaning:
      `Length is nDCG@${result.k}: 1 would be a list with everything there was to find in the first places, 0 a list ` +
      'without a hit. The true mean is within the thin line with 95 % confidence. Grey: baselines; blue: one source alone; ' +
      'violet: all sources fused; orange: fused, then ranked, as it is served.',
    drawing: drawRows(result),
    head: ['ranking', `nDCG@${result.k} ± se`],
    rows: result.rows.map(({ name, metrics }) => [name, formatEstimate(metrics.ndcg)]),
  };
}

function splitsFigure(result: EvaluationResult): ReportFigure {
  const [twoStage, bestSingle] = comparedBySplit(result);
  return {
    title: 'Does it hold over time?',
    meaning:
      'Each point is one test window, named by its first day and answered by a bundle trained on nothing later. ' +
      'A lead that holds in every window is worth more than a large one in a single window.',
    drawing: drawSplits(result),
    head: ['window from', 'train rows', 'queries', result.comparison.twoStage, result.comparison.bestSingle],
    rows: result.splits.map(({ label, trainRows, queries }, split) => [
      label,
      formatCount(trainRows),
      formatCount(queries),
      formatEstimate(twoStage[split]!),
      formatEstimate(bestSingle[split]!),
    ]),
  };
}

function slicesFigure(result: EvaluationResult): ReportFigure {
  const { twoStage, bestSingle } = result.comparison;
  return {
    title: 'Who gets the better lists?',
    meaning:
      'People grouped by how many different items they were known to have met. Groups differ in how much there was ' +
      'to find, so compare the two bars of a group, not one group with another.',
    drawing: drawSlices(result),
    head: ['items known', 'queries', twoStage, bestSingle],
    rows: result.slices.map((slice) => [
      slice.label,
      formatCount(slice.queries),
      formatEstimate(slice.twoStage),
      formatEstimate(slice.bestSingle),
    ]),
  };
}

function sourcesFigure(result: EvaluationResult): ReportFigure {
  const skipped = result.skippedSources.map(({ name, reason }) => ` Skipped: ${name}, ${reason}.`);
  const { sources, recall, meanCount, ndcgCeiling } = result.candidates;
  return {
    title: 'What do the candidate sources bring?',
    meaning:
      `Share of what there was to find that each source put among the ${formatCount(meanCount)} candidates. Together ` +
      `they hold ${formatShare(recall.mean)}, so no ranker over them can exceed nDCG@${result.k} ${formatScore(ndcgCeiling)}.${skipped.join('')}`,
    drawing: drawSources(result),
    head: ['source', 'share of candidates', 'recall', 'found by it alone'],
    rows: sources.map((source) => [
      source.name,
      formatShare(source.share),
      formatShare(source.recall),
      formatShare(source.uniqueRecall),
    ]),
  };
}

function importancesFigure(result: EvaluationResult): ReportFigure {
  const { featureImportance } = result.ranker;
  const shown = Math.min(MAX_IMPORTANCES, featureImportance.length);
  const ordered = [...featureImportance].sort((a, b) => b.gain - a.gain);
  return {
    title: 'What does the ranker look at?',
    meaning:
      `The ${shown} of ${featureImportance.length} features that reduced the ranker’s training loss the most. ` +
      'Features that say nearly the same share their worth among them.',
    drawing: drawImportances(result),
    head: ['feature', 'gain'],
    rows: ordered.map(({ feature, gain }) => [feature, gain.toPrecision(4)]),
  };
}

function validationFigure(result: EvaluationResult): ReportFigure {
  const { validationCurve, validationMetric, trees, objective } = result.ranker;
  return {
    title: 'Did the ranker learn enough, and not too much?',
    meaning:
      `${validationMetric} on people held out from training, as trees are added (objective: ${objective}). Training keeps ` +
      `the ${formatCount(trees)} trees at the best point; a curve that still rises at its end asks for more of them.`,
    drawing: drawValidation(result),
    head: ['trees', validationMetric],
    rows: validationCurve.map((value, tree) => [String(tree + 1), formatScore(value)]),
  };
}

function comparedBySplit({ rows, comparison }: EvaluationResult): [readonly Estimate[], readonly Estimate[]] {
  const named = (name: string): readonly Estimate[] => rows.find((row) => row.name === name)!.ndcgBySplit;
  return [named(comparison.twoStage), named(comparison.bestSingle)];
}

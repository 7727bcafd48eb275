import {
  drawFeatureGroups,
  drawImportances,
  drawRows,
  drawQualities,
  drawSegments,
  drawSources,
  drawSplits,
  drawValidation,
  MAX_IMPORTANCES,
} from './evaluation-charts.js';
import type { RankerChoice } from '../training/ranker/train-ranker.js';
import type { EvaluationResult, Segmentation } from './evaluation-result.js';
import { describeWorths } from '../training/stage-one/measure-worths.js';
import { listFeatureGroupRows } from './feature-group-rows.js';
import {
  formatCount,
  formatDifference,
  formatEstimate,
  formatOptionalShare,
  formatScore,
  formatShare,
} from '../report/figure-format.js';
import type { ReportFigure } from '../report/report-page.js';
import type { Estimate } from '../protocol/mean-estimate.js';
import { NEW_ITEM_ROWS } from './segment-queries.js';
import { findOwn } from '../../domain/find-own.js';

const SEGMENT_TITLES: Readonly<Record<string, string>> = {
  'items known of the user': 'Who gets the better lists?',
  'items to find': 'Does it find new things, or only what is known to be liked?',
};
const SEGMENT_MEANINGS: Readonly<Record<string, string>> = {
  'items known of the user': 'People grouped by how many different items they were known to have met.',
  'items to find': `Lists grouped by what there was to find: an item is new or rare when training saw fewer than ${NEW_ITEM_ROWS} interactions with it.`,
};

const GROUPS_OF_PEOPLE =
  'People grouped by what the dataset says of them; small groups stand together as “others”.';

/** The plots of a report in reading order; the one over time only where there is more than one split. */
export function listFigures(result: EvaluationResult): ReportFigure[] {
  return [
    rankingsFigure(result),
    ...(result.splits.length > 1 ? [splitsFigure(result)] : []),
    qualitiesFigure(result),
    ...result.segmentations.map((segmentation) => segmentsFigure(result, segmentation)),
    sourcesFigure(result),
    // An imported ranker tells nothing of its training.
    ...(result.ranker.validationCurve.length > 0
      ? [importancesFigure(result), featureGroupsFigure(result), validationFigure(result)]
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

function qualitiesFigure(result: EvaluationResult): ReportFigure {
  return {
    title: 'Does it show the breadth of the catalogue?',
    meaning:
      'Coverage is the share of the catalogue that anybody was shown; popular is the share of recommendations that went ' +
      'to the most popular tenth. A ranking that only repeats best-sellers covers little and is nearly all popular.',
    drawing: drawQualities(result),
    head: ['ranking', 'coverage', 'popular', 'novelty, bits', 'diversity'],
    rows: result.rows.map(({ name, metrics }) => [
      name,
      formatShare(metrics.coverage),
      formatShare(metrics.popularityShare),
      metrics.novelty.toFixed(2),
      formatOptionalShare(metrics.diversity),
    ]),
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

function segmentsFigure(result: EvaluationResult, segmentation: Segmentation): ReportFigure {
  const { by, segments } = segmentation;
  const { twoStage, bestSingle, confidence } = result.comparison;
  return {
    title: findOwn(SEGMENT_TITLES, by) ?? `Does it serve every group alike: ${by}?`,
    meaning: [
      findOwn(SEGMENT_MEANINGS, by) ?? GROUPS_OF_PEOPLE,
      'Groups differ in how much there was to find, so compare the two bars of a group, not one group with another.',
      describeLeads(segmentation, twoStage),
    ].join(' '),
    drawing: drawSegments(result, segmentation),
    head: [by, 'queries', twoStage, bestSingle, 'difference', `${Math.round(100 * confidence)} % interval`],
    rows: segments.map((segment) => [
      segment.label,
      formatCount(segment.queries),
      formatEstimate(segment.twoStage),
      formatEstimate(segment.bestSingle),
      formatDifference(segment.difference),
      `${formatDifference(segment.low)} to ${formatDifference(segment.high)}`,
    ]),
  };
}

/** In how many groups the interval leaves no doubt. */
function describeLeads({ segments }: Segmentation, twoStage: string): string {
  const better = segments.filter(({ low }) => low > 0).length;
  const worse = segments.filter(({ high }) => high < 0).map(({ label }) => label);
  const behind = worse.length === 0 ? 'behind in none' : `behind in ${worse.length} (${worse.join(', ')})`;
  const open = segments.length - better - worse.length;
  const rest = open === 0 ? '' : `; ${open} cannot be told apart`;
  return `Of ${segments.length} groups, ${twoStage} is ahead in ${better} and ${behind}${rest}.`;
}

function sourcesFigure(result: EvaluationResult): ReportFigure {
  const skipped = result.skippedSources.map(({ name, reason }) => ` Skipped: ${name}, ${reason}.`);
  const { sourceWorths } = result;
  const worth =
    sourceWorths === undefined
      ? ''
      : ` Worth by validation, 1 for the best: ${describeWorths(sourceWorths)}.`;
  const { sources, recall, meanCount, ndcgCeiling } = result.candidates;
  return {
    title: 'What do the candidate sources bring?',
    meaning:
      `Share of what there was to find that each source put among the ${formatCount(meanCount)} candidates. Together ` +
      `they hold ${formatShare(recall.mean)}, so no ranker over them can exceed nDCG@${result.k} ${formatScore(ndcgCeiling)}.${worth}${skipped.join('')}`,
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

function featureGroupsFigure(result: EvaluationResult): ReportFigure {
  const [head, ...rows] = listFeatureGroupRows(result);
  const gains =
    'Share of the reduction of the ranker’s training loss by each group of features. What a source has is in “retrieval” too.';
  return {
    title: 'What is each kind of feature worth?',
    meaning:
      result.ablation === undefined
        ? gains
        : `${gains} The numbers below say what the served lists are worth when the ranker is trained without the group: a ` +
          'difference below 0 is a loss, and one whose interval holds 0 cannot be told from chance.',
    drawing: drawFeatureGroups(result),
    head: head!,
    rows,
  };
}

function validationFigure(result: EvaluationResult): ReportFigure {
  const { validationCurve, validationMetric, trees, objective, choice } = result.ranker;
  const msOf = (count: number): string => (count * (choice?.boosting.msPerTree ?? 0)).toPrecision(2);
  return {
    title: 'Did the ranker learn enough, and not too much?',
    meaning:
      `${validationMetric} on people held out from training, as trees are added (objective: ${objective}). Training keeps ` +
      `the ${formatCount(trees)} trees at the best point, which take some ${msOf(trees)} ms of a request; a curve that still rises at its end asks for ` +
      `more of them.${choice === undefined ? '' : ` ${describeObjectives(choice)}`}`,
    drawing: drawValidation(result),
    head: ['trees', validationMetric, 'ms of a request'],
    rows: validationCurve.map((value, tree) => [String(tree + 1), formatScore(value), msOf(tree + 1)]),
  };
}

function comparedBySplit({ rows, comparison }: EvaluationResult): [readonly Estimate[], readonly Estimate[]] {
  const named = (name: string): readonly Estimate[] => rows.find((row) => row.name === name)!.ndcgBySplit;
  return [named(comparison.twoStage), named(comparison.bestSingle)];
}

/** `Tried: logistic .3210 ± .0070, lambdarank .3190 ± .0071; …` */
function describeObjectives({ objectives, isTossUp, boosting }: RankerChoice): string {
  const tried = objectives.map(({ objective, ndcg }) => `${objective} ${formatEstimate(ndcg)}`);
  return (
    `Tried: ${tried.join(', ')}` +
    (isTossUp ? '; they differ by less than the error, and the first named is kept' : '') +
    `. Learning rate ${boosting.learningRate}, at most ${formatCount(boosting.maxTrees)} trees.`
  );
}

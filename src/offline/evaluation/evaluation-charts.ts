import type { BarSeriesOption } from 'echarts';

import type { EvaluationResult, EvaluationRow, RankingKind, Segmentation } from './evaluation-result.js';
import { formatCount } from '../report/figure-format.js';
import type { Html } from '../report/html.js';
import {
  axisName,
  bar,
  categoryAxis,
  drawChart,
  endLabel,
  labelRoom,
  legend,
  line,
  valueAxis,
  valueLabel,
  verticalLine,
  whiskers,
} from '../report/svg-chart.js';

/** Colours are variables of the page, so that one drawing suits its light and its dark dress. */
export const KIND_COLOURS: Record<RankingKind, string> = {
  baseline: 'var(--baseline)',
  source: 'var(--source)',
  fusion: 'var(--fusion)',
  'two-stage': 'var(--two-stage)',
  placement: 'var(--fusion)',
};
/** Features that the chart of importances shows at most. */
export const MAX_IMPORTANCES = 20;

const ROW_HEIGHT = 36;
/** Bars of a group, one above the other, in pixels. */
const PAIR = { width: 14, gap: 3 };
const PAIR_HEIGHT = 52;

/** nDCG of every row, best on top. */
export function drawRows({ rows, k }: EvaluationResult): Html {
  const ordered = [...rows].sort((a, b) => a.metrics.ndcg.mean - b.metrics.ndcg.mean);
  return drawChart('rows', {
    height: 56 + ROW_HEIGHT * ordered.length,
    left: labelRoom(ordered.map((row) => row.name)),
    xAxis: valueAxis(`nDCG@${k}`),
    yAxis: categoryAxis(ordered.map((row) => row.name)),
    series: [
      bar({
        barWidth: 20,
        data: ordered.map(({ kind, metrics }) => coloured(metrics.ndcg.mean, KIND_COLOURS[kind])),
      }),
      whiskers(
        ordered.map((row) => row.metrics.ndcg),
        { direction: 'right', labelled: true },
      ),
    ],
  });
}

/** nDCG of the two compared rows in each split. */
export function drawSplits(result: EvaluationResult): Html {
  const { splits, k } = result;
  return drawChart('splits', {
    height: 320,
    top: 56,
    legend: legend(),
    xAxis: { ...categoryAxis(splits.map((split) => split.label)), ...axisName('first day of the window') },
    yAxis: { ...valueAxis(`nDCG@${k}`), nameGap: 46 },
    series: comparedRows(result).flatMap(({ name, kind, ndcgBySplit }) => [
      line({ name, color: KIND_COLOURS[kind], data: ndcgBySplit.map((estimate) => estimate.mean) }),
      whiskers(ndcgBySplit, { direction: 'up', colour: KIND_COLOURS[kind] }),
    ]),
  });
}

/**
 * A chart of candidate recall: per source all that it finds and what only it finds, and what all find
 * together.
 */
export function drawSources({ candidates }: EvaluationResult): Html {
  const ordered = [...candidates.sources].sort((a, b) => a.recall - b.recall);
  const recalled = ordered.map((source) => source.recall);
  return drawChart('sources', {
    height: 104 + ROW_HEIGHT * ordered.length,
    left: labelRoom(ordered.map((source) => source.name)),
    top: 56,
    legend: legend(),
    xAxis: {
      ...valueAxis('share of the relevant items'),
      max: 1,
      axisLabel: { ...valueLabel(), formatter: formatPercent },
    },
    yAxis: categoryAxis(ordered.map((source) => source.name)),
    series: [
      bar({
        name: 'also found by others',
        color: KIND_COLOURS.source,
        stack: 'recall',
        barWidth: 20,
        data: ordered.map((source) => source.recall - source.uniqueRecall),
      }),
      bar({
        name: 'found by this source alone',
        color: KIND_COLOURS['two-stage'],
        stack: 'recall',
        barWidth: 20,
        data: ordered.map((source) => source.uniqueRecall),
        label: endLabel(recalled.map(formatPercent)),
        markLine: ceilingLine(candidates.recall.mean),
      }),
    ],
  });
}

/** nDCG of the two compared rows by group of queries, groups from top to bottom. */
export function drawSegments(result: EvaluationResult, segmentation: Segmentation): Html {
  const { segments } = segmentation;
  const compared = comparedRows(result);
  const bottomUp = [...segments].reverse();
  const names = bottomUp.map(({ label, queries }) => `${label} (${formatCount(queries)})`);
  const estimates = [
    bottomUp.map((segment) => segment.twoStage),
    bottomUp.map((segment) => segment.bestSingle),
  ];
  const shift = (PAIR.width + PAIR.gap) / 2;
  return drawChart(`segments-${result.segmentations.indexOf(segmentation)}`, {
    height: 104 + PAIR_HEIGHT * segments.length,
    left: labelRoom(names),
    top: 56,
    legend: legend(),
    xAxis: valueAxis(`nDCG@${result.k}`),
    yAxis: categoryAxis(names),
    series: compared.flatMap(({ name, kind }, position) => {
      const shown = estimates[position]!;
      return [
        bar({
          name,
          color: KIND_COLOURS[kind],
          barWidth: PAIR.width,
          barGap: `${(100 * PAIR.gap) / PAIR.width}%`,
          data: shown.map((estimate) => estimate.mean),
        }),
        whiskers(shown, { direction: 'right', shift: position === 0 ? -shift : shift, labelled: true }),
      ];
    }),
  });
}

/** Coverage and popularity share of every row, best ranking on top. */
export function drawQualities({ rows }: EvaluationResult): Html {
  const ordered = [...rows].sort((a, b) => a.metrics.ndcg.mean - b.metrics.ndcg.mean);
  const coverages = ordered.map(({ metrics }) => metrics.coverage);
  const popularities = ordered.map(({ metrics }) => metrics.popularityShare);
  const paired = { barWidth: PAIR.width, barGap: `${(100 * PAIR.gap) / PAIR.width}%` };
  return drawChart('qualities', {
    height: 104 + PAIR_HEIGHT * ordered.length,
    left: labelRoom(ordered.map((row) => row.name)),
    top: 56,
    legend: legend(),
    xAxis: { ...valueAxis('share'), max: 1, axisLabel: { ...valueLabel(), formatter: formatPercent } },
    yAxis: categoryAxis(ordered.map((row) => row.name)),
    series: [
      bar({
        name: 'popular',
        color: KIND_COLOURS.baseline,
        ...paired,
        data: popularities,
        label: endLabel(popularities.map(formatPercent)),
      }),
      bar({
        name: 'coverage',
        color: KIND_COLOURS['two-stage'],
        ...paired,
        data: coverages,
        label: endLabel(coverages.map(formatPercent)),
      }),
    ],
  });
}

/** The features with the largest gain, as shares of all gain. */
export function drawImportances({ ranker }: EvaluationResult): Html {
  const gains = ranker.featureImportance.map(({ feature, gain }) => ({ name: feature, gain }));
  return drawGains('importances', {
    gains: gains.sort((a, b) => b.gain - a.gain).slice(0, MAX_IMPORTANCES),
    total: totalGain(ranker),
  });
}

/** The gain of each group of features, as shares of all gain, largest on top. */
export function drawFeatureGroups({ ranker }: EvaluationResult): Html {
  const gains = ranker.featureGroups.map(({ group, gain }) => ({ name: group, gain }));
  return drawGains('feature-groups', {
    gains: gains.sort((a, b) => b.gain - a.gain),
    total: totalGain(ranker),
  });
}

function totalGain({ featureImportance }: EvaluationResult['ranker']): number {
  return featureImportance.reduce((sum, { gain }) => sum + gain, 0);
}

/** @param options.gains largest first */
function drawGains(
  id: string,
  options: { gains: readonly { name: string; gain: number }[]; total: number },
): Html {
  const bottomUp = [...options.gains].reverse();
  const names = bottomUp.map(({ name }) => name);
  const shares = bottomUp.map(({ gain }) => gain / Math.max(options.total, Number.MIN_VALUE));
  return drawChart(id, {
    height: 56 + 26 * bottomUp.length,
    left: labelRoom(names),
    xAxis: {
      ...valueAxis('share of the total gain'),
      axisLabel: { ...valueLabel(), formatter: formatPercent },
    },
    yAxis: categoryAxis(names),
    series: [
      bar({
        color: KIND_COLOURS['two-stage'],
        barWidth: 14,
        data: shares,
        label: endLabel(shares.map((share) => `${(100 * share).toFixed(1)} %`)),
      }),
    ],
  });
}

/** The validation metric after each tree, and where training stopped. */
export function drawValidation({ ranker }: EvaluationResult): Html {
  const { validationCurve, validationMetric, trees } = ranker;
  return drawChart('validation', {
    height: 300,
    top: 28,
    xAxis: {
      ...valueAxis('trees'),
      type: 'value',
      min: 1,
      max: validationCurve.length,
      splitLine: { show: false },
      axisLabel: { ...valueLabel(), showMaxLabel: false },
    },
    yAxis: { ...valueAxis(validationMetric), nameGap: 46, scale: true },
    series: [
      {
        ...line({
          name: validationMetric,
          color: KIND_COLOURS['two-stage'],
          data: validationCurve.map((value, position) => [position + 1, value]),
        }),
        showSymbol: false,
        markLine: verticalLine(trees, `${trees} trees kept`),
      },
    ],
  });
}

function comparedRows({ rows, comparison }: EvaluationResult): EvaluationRow[] {
  const named = (name: string): EvaluationRow => rows.find((row) => row.name === name)!;
  return [named(comparison.twoStage), named(comparison.bestSingle)];
}

function ceilingLine(recall: number): NonNullable<BarSeriesOption['markLine']> {
  return verticalLine(recall, `together ${formatPercent(recall)}`);
}

function formatPercent(share: number): string {
  return `${Math.round(100 * share)} %`;
}

function coloured(value: number, color: string): { value: number; itemStyle: { color: string } } {
  return { value, itemStyle: { color } };
}

import type { BarSeriesOption } from 'echarts';

import type { EvaluationResult, EvaluationRow, RankingKind } from './evaluation-result.js';
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
};
export const MAX_IMPORTANCES = 20;

const ROW_HEIGHT = 36;
/** Bars that stand side by side, in pixels. */
const PAIR = { width: 40, gap: 8 };

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

/** What each source recalls, what only it recalls, and what all recall together. */
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

/** nDCG of the two compared rows by how much is known of the user. */
export function drawSlices(result: EvaluationResult): Html {
  const { slices, k } = result;
  const compared = comparedRows(result);
  const estimates = [slices.map((slice) => slice.twoStage), slices.map((slice) => slice.bestSingle)];
  const shift = (PAIR.width + PAIR.gap) / 2;
  return drawChart('slices', {
    height: 340,
    top: 56,
    legend: legend(),
    xAxis: { ...categoryAxis(slices.map((slice) => slice.label)), ...axisName('items known of the user') },
    yAxis: { ...valueAxis(`nDCG@${k}`), nameGap: 46 },
    series: compared.flatMap(({ name, kind }, position) => [
      bar({
        name,
        color: KIND_COLOURS[kind],
        barWidth: PAIR.width,
        barGap: `${(100 * PAIR.gap) / PAIR.width}%`,
        data: estimates[position]!.map((estimate) => estimate.mean),
      }),
      whiskers(estimates[position]!, { direction: 'up', shift: position === 0 ? -shift : shift }),
    ]),
  });
}

/** The features with the largest gain, as shares of all gain. */
export function drawImportances({ ranker }: EvaluationResult): Html {
  const total = ranker.featureImportance.reduce((sum, { gain }) => sum + gain, 0);
  const ordered = [...ranker.featureImportance].sort((a, b) => b.gain - a.gain).slice(0, MAX_IMPORTANCES);
  const shares = ordered.reverse().map(({ gain }) => gain / Math.max(total, Number.MIN_VALUE));
  return drawChart('importances', {
    height: 56 + 26 * ordered.length,
    left: labelRoom(ordered.map(({ feature }) => feature)),
    xAxis: {
      ...valueAxis('share of the total gain'),
      axisLabel: { ...valueLabel(), formatter: formatPercent },
    },
    yAxis: categoryAxis(ordered.map(({ feature }) => feature)),
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

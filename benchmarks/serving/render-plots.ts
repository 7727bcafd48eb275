import { html, type Html } from '../../src/offline/report/html.js';
import { renderFigure, renderReportPage, type ReportFigure } from '../../src/offline/report/report-page.js';
import { type Axis, drawChart, legend, line, valueAxis } from '../../src/offline/report/svg-chart.js';
import type { BenchResult, ServingResult, SizeResult } from './measure-all.js';
import type { Slice } from './measure-serving.js';

const COLOURS = ['var(--source)', 'var(--two-stage)', 'var(--fusion)', 'var(--baseline)'];

/** A page with the plots of a result, in the dress of every report. */
export function renderPlots(result: BenchResult): string {
  const { commit, createdAt, serving, sizes } = result;
  const figures = [
    ...(sizes === undefined ? [] : [plotSizes(sizes)]),
    ...(serving === undefined ? [] : plotServing(serving)),
  ];
  return renderReportPage('What serving costs and bears', [
    html`<p class="eyebrow">${createdAt}, commit ${commit ?? 'unknown'}</p>
      <h1>What serving costs and bears</h1>`,
    ...figures.map(renderFigure),
  ]);
}

function plotSizes(sizes: readonly SizeResult[]): ReportFigure {
  const series = {
    'whole request': (size: SizeResult) => size.pipeline.total.p50,
    candidates: (size: SizeResult) => size.pipeline.stages['candidates.als']!.p50,
    'bare kernel, batch 1': (size: SizeResult) => size.kernels[0]!.retrievalMs,
    'bare kernel, batch 16': (size: SizeResult) => size.kernels[1]!.retrievalMs,
  };
  return {
    title: 'Cost of a request by items of the catalogue',
    meaning: 'Exact retrieval grows in proportion to the catalogue; all else stays as it is.',
    drawing: plotLines('sizes', {
      x: logAxis('items'),
      y: logAxis('milliseconds'),
      lines: Object.entries(series).map(([name, of]) => ({
        name,
        points: sizes.map((size) => [size.items, of(size)] as const),
      })),
    }),
    head: ['items', ...Object.keys(series)],
    rows: sizes.map((size) => [
      String(size.items),
      ...Object.values(series).map((of) => of(size).toFixed(3)),
    ]),
  };
}

function plotServing({ saturation, overloads, swap }: ServingResult): ReportFigure[] {
  const { steps } = saturation;
  const seconds = { ...valueAxis('seconds'), splitLine: { show: false } };
  return [
    {
      title: 'Answers by requests, per second',
      meaning:
        'Every step for itself, all candidates ranked. Where the line leaves the diagonal, the server is saturated.',
      drawing: plotLines('saturation', {
        x: valueAxis('requests per second'),
        y: valueAxis('per second'),
        lines: [
          { name: 'good answers', points: steps.map((step) => [step.offeredRate, step.goodRate] as const) },
          { name: 'requests', points: steps.map((step) => [step.offeredRate, step.offeredRate] as const) },
        ],
      }),
      head: ['requests per second', 'good answers per second', 'p99 ms'],
      rows: steps.map(({ offeredRate, goodRate, latencyMs }) => [
        offeredRate.toFixed(0),
        goodRate.toFixed(0),
        latencyMs?.p99.toFixed(1) ?? '–',
      ]),
    },
    ...[...new Set(overloads.map(({ factor }) => factor))].map((factor) => {
      const shown = overloads.filter((overload) => overload.factor === factor);
      return {
        title: `Good answers through ${factor} times the load that saturates`,
        meaning: 'With fewer candidates under pressure, and with refusing alone.',
        drawing: plotLines(`overload-${factor}`, {
          x: seconds,
          y: valueAxis('good answers per second'),
          lines: shown.map(({ adaptive, slices }) => ({
            name: adaptive ? 'fewer candidates' : 'shedding alone',
            points: toPoints(slices, ({ goodRate }) => goodRate),
          })),
        }),
        head: ['', 'good before', 'good during', 'p99 during, ms'],
        rows: shown.map(({ adaptive, before, during }) => [
          adaptive ? 'fewer candidates' : 'shedding alone',
          before.goodRate.toFixed(0),
          during.goodRate.toFixed(0),
          during.latencyMs?.p99.toFixed(1) ?? '–',
        ]),
      };
    }),
    {
      title: 'Latency through a swap of the bundle',
      meaning: `The new bundle opens beside the old one for ${swap.reloadSeconds.toFixed(1)} s while requests go on.`,
      drawing: plotLines('swap', {
        x: seconds,
        y: valueAxis('p99, milliseconds'),
        lines: [
          { name: 'p99 of a quarter of a second', points: toPoints(swap.slices, ({ p99Ms }) => p99Ms) },
        ],
      }),
      head: ['', 'p50 ms', 'p99 ms'],
      rows: (['before', 'during', 'after'] as const).map((part) => [
        part,
        swap[part].latencyMs?.p50.toFixed(1) ?? '–',
        swap[part].latencyMs?.p99.toFixed(1) ?? '–',
      ]),
    },
  ];
}

type Points = readonly (readonly [number, number])[];

function plotLines(
  name: string,
  { x, y, lines }: { x: Axis; y: Axis; lines: readonly { name: string; points: Points }[] },
): Html {
  return drawChart(name, {
    height: 320,
    top: 56,
    legend: legend(),
    xAxis: x,
    yAxis: { ...y, nameGap: 46 },
    series: lines.map((each, index) =>
      line({
        name: each.name,
        color: COLOURS[index]!,
        ...(each.points.length > 20 && { symbol: 'none' }),
        data: each.points.map((point) => [...point]),
      }),
    ),
  });
}

function toPoints(slices: readonly Slice[], valueOf: (slice: Slice) => number): Points {
  return slices.map((slice) => [slice.second, valueOf(slice)]);
}

function logAxis(name: string): Axis {
  return { ...valueAxis(name), type: 'log' };
}

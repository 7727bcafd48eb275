import { html } from '../../src/offline/report/html.js';
import { renderFigure, renderReportPage } from '../../src/offline/report/report-page.js';
import { drawChart, legend, line, valueAxis } from '../../src/offline/report/svg-chart.js';
import type { SoakSample } from './judge-soak.js';
import type { SoakResult } from './run-soak.js';

/** The verdict as text, a line for each limit. */
export function renderVerdict({ rate, load, checks }: SoakResult): string {
  const lines = checks.map(
    ({ what, value, limit, held }) =>
      `${held ? 'held  ' : 'BROKEN'}  ${what}: ${Number(value.toPrecision(3))}, at most ${limit}`,
  );
  const held = checks.every((each) => each.held);
  return [
    `${rate} requests per second for ${Math.round(load.seconds)} s; p99 ${load.latencyMs?.p99 ?? '–'} ms`,
    ...lines,
    held ? 'The soak is passed.' : 'The soak is FAILED.',
  ].join('\n');
}

/** A page with what the server held over time. */
export function renderSoakPage(result: SoakResult): string {
  const { samples, checks } = result;
  const plots = [
    plot('Resident memory', 'megabytes', samples, [['resident', ({ megabytes }) => megabytes]]),
    plot('File descriptors and handles', 'count', samples, [
      ['file descriptors', ({ fileDescriptors }) => fileDescriptors],
      ['handles', ({ handles }) => handles],
    ]),
  ];
  return renderReportPage('What grows under load', [
    html`<h1>What grows under load</h1>
      <pre>${renderVerdict(result)}</pre>`,
    ...plots.map((drawing) =>
      renderFigure({
        ...drawing,
        head: ['', 'seen', 'at most'],
        rows: checks.map(({ what, value, limit }) => [
          what,
          String(Number(value.toPrecision(3))),
          String(limit),
        ]),
      }),
    ),
  ]);
}

type Line = readonly [name: string, valueOf: (sample: SoakSample) => number];

function plot(title: string, unit: string, samples: readonly SoakSample[], lines: readonly Line[]) {
  const colours = ['var(--source)', 'var(--two-stage)'];
  return {
    title,
    meaning: 'The second half is judged: a straight line through it must hardly rise.',
    drawing: drawChart(title, {
      height: 320,
      top: 56,
      legend: legend(),
      xAxis: valueAxis('seconds'),
      yAxis: { ...valueAxis(unit), nameGap: 46, scale: true },
      series: lines.map(([name, valueOf], index) =>
        line({
          name,
          color: colours[index]!,
          symbol: 'none',
          data: samples.map((sample) => [sample.second, valueOf(sample)]),
        }),
      ),
    }),
  };
}

import type { Html } from '../offline/report/html.js';
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
  type Axis,
} from '../offline/report/svg-chart.js';
import { formatMs } from './load-test-format.js';
import type { LoadTestResult, ServerResult } from './load-test-result.js';

const GREY = 'var(--baseline)';
const BLUE = 'var(--source)';
const ORANGE = 'var(--two-stage)';
const ROW_HEIGHT = 36;

/** Latency percentiles over the intended time of the requests. */
export function drawLatency({ windows }: LoadTestResult): Html {
  const measured = windows.filter(({ maxMs }) => maxMs > 0);
  const series = [
    { name: 'max', color: GREY, of: 'maxMs' },
    { name: 'p99', color: ORANGE, of: 'p99Ms' },
    { name: 'p50', color: BLUE, of: 'p50Ms' },
  ] as const;
  return drawChart('latency', {
    height: 320,
    top: 56,
    legend: legend(),
    xAxis: timeAxis(),
    yAxis: logAxis(),
    series: series.map(({ name, color, of }) =>
      line({ name, color, symbol: 'none', data: measured.map((window) => [window.second, window[of]]) }),
    ),
  });
}

/** Requests per second: intended, good and failed. */
export function drawRates({ windows }: LoadTestResult): Html {
  const plot = (name: string, color: string, rateOf: (window: LoadTestResult['windows'][number]) => number) =>
    line({
      name,
      color,
      symbol: 'none',
      step: 'end',
      data: windows.map((window) => [window.second, rateOf(window)]),
    });
  return drawChart('rates', {
    height: 280,
    top: 56,
    legend: legend(),
    xAxis: timeAxis(),
    yAxis: { ...valueAxis('per second'), nameGap: 46 },
    series: [
      plot('intended', GREY, ({ intendedRate }) => intendedRate),
      plot('good', BLUE, ({ sent, failed, seconds }) => (sent - failed) / seconds),
      plot('failed', ORANGE, ({ failed, seconds }) => failed / seconds),
    ],
  });
}

/** Latency by percentile. */
export function drawPercentiles({ latencyMs }: LoadTestResult): Html {
  const { p50, p90, p95, p99, p999, max } = latencyMs!;
  return drawChart('percentiles', {
    height: 280,
    xAxis: { ...categoryAxis(['50', '90', '95', '99', '99.9', 'all']), ...axisName('of 100 requests') },
    yAxis: logAxis(),
    series: [line({ color: BLUE, data: [p50, p90, p95, p99, p999, max] })],
  });
}

/** A bar per way that requests ended: by status, or by kind of failure. */
export function drawOutcomes({ statuses, failures }: LoadTestResult): Html {
  const rows = [
    ...failures
      .filter(({ kind }) => kind !== 'status')
      .map(({ kind, count }) => ({ name: kind, count, colour: ORANGE })),
    ...Object.entries(statuses).map(([status, count]) => ({
      name: status,
      count,
      colour: status.startsWith('2') ? BLUE : ORANGE,
    })),
  ];
  return drawBars('outcomes', rows, { axis: 'requests', texts: rows.map(({ count }) => String(count)) });
}

/** Mean and 99th percentile of each stage of the server. */
export function drawServerStages(stages: ServerResult['stages']): Html {
  const rows = stages.flatMap(({ stage, meanMs, p99Ms }) => [
    { name: `${stage} p99`, count: p99Ms, colour: ORANGE },
    { name: `${stage} mean`, count: meanMs, colour: BLUE },
  ]);
  return drawBars('server', rows.toReversed(), {
    axis: 'milliseconds',
    texts: rows.toReversed().map(({ count }) => formatMs(count)),
  });
}

interface BarRow {
  readonly name: string;
  readonly count: number;
  readonly colour: string;
}

function drawBars(
  name: string,
  rows: readonly BarRow[],
  { axis, texts }: { axis: string; texts: readonly string[] },
): Html {
  return drawChart(name, {
    height: 56 + ROW_HEIGHT * rows.length,
    left: labelRoom(rows.map((row) => row.name)),
    xAxis: valueAxis(axis),
    yAxis: categoryAxis(rows.map((row) => row.name)),
    series: [
      bar({
        barWidth: 20,
        label: endLabel(texts),
        data: rows.map(({ count, colour }) => ({ value: count, itemStyle: { color: colour } })),
      }),
    ],
  });
}

function timeAxis(): Axis {
  return { ...valueAxis('seconds'), splitLine: { show: false } };
}

function logAxis(): Axis {
  return { ...valueAxis('milliseconds'), type: 'log', nameGap: 46 };
}

import { formatCount } from '../offline/report/figure-format.js';
import type { FigureRatio } from './compare-results.js';
import {
  describeVerdict,
  formatLimit,
  formatMs,
  formatRate,
  listRequestFigures,
} from './load-test-format.js';
import type { LoadTestResult } from './load-test-result.js';
import type { Percentiles } from './latencies.js';

/** The run as text for a terminal: counts, latencies, stage times, thresholds, and the verdict last. */
export function renderLoadTestTable(result: LoadTestResult, comparison?: readonly FigureRatio[]): string {
  const { target, bundle, profile, failures, server, thresholds, stages } = result;
  return [
    `${profile.name} → ${target}${bundle === null ? '' : ` (${bundle})`}`,
    '',
    ...alignColumns(listRequestFigures(result)),
    ...failures.flatMap(({ kind, count, examples }) => [
      '',
      `${formatCount(count)} × ${kind}`,
      ...examples.map((example) => `  ${example}`),
    ]),
    '',
    ...alignColumns([
      ['milliseconds', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'max'],
      percentileRow('latency', result.latencyMs),
      percentileRow('once sent', result.serviceMs),
      percentileRow('sent late', result.generator.latenessMs),
    ]),
    ...(stages.length > 1 ? ['', ...alignColumns(stageRows(result))] : []),
    ...(server === null ? [] : ['', ...serverLines(server)]),
    ...(comparison === undefined ? [] : ['', ...alignColumns(comparisonRows(comparison))]),
    ...(thresholds.length === 0 ? [] : ['', ...alignColumns(thresholdRows(result))]),
    '',
    describeVerdict(result),
  ].join('\n');
}

function percentileRow(name: string, percentiles: Percentiles | null): string[] {
  if (percentiles === null) return [name, '–'];
  const { p50, p90, p95, p99, p999, max } = percentiles;
  return [name, ...[p50, p90, p95, p99, p999, max].map((value) => value.toFixed(2))];
}

function stageRows({ stages }: LoadTestResult): string[][] {
  return [
    ['stage', 'rate', 'sent', 'failed', 'p50', 'p99'],
    ...stages.map(({ fromRate, toRate, seconds, sent, failed, latencyMs }, position) => [
      `${position + 1}: ${seconds.toFixed(0)} s`,
      fromRate === toRate ? formatRate(toRate) : `${formatRate(fromRate)} to ${formatRate(toRate)}`,
      formatCount(sent),
      formatCount(failed),
      latencyMs === null ? '–' : formatMs(latencyMs.p50),
      latencyMs === null ? '–' : formatMs(latencyMs.p99),
    ]),
  ];
}

function serverLines(server: NonNullable<LoadTestResult['server']>): string[] {
  if (server.restarted) return ['The server restarted meanwhile: its stage times are not shown.'];
  return [
    ...alignColumns([
      ['server stage', 'count', 'not ok', 'mean', '~p50', '~p99'],
      ...server.stages.map(({ stage, count, notOk, meanMs, p50Ms, p99Ms }) => [
        stage,
        formatCount(count),
        formatCount(notOk),
        ...[meanMs, p50Ms, p99Ms].map(formatMs),
      ]),
    ]),
    ...server.degraded.map(
      ({ stage, reason, count }) => `degraded: ${stage} ${reason} × ${formatCount(count)}`,
    ),
    ...(server.cpuSeconds === null ? [] : [`server CPU: ${server.cpuSeconds.toFixed(1)} s`]),
  ];
}

function comparisonRows(comparison: readonly FigureRatio[]): string[][] {
  return [
    ['compared', 'before', 'now', 'ratio'],
    ...comparison.map(({ name, before, now, ratio }) => [
      name,
      showFigure(before),
      showFigure(now),
      ratio === null ? '–' : `× ${ratio.toFixed(2)}`,
    ]),
  ];
}

function showFigure(figure: number | null): string {
  return figure === null ? '–' : String(Number(figure.toPrecision(4)));
}

function thresholdRows({ thresholds }: LoadTestResult): string[][] {
  return [
    ['threshold', 'allowed', 'found', ''],
    ...thresholds.map(({ name, limit, value, passed }) => [
      name,
      formatLimit(name, limit),
      formatLimit(name, value),
      passed ? 'ok' : 'FAILED',
    ]),
  ];
}

/** The first column to the left, the others to the right. */
function alignColumns(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

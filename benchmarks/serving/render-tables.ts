import { alignColumns } from '../../src/offline/report/align-columns.js';
import { type Goal, judgeGoals } from './goals.js';
import type { KernelRate } from './measure-kernels.js';
import type { BenchResult, PipelineResult, ServingResult, SizeResult } from './measure-all.js';
import { renderConditions } from './run-conditions.js';
import type { LoadSummary } from './run-load.js';

/** The result as Markdown: a table per part, at the end the goals. */
export function renderTables(result: BenchResult): string {
  const { options, kernels, pipeline, serving, sizes } = result;
  const goals = judgeGoals(result);
  return [
    renderConditions(result),
    `${options.items.toLocaleString('en')} items × 64, ${options.users.toLocaleString('en')} users, ${options.workers} computing threads`,
    ...(kernels === undefined ? [] : [title('Bare kernels'), tableOfKernels(kernels)]),
    ...(pipeline === undefined
      ? []
      : [title('One thread, one request at a time'), tableOfPipeline(pipeline)]),
    ...(serving === undefined ? [] : tablesOfServing(serving)),
    ...(sizes === undefined ? [] : [title('Cost against size, one thread'), tableOfSizes(sizes)]),
    ...(goals.length === 0 ? [] : [title('Goals'), tableOfGoals(goals)]),
    '',
  ].join('\n');
}

function tableOfKernels(kernels: readonly KernelRate[]): string {
  return table(
    ['kernels of', 'threads', 'batch', 'requests / s', 'retrieval ms', 'ranker ms'],
    kernels.map(({ kind, threads, batch, requestsPerSecond, retrievalMs, rankingMs }) => [
      kind,
      String(threads),
      String(batch),
      requestsPerSecond.toFixed(0),
      retrievalMs.toFixed(3),
      rankingMs.toFixed(3),
    ]),
  );
}

function tableOfPipeline({ total, stages }: PipelineResult): string {
  return table(
    ['stage', 'mean ms', 'p50', 'p99', 'share'],
    [...Object.entries(stages), ['whole request', total] as const].map(([stage, { mean, p50, p99 }]) => [
      stage,
      ...[mean, p50, p99].map(formatMs),
      `${((100 * mean) / total.mean).toFixed(0)} %`,
    ]),
  );
}

function tablesOfServing({ idle, saturation, steady, overloads, swap }: ServingResult): string[] {
  return [
    title('Little to do'),
    tableOfLoads(idle.map(({ rate, load }) => [`${rate} per second`, load])),
    tableOfLedgers(idle),
    title('Saturation, by steps'),
    tableOfLoads(saturation.steps.map((step) => ['step', step])),
    `sustained ${saturation.sustainedRate.toFixed(0)} per second, peak ${saturation.peakRate.toFixed(0)}`,
    title('At 70 % of what is sustained'),
    tableOfLoads([['70 %', steady.load]]),
    `event-loop delay p99 ${formatMs(steady.loopP99Ms)} ms (${formatMs(steady.idleLoopP99Ms)} ms without a request), sent late p99 ${formatMs(steady.lateP99Ms)} ms`,
    title('Overload'),
    tableOfLoads(
      overloads.flatMap(({ factor, adaptive, before, during }) => {
        const name = `× ${factor}, ${adaptive ? 'fewer candidates' : 'shedding alone'}`;
        return [[`${name}: before`, before] as const, [`${name}: during`, during] as const];
      }),
    ),
    ...overloads.map(
      ({ factor, adaptive, recoveryMs, lateP99Ms }) =>
        `× ${factor}, ${adaptive ? 'fewer candidates' : 'shedding alone'}: back to normal ${
          recoveryMs === undefined ? 'never' : `after ${recoveryMs.toFixed(0)} ms`
        }, sent late p99 ${formatMs(lateP99Ms)} ms`,
    ),
    title('Swap of the bundle under load'),
    tableOfLoads([
      ['before', swap.before],
      [`during (${swap.reloadSeconds.toFixed(1)} s)`, swap.during],
      ['after', swap.after],
    ]),
    `not answered well: ${swap.notGood}; p99 above twice that before for ${swap.disturbedSeconds} s; resident memory ` +
      `${swap.megabytesBefore.toFixed(0)} MB before, ${swap.megabytesPeak.toFixed(0)} at most, ${swap.megabytesAfter.toFixed(0)} after`,
  ];
}

/** Where the mean time of an answer goes. */
function tableOfLedgers(idle: ServingResult['idle']): string {
  const parts = idle[0]!.ledger.map(({ part }) => part);
  const rows = parts.map((part, at) => [
    part,
    ...idle.map(({ ledger }) => formatMs(ledger[at]!.milliseconds)),
  ]);
  const totals = idle.map(({ load }) => formatMs(load.latencyMs!.mean));
  return table(
    ['mean ms of', ...idle.map(({ rate }) => `${rate} per second`)],
    [...rows, ['whole answer', ...totals]],
  );
}

function tableOfLoads(loads: readonly (readonly [string, LoadSummary])[]): string {
  return table(
    ['', 'offered / s', 'good / s', 'degraded', 'refused', 'failed', 'p50 ms', 'p99 ms'],
    loads.map(([name, { offeredRate, goodRate, counts, latencyMs }]) => [
      name,
      offeredRate.toFixed(0),
      goodRate.toFixed(0),
      String(counts.degraded),
      String(counts.refused),
      String(counts.failed),
      latencyMs === null ? '–' : formatMs(latencyMs.p50),
      latencyMs === null ? '–' : formatMs(latencyMs.p99),
    ]),
  );
}

function tableOfSizes(sizes: readonly SizeResult[]): string {
  return table(
    ['items', 'request ms', 'candidates ms', 'ranking ms', 'kernel × 1 ms', 'kernel × 16 ms'],
    sizes.map(({ items, pipeline, kernels }) => [
      items.toLocaleString('en'),
      formatMs(pipeline.total.p50),
      formatMs(pipeline.stages['candidates.als']!.p50),
      formatMs(pipeline.stages['ranking']!.p50),
      ...kernels.map(({ retrievalMs }) => formatMs(retrievalMs)),
    ]),
  );
}

/** Goals with what was measured and a verdict on each. */
export function tableOfGoals(goals: readonly Goal[]): string {
  return table(
    ['', 'measured', 'wanted', ''],
    goals.map(({ what, value, wanted, met }) => [what, value, wanted, met ? 'met' : 'MISSED']),
  );
}

/** A heading of a part. */
export function title(text: string): string {
  return `\n## ${text}\n`;
}

/** A table of Markdown, its columns aligned. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return `${alignColumns([head, ...rows]).join('\n')}\n`;
}

/** Three digits or more. */
export function formatMs(milliseconds: number): string {
  return milliseconds.toFixed(milliseconds < 1 ? 3 : milliseconds < 10 ? 2 : 1);
}

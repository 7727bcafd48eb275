import { formatCount, formatShare } from '../offline/report/figure-format.js';
import type { LoadTestResult } from './load-test-result.js';

/** 12.345 → `12.3 ms`, 0.1234 → `0.123 ms`. */
export function formatMs(milliseconds: number): string {
  const digits = milliseconds >= 100 ? 0 : milliseconds >= 10 ? 1 : milliseconds >= 1 ? 2 : 3;
  return `${milliseconds.toFixed(digits)} ms`;
}

/** 49.966 → `50.0/s`. */
export function formatRate(rate: number): string {
  return `${rate.toFixed(1)}/s`;
}

/** A threshold's value in the unit that its name says. */
export function formatLimit(name: string, value: number | null): string {
  if (value === null) return 'nothing measured';
  return name.endsWith('Ms') ? formatMs(value) : `${(100 * value).toFixed(2)} %`;
}

/** The run in one sentence. */
export function describeVerdict({ verdict, thresholds, broke, generator }: LoadTestResult): string {
  if (generator.problem !== null) return generator.problem;
  if (verdict === 'failed') return `Failed: ${describeFailures(thresholds)}.`;
  if (broke !== null) {
    return `It gave way at ${formatRate(broke.rate)}, after ${broke.second.toFixed(0)} s: ${broke.reason} when the run was stopped.`;
  }
  return thresholds.length === 0 ? 'Done; the profile has no thresholds.' : 'Passed every threshold.';
}

/** The thresholds that failed, each with its value. */
export function describeFailures(thresholds: LoadTestResult['thresholds']): string {
  return thresholds
    .filter(({ passed }) => !passed)
    .map(
      ({ name, limit, value }) =>
        `${name} is ${formatLimit(name, value)}, allowed ${formatLimit(name, limit)}`,
    )
    .join('; ');
}

/** The counts and rates of requests and answers, as label and figure. */
export function listRequestFigures(result: LoadTestResult): [string, string][] {
  const { requests } = result;
  return [
    ['intended', `${formatCount(requests.intended)} requests, ${formatRate(requests.intendedRate)}`],
    ['sent in time', `${formatCount(requests.sentInTime)} requests, ${formatRate(requests.achievedRate)}`],
    ['good answers', `${formatCount(requests.intended - requests.failed)}, ${formatRate(requests.goodRate)}`],
    ['failed', `${formatCount(requests.failed)}, ${formatShare(requests.errorShare)}`],
    ['degraded', `${formatCount(requests.degraded)}, ${formatShare(requests.degradedShare)}`],
    ['bodies checked', formatCount(requests.validated)],
    ...Object.entries(result.statuses).map(([status, count]): [string, string] => [
      `status ${status}`,
      formatCount(count),
    ]),
  ];
}

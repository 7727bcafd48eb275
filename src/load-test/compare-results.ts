import type { LoadTestResult } from './load-test-result.js';

/** One figure of two runs. */
export interface FigureRatio {
  readonly name: string;
  readonly before: number | null;
  readonly now: number | null;
  /** Now over before; null where there is nothing to divide by. */
  readonly ratio: number | null;
}

/** The figures of two runs side by side, with their ratio: rates, latencies, shares, and the mean of each stage of the server. */
export function compareResults(before: LoadTestResult, now: LoadTestResult): FigureRatio[] {
  const earlier = new Map(listFigures(before));
  return listFigures(now).map(([name, value]) => {
    const old = earlier.get(name) ?? null;
    const ratio = old === null || value === null || old === 0 ? null : value / old;
    return { name, before: old, now: value, ratio };
  });
}

function listFigures({ requests, latencyMs, server }: LoadTestResult): [string, number | null][] {
  return [
    ['intended rate', requests.intendedRate],
    ['good rate', requests.goodRate],
    ['p50 ms', latencyMs?.p50 ?? null],
    ['p95 ms', latencyMs?.p95 ?? null],
    ['p99 ms', latencyMs?.p99 ?? null],
    ['p99.9 ms', latencyMs?.p999 ?? null],
    ['max ms', latencyMs?.max ?? null],
    ['error share', requests.errorShare],
    ['degraded share', requests.degradedShare],
    ...(server?.stages ?? []).map(({ stage, meanMs }): [string, number] => [`${stage} mean ms`, meanMs]),
    ...listCpu(server, requests.intended),
  ];
}

function listCpu(server: LoadTestResult['server'], sent: number): [string, number][] {
  const seconds = server?.cpuSeconds ?? null;
  return seconds === null ? [] : [['server CPU ms per request', (1000 * seconds) / Math.max(1, sent)]];
}

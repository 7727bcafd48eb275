import type { LoadTestResult } from '../../src/load-test/load-test-result.js';

const LATENCY = { count: 981, mean: 9.2, p50: 8.5, p90: 14.25, p95: 17, p99: 31.5, p999: 80, max: 120 };

/** The result of a run of 20 s with two stages, a few failures and the times of the server. */
export function sampleResult(changes: Partial<LoadTestResult> = {}): LoadTestResult {
  return {
    formatVersion: 1,
    createdAt: '2026-01-02T03:04:05.000Z',
    command: 'shortlist load-test --target http://localhost:3000/',
    target: 'http://localhost:3000/',
    bundle: '20240601T120000Z-1a2b3c4d',
    profile: { name: 'average', description: 'An ordinary hour.', seed: 2 },
    verdict: 'failed',
    thresholds: [
      { name: 'p99Ms', limit: 100, value: 31.5, passed: true },
      { name: 'errorShare', limit: 0.01, value: 0.02, passed: false },
    ],
    broke: null,
    requests: {
      intended: 1000,
      sentInTime: 998,
      failed: 20,
      degraded: 10,
      validated: 100,
      seconds: 20,
      intendedRate: 50,
      achievedRate: 49.9,
      goodRate: 49,
      errorShare: 0.02,
      degradedShare: 0.01,
    },
    generator: { problem: null, latenessMs: { ...LATENCY, count: 1000, p50: 0.6, p99: 2.5 } },
    latencyMs: LATENCY,
    serviceMs: { ...LATENCY, p50: 7.9 },
    statuses: { '200': 981, '503': 18 },
    failures: [
      {
        kind: 'status',
        count: 18,
        examples: ['GET /recommendations/1?limit=10&scenario=home: 503 {"code":"NOT_READY"}'],
      },
      { kind: 'timeout', count: 1, examples: ['GET /recommendations/2: no whole answer in time'] },
      { kind: 'body', count: 1, examples: ['GET /recommendations/3: body/items must be array'] },
    ],
    stages: [
      { fromRate: 0, toRate: 60, seconds: 10, sent: 300, failed: 20, degraded: 10, latencyMs: null },
      { fromRate: 70, toRate: 70, seconds: 10, sent: 700, failed: 0, degraded: 0, latencyMs: LATENCY },
    ],
    windowSeconds: 1,
    windows: Array.from({ length: 20 }, (_, second) => ({
      second,
      seconds: 1,
      intendedRate: 50,
      sent: 50,
      failed: 1,
      degraded: 0,
      p50Ms: 8 + second,
      p99Ms: 30 + second,
      maxMs: second === 0 ? 0 : 100,
    })),
    server: {
      restarted: false,
      stages: [
        { stage: 'candidates', count: 981, notOk: 0, meanMs: 2.5, p50Ms: 2, p99Ms: 5 },
        { stage: 'ranking', count: 981, notOk: 10, meanMs: 1.5, p50Ms: 1, p99Ms: 4 },
      ],
      degraded: [{ stage: 'ranking', reason: 'ranker_failed', count: 10 }],
      cpuSeconds: 8.2,
    },
    ...changes,
  };
}

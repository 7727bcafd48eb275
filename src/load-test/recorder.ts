import type { Verdict, FailureKind } from './answer-check.js';
import { cutStages, rateAt, type PlannedStage } from './arrivals.js';
import type { Outcome } from './generate-load.js';
import { Latencies } from './latencies.js';
import type { LoadTestResult, StageResult, WindowResult } from './load-test-result.js';

/** Counts and latency of the requests that ended since the last look. */
export interface Recent {
  readonly ended: number;
  readonly failed: number;
  readonly degraded: number;
  readonly p99Ms: number;
}

/** The part of a result that a recorder knows. */
export type Recorded = Pick<
  LoadTestResult,
  'requests' | 'latencyMs' | 'serviceMs' | 'statuses' | 'failures' | 'stages' | 'windowSeconds' | 'windows'
> & { readonly latenessMs: LoadTestResult['generator']['latenessMs'] };

/** Keeps count of a run in memory that does not grow with it. */
export interface Recorder {
  record(outcome: Outcome, verdict: Verdict): void;
  /** What ended since the last call. */
  takeRecent(): Recent;
  /** @param endSecond of the run, from its start; earlier than the last stage when it was stopped */
  summarise(endSecond: number): Recorded;
}

const MAX_WINDOWS = 300;
const EXAMPLES = 3;

/** Starts to record a run of these stages: in total, per stage and in at most 300 windows of equal length. */
export function createRecorder(stages: readonly PlannedStage[]): Recorder {
  const seconds = secondsOf(stages);
  const windowSeconds = Math.max(1, Math.ceil(seconds / MAX_WINDOWS));
  const total = createTally(3);
  const perStage = stages.map(() => createTally(3));
  const perWindow = Array.from({ length: Math.ceil(seconds / windowSeconds) }, () => createTally(2));
  const recent = createTally(2);
  const lateness = new Latencies(3);
  const service = new Latencies(3);
  const statuses = new Map<number, number>();
  const failures = new Map<FailureKind, { count: number; examples: Set<string> }>();
  let validated = 0;
  let onTime = 0;
  return {
    record: (outcome, verdict) => {
      const { arrival, answer, intendedMs, sentMs, endedMs } = outcome;
      const window = perWindow[Math.min(Math.floor(arrival.second / windowSeconds), perWindow.length - 1)]!;
      for (const tally of [total, perStage[arrival.stage]!, window, recent]) tally.add(outcome, verdict);
      lateness.record(sentMs - intendedMs);
      if (countsForLatency(verdict)) service.record(endedMs - sentMs);
      if (sentMs <= seconds * 1000) onTime += 1;
      if (verdict.validated) validated += 1;
      if (answer !== undefined) statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      if (verdict.failure !== undefined) addFailure(failures, verdict.failure, outcome.path);
    },
    takeRecent: () => {
      const { counts, latencies } = recent;
      const taken = { ...counts, ended: counts.sent, p99Ms: latencies.percentile(99) };
      recent.reset();
      return taken;
    },
    summarise: (endSecond) => {
      const run = cutStages(stages, endSecond);
      return {
        requests: summariseRequests(total.counts, { seconds: endSecond, onTime, validated }),
        latencyMs: total.latencies.summarise(),
        serviceMs: service.summarise(),
        latenessMs: lateness.summarise(),
        statuses: Object.fromEntries([...statuses].map(([status, count]) => [String(status), count])),
        failures: [...failures].map(([kind, { count, examples }]) => ({
          kind,
          count,
          examples: [...examples],
        })),
        stages: run.map((stage, position) => summariseStage(stage, perStage[position]!)),
        windowSeconds,
        windows: perWindow.slice(0, Math.ceil(endSecond / windowSeconds)).map((tally, position) => {
          const second = position * windowSeconds;
          const length = Math.min(endSecond - second, windowSeconds);
          const intendedRate = rateAt(second + length / 2, stages);
          return summariseWindow(tally, { second, seconds: length, intendedRate });
        }),
      };
    },
  };
}

/** Seconds that the stages take together. */
export function secondsOf(stages: readonly PlannedStage[]): number {
  const last = stages.at(-1)!;
  return last.startSecond + last.seconds;
}

interface Counts {
  sent: number;
  failed: number;
  degraded: number;
}

interface Tally {
  readonly counts: Readonly<Counts>;
  readonly latencies: Latencies;
  add(outcome: Outcome, verdict: Verdict): void;
  reset(): void;
}

function createTally(digits: 2 | 3): Tally {
  const counts: Counts = { sent: 0, failed: 0, degraded: 0 };
  const latencies = new Latencies(digits);
  return {
    counts,
    latencies,
    add: ({ intendedMs, endedMs }, verdict) => {
      counts.sent += 1;
      if (verdict.failure !== undefined) counts.failed += 1;
      if (verdict.degraded) counts.degraded += 1;
      if (countsForLatency(verdict)) latencies.record(endedMs - intendedMs);
    },
    reset: () => {
      Object.assign(counts, { sent: 0, failed: 0, degraded: 0 });
      latencies.reset();
    },
  };
}

/** A refused request ends at once and would flatter the target; one that timed out took at least so long. */
function countsForLatency({ failure }: Verdict): boolean {
  return failure === undefined || failure.kind === 'timeout';
}

function addFailure(
  failures: Map<FailureKind, { count: number; examples: Set<string> }>,
  { kind, message }: NonNullable<Verdict['failure']>,
  path: string,
): void {
  const known = failures.get(kind) ?? { count: 0, examples: new Set() };
  known.count += 1;
  if (known.examples.size < EXAMPLES) known.examples.add(`GET ${path}: ${message}`);
  failures.set(kind, known);
}

function summariseRequests(
  { sent, failed, degraded }: Counts,
  run: { seconds: number; onTime: number; validated: number },
): LoadTestResult['requests'] {
  const { seconds, onTime, validated } = run;
  const good = sent - failed;
  return {
    intended: sent,
    sentInTime: onTime,
    failed,
    degraded,
    validated,
    seconds,
    intendedRate: sent / seconds,
    achievedRate: onTime / seconds,
    goodRate: good / seconds,
    errorShare: sent === 0 ? 0 : failed / sent,
    degradedShare: good === 0 ? 0 : degraded / good,
  };
}

function summariseStage({ fromRate, toRate, seconds }: PlannedStage, tally: Tally): StageResult {
  return { fromRate, toRate, seconds, ...tally.counts, latencyMs: tally.latencies.summarise() };
}

function summariseWindow(
  { counts, latencies }: Tally,
  window: Pick<WindowResult, 'second' | 'seconds' | 'intendedRate'>,
): WindowResult {
  return {
    ...window,
    ...counts,
    p50Ms: latencies.percentile(50),
    p99Ms: latencies.percentile(99),
    maxMs: latencies.percentile(100),
  };
}

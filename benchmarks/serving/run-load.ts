import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { createAnswerCheck } from '../../src/load-test/answer-check.js';
import { planArrivals, planStages } from '../../src/load-test/arrivals.js';
import { generateLoad } from '../../src/load-test/generate-load.js';
import { Latencies, type Percentiles } from '../../src/load-test/latencies.js';
import { createRequestMix, type RequestMix } from '../../src/load-test/request-mix.js';
import type { LoadStage } from '../../src/config/load-profile.js';
import { BENCH_SCENARIO } from './bench-bundle.js';

/** One request of a run. */
export interface LoadOutcome {
  /** Milliseconds from the start of the run. */
  readonly intendedMs: number;
  readonly endedMs: number;
  /** `good`: ranked; `degraded`: answered with less than that; `refused`: 503; `failed`: anything else. */
  readonly kind: 'good' | 'degraded' | 'refused' | 'failed';
}

/** What a part of a run came to, by the intended times of its requests. */
export interface LoadSummary {
  readonly seconds: number;
  readonly offeredRate: number;
  /** Good answers per second. */
  readonly goodRate: number;
  readonly counts: Readonly<Record<LoadOutcome['kind'], number>>;
  /** Of all that were answered with items, from the intended time; null where none was. */
  readonly latencyMs: Percentiles | null;
}

export interface LoadRun {
  readonly outcomes: readonly LoadOutcome[];
  /** Of the run's stages, in their order. */
  readonly stages: readonly LoadSummary[];
  /** How late the generator sent; null where it sent nothing. */
  readonly late: Percentiles | null;
}

export interface RunLoadOptions {
  readonly userIds: readonly string[];
  readonly seed: number;
  /** Connections at most; 512 by default. */
  readonly maxConnections?: number;
  /** Ends the run before its stages do. */
  readonly shouldStop?: () => boolean;
}

const MAX_CONNECTIONS = 512;
const TIMEOUT_MS = 5000;

/** Sends requests of known users, limit 10, as random as people come (Poisson), whatever becomes of those before. */
export async function runLoad(
  target: URL,
  stages: readonly LoadStage[],
  { userIds, seed, maxConnections = MAX_CONNECTIONS, shouldStop }: RunLoadOptions,
): Promise<LoadRun> {
  const planned = planStages(stages);
  const check = createAnswerCheck({
    validate: () => [],
    validateShare: 0,
    random: createSeededRandom(seed),
  });
  const outcomes: LoadOutcome[] = [];
  const late = new Latencies(3);
  await generateLoad(target, planArrivals(planned, { random: createSeededRandom(`${seed} arrivals`) }), {
    nextPath: createBenchMix({ userIds, seed }),
    timeoutMs: TIMEOUT_MS,
    maxConnections,
    ...(shouldStop && { shouldStop }),
    onOutcome: (outcome) => {
      const { failure, degraded } = check(outcome);
      const isRefused = outcome.answer?.status === 503;
      const kind = isRefused ? 'refused' : failure !== undefined ? 'failed' : degraded ? 'degraded' : 'good';
      late.record(outcome.sentMs - outcome.intendedMs);
      outcomes.push({ intendedMs: outcome.intendedMs, endedMs: outcome.endedMs, kind });
    },
  });
  return {
    outcomes,
    stages: planned.map(({ startSecond, seconds }) =>
      summarise(outcomes, { fromMs: 1000 * startSecond, toMs: 1000 * (startSecond + seconds) }),
    ),
    late: late.summarise(),
  };
}

/** Paths of requests of known users, each as likely as the other, limit 10. */
export function createBenchMix({ userIds, seed }: Pick<RunLoadOptions, 'userIds' | 'seed'>): RequestMix {
  const mix = {
    seed,
    users: { known: 1, hot: 0, unknown: 0 },
    hotUsers: { count: 1, exponent: 1 },
    limits: { 10: 1 },
    scenarios: { [BENCH_SCENARIO.name]: 1 },
  };
  return createRequestMix(mix, { userIds, random: createSeededRandom(`${seed} mix`) });
}

/** What the requests that were meant for this time came to. */
export function summarise(
  outcomes: readonly LoadOutcome[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
): LoadSummary {
  const counts = { good: 0, degraded: 0, refused: 0, failed: 0 };
  const latencies = new Latencies(3);
  const seconds = (toMs - fromMs) / 1000;
  let offered = 0;
  for (const { intendedMs, endedMs, kind } of outcomes) {
    if (intendedMs < fromMs || intendedMs >= toMs) continue;
    offered++;
    counts[kind]++;
    if (kind === 'good' || kind === 'degraded') latencies.record(endedMs - intendedMs);
  }
  return {
    seconds,
    offeredRate: offered / seconds,
    goodRate: counts.good / seconds,
    counts,
    latencyMs: latencies.summarise(),
  };
}

/** A run in equal slices of time. */
export function sliceRun(
  outcomes: readonly LoadOutcome[],
  options: { seconds: number; sliceMs: number },
): readonly (LoadSummary & { readonly fromMs: number })[] {
  const { seconds, sliceMs } = options;
  return Array.from({ length: Math.ceil((1000 * seconds) / sliceMs) }, (_, slice) => {
    const fromMs = slice * sliceMs;
    return { fromMs, ...summarise(outcomes, { fromMs, toMs: fromMs + sliceMs }) };
  });
}

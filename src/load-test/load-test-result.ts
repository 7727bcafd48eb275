import { readFileSync } from 'node:fs';
import { Type, type Static } from 'typebox';
import { listProblems } from '../config/list-problems.js';
import { ShortlistError } from '../domain/errors.js';

const count = Type.Integer({ minimum: 0 });
const number = Type.Number();
const nullable = <Schema extends Type.TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);

const PercentilesSchema = Type.Object({
  count,
  mean: number,
  p50: number,
  p90: number,
  p95: number,
  p99: number,
  p999: number,
  max: number,
});

const Counts = {
  /** Requests that were sent. */
  sent: count,
  failed: count,
  degraded: count,
};

const StageResult = Type.Object({
  fromRate: number,
  toRate: number,
  seconds: number,
  ...Counts,
  latencyMs: nullable(PercentilesSchema),
});

const Window = Type.Object({
  /** From the start of the run, by the intended time of the requests. */
  second: number,
  /** Its length: the last one may be cut. */
  seconds: number,
  intendedRate: number,
  ...Counts,
  p50Ms: number,
  p99Ms: number,
  maxMs: number,
});

const ServerStage = Type.Object({
  stage: Type.String(),
  count,
  /** How often another outcome than `ok` was recorded. */
  notOk: count,
  meanMs: number,
  p50Ms: number,
  p99Ms: number,
});

const ServerResult = Type.Object({
  /** A counter went backwards, so the differences mean nothing. */
  restarted: Type.Boolean(),
  stages: Type.Array(ServerStage),
  degraded: Type.Array(Type.Object({ stage: Type.String(), reason: Type.String(), count })),
  cpuSeconds: nullable(number),
});

const ThresholdResult = Type.Object({
  name: Type.String(),
  limit: number,
  /** Null where there was nothing to judge, which fails. */
  value: nullable(number),
  passed: Type.Boolean(),
});

/** `results.json`: all that a run found. Times in milliseconds, measured from the intended time of each request. */
export const LoadTestResultSchema = Type.Object({
  formatVersion: Type.Literal(1),
  createdAt: Type.String(),
  command: Type.String(),
  target: Type.String(),
  bundle: nullable(Type.String()),
  profile: Type.Object({ name: Type.String(), description: Type.String(), seed: Type.Integer() }),
  /** `invalid`: the generator could not keep up, so the thresholds say nothing about the target. */
  verdict: Type.Enum(['passed', 'failed', 'invalid']),
  thresholds: Type.Array(ThresholdResult),
  /** Set when `stopWhen` ended the run: when the target began to give way, by intended time, and the rate then. */
  broke: nullable(
    Type.Object({ second: number, rate: number, reason: Type.String(), stoppedSecond: number }),
  ),
  requests: Type.Object({
    /** All that the profile meant until the run ended; each was sent, in time or late. */
    intended: count,
    /** Sent before the run was meant to end. */
    sentInTime: count,
    failed: count,
    degraded: count,
    validated: count,
    seconds: number,
    intendedRate: number,
    /** Sent in time, per second. */
    achievedRate: number,
    /** Answered without a failure, per second of the run. */
    goodRate: number,
    errorShare: number,
    degradedShare: number,
  }),
  generator: Type.Object({
    /** Null when it kept up. */
    problem: nullable(Type.String()),
    latenessMs: nullable(PercentilesSchema),
  }),
  /** Of good answers and of time-outs; other failures end early and would flatter the target. */
  latencyMs: nullable(PercentilesSchema),
  /** The same from the moment of sending: what a closed loop would have seen of these requests. */
  serviceMs: nullable(PercentilesSchema),
  statuses: Type.Record(Type.String(), count),
  failures: Type.Array(Type.Object({ kind: Type.String(), count, examples: Type.Array(Type.String()) })),
  stages: Type.Array(StageResult),
  windowSeconds: number,
  windows: Type.Array(Window),
  server: nullable(ServerResult),
});

/** The result of a load test, typed as its schema says. */
export type LoadTestResult = Static<typeof LoadTestResultSchema>;
/** Requests and latencies of one stage of the profile. */
export type StageResult = Static<typeof StageResult>;
/** Requests and latencies of one window of the run, by intended time. */
export type WindowResult = Static<typeof Window>;
/** The counts that the target's own metrics show for the run. */
export type ServerResult = Static<typeof ServerResult>;
/** One threshold of the profile against what was measured. */
export type ThresholdResult = Static<typeof ThresholdResult>;

/**
 * Reads the `results.json` of an earlier run.
 * @throws ShortlistError INVALID_CONFIG when it is not one
 */
export function readLoadTestResult(file: string): LoadTestResult {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new ShortlistError('INVALID_CONFIG', `${file} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
  const problems = listProblems(LoadTestResultSchema, value, { origin: file });
  if (problems.length > 0) {
    throw new ShortlistError('INVALID_CONFIG', `${file} is no result of a load test:`, { problems });
  }
  return value as LoadTestResult;
}

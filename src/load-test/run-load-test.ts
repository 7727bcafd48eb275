import type { LoadLimits, LoadProfile } from '../config/load-profile.js';
import { ShortlistError } from '../domain/errors.js';
import { createSeededRandom } from '../domain/seeded-random.js';
import type { ProgressReporter } from '../offline/progress/progress.js';
import { formatCount } from '../offline/report/figure-format.js';
import { createAnswerCheck, type AnswerValidator } from './answer-check.js';
import { countArrivals, planArrivals, planStages, type PlannedStage } from './arrivals.js';
import { checkTarget, fetchAnswerValidator } from './check-target.js';
import { generateLoad } from './generate-load.js';
import type { LoadTestResult } from './load-test-result.js';
import { createRecorder, secondsOf, type Recorded, type Recorder } from './recorder.js';
import { createRequestMix } from './request-mix.js';
import { compareMetrics, readServerMetrics } from './server-metrics.js';
import { createStopRule, findFirstExcess, judgeThresholds } from './thresholds.js';

/** The route that is asked, as the OpenAPI document writes it. */
const ROUTE = '/recommendations/{userId}';

/** Options of `runLoadTest`. */
export interface LoadTestOptions {
  readonly target: URL;
  /** Its admin listener, for stage times. */
  readonly admin?: URL | undefined;
  /** Users that the target knows; may be empty when the profile asks for none of them. */
  readonly userIds: readonly string[];
  /** For a target that requires one; with `admin` it needs the scope `admin` too. */
  readonly apiKey?: string | undefined;
  readonly allowProduction?: boolean;
  readonly progress: ProgressReporter;
  /** When the run is made, and by which command line, for its result. */
  readonly createdAt: Date;
  readonly command: string;
}

/**
 * Runs a load profile against a target and gives all that it found; a threshold that fails is a verdict, no error.
 *
 * @throws ShortlistError LOAD_TEST_FAILED when the run cannot begin: no answer, not ready, no OpenAPI document, or production and
 * not allowed
 */
export async function runLoadTest(
  profile: LoadProfile & { name: string },
  options: LoadTestOptions,
): Promise<LoadTestResult> {
  const { target, admin, apiKey } = options;
  const { bundle, production } = await checkTarget(target, { ...profile, apiKey });
  if (production !== undefined && options.allowProduction !== true) {
    throw new ShortlistError(
      'LOAD_TEST_FAILED',
      `${target.href} counts as production: ${production}. Say --allow-production to load it all the same.`,
    );
  }
  const validate =
    profile.validateShare > 0 ? await fetchAnswerValidator(target, ROUTE, { apiKey }) : () => [];
  const before = admin && (await readServerMetrics(admin, { apiKey }));
  const { recorded, broke } = await sendAll(profile, { ...options, validate });
  const after = admin && (await readServerMetrics(admin, { apiKey }));
  const thresholds = judgeThresholds(profile.thresholds, recorded);
  const { latenessMs, ...found } = recorded;
  const problem = findGeneratorProblem(profile, recorded);
  return {
    formatVersion: 1,
    createdAt: options.createdAt.toISOString(),
    command: options.command,
    target: target.href,
    bundle,
    profile: { name: profile.name, description: profile.description, seed: profile.seed },
    verdict: problem === null ? (thresholds.every(({ passed }) => passed) ? 'passed' : 'failed') : 'invalid',
    thresholds,
    broke,
    generator: { problem, latenessMs },
    ...found,
    server: before && after ? compareMetrics(before, after) : null,
  };
}

async function sendAll(
  profile: LoadProfile & { name: string },
  options: LoadTestOptions & { validate: AnswerValidator },
): Promise<{ recorded: Recorded; broke: LoadTestResult['broke'] }> {
  const { seed, arrivals, validateShare, timeoutMs, maxConnections } = profile;
  const { userIds, validate, progress, target } = options;
  const stages = planStages(profile.stages);
  const recorder = createRecorder(stages);
  const check = createAnswerCheck({
    validate,
    validateShare,
    random: createSeededRandom(`${seed} validation`),
  });
  const watch = createWatch(profile, { recorder, stages });
  const step = progress.start(`load-test ${profile.name}`, Math.ceil(countArrivals(stages)));
  await generateLoad(
    target,
    planArrivals(stages, {
      random: arrivals === 'poisson' ? createSeededRandom(`${seed} arrivals`) : undefined,
    }),
    {
      nextPath: createRequestMix(profile, { userIds, random: createSeededRandom(`${seed} mix`) }),
      timeoutMs,
      maxConnections,
      apiKey: options.apiKey,
      shouldStop: watch.shouldStop,
      onOutcome: (outcome) => {
        recorder.record(outcome, check(outcome));
        watch.look(outcome.endedMs);
        step.advance();
      },
    },
  );
  const stop = watch.stop();
  const recorded = recorder.summarise(stop?.second ?? secondsOf(stages));
  const { intended, failed } = recorded.requests;
  step.finish(`${formatCount(intended)} requests, ${formatCount(failed)} failed`);
  return { recorded, broke: stop && describeBreak(stop, { limits: profile.stopWhen ?? {}, recorded }) };
}

const TAKE_MS = 1000;

interface Stop {
  readonly second: number;
  readonly reason: string;
}

/** Looks at what ended in each second of a run, and remembers when its profile wants it to stop. */
function createWatch(
  { stopWhen }: LoadProfile,
  { recorder, stages }: { recorder: Recorder; stages: readonly PlannedStage[] },
) {
  const findReason = createStopRule(stopWhen ?? {});
  let nextTakeMs = TAKE_MS;
  let stop: Stop | null = null;
  return {
    look: (endedMs: number): void => {
      if (endedMs < nextTakeMs || stop !== null) return;
      nextTakeMs = endedMs + TAKE_MS;
      const reason = findReason(recorder.takeRecent());
      const second = endedMs / 1000;
      if (reason !== undefined && second < secondsOf(stages)) stop = { second, reason };
    },
    shouldStop: (): boolean => stop !== null,
    stop: (): Stop | null => stop,
  };
}

function describeBreak(
  { second: stoppedSecond, reason }: Stop,
  { limits, recorded }: { limits: LoadLimits; recorded: Recorded },
): LoadTestResult['broke'] {
  const { second, intendedRate } = findFirstExcess(limits, recorded.windows);
  return { second, rate: intendedRate, reason, stoppedSecond };
}

/** A generator that sent too late has measured itself. */
function findGeneratorProblem(
  { maxLatenessMs }: LoadProfile,
  { latenessMs, requests }: Recorded,
): string | null {
  const p99 = latenessMs?.p99 ?? 0;
  if (p99 <= maxLatenessMs) return null;
  return (
    `The generator could not keep up: one request in a hundred was sent ${p99.toFixed(1)} ms late or later (allowed: ` +
    `${maxLatenessMs} ms), ${requests.achievedRate.toFixed(1)} of ${requests.intendedRate.toFixed(1)} per second in time. ` +
    'Give it a machine of its own or a lower rate; nothing is said of the target.'
  );
}

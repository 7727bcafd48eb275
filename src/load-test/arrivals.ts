import type { LoadStage } from '../config/load-profile.js';
import type { SeededRandom } from '../domain/seeded-random.js';

/** One request that is meant to be sent. */
export interface Arrival {
  /** Seconds from the start of the run. */
  readonly second: number;
  /** Position of its stage. */
  readonly stage: number;
}

/** A stage with what it starts from. */
export interface PlannedStage {
  /** Requests per second at its two ends. */
  readonly fromRate: number;
  readonly toRate: number;
  /** Seconds from the start of the run. */
  readonly startSecond: number;
  readonly seconds: number;
}

/** Places stages one after the other; a ramp starts from the rate that the stage before it ended with. */
export function planStages(stages: readonly LoadStage[]): PlannedStage[] {
  const planned: PlannedStage[] = [];
  for (const { rate, seconds, ramp = false } of stages) {
    const before = planned.at(-1);
    planned.push({
      fromRate: ramp ? (before?.toRate ?? 0) : rate,
      toRate: rate,
      startSecond: before === undefined ? 0 : before.startSecond + before.seconds,
      seconds,
    });
  }
  return planned;
}

/** The requests per second that are meant at a time of the run, 0 after its end. */
export function rateAt(second: number, stages: readonly PlannedStage[]): number {
  const stage = stages.find(({ startSecond, seconds }) => second < startSecond + seconds);
  if (stage === undefined) return 0;
  const { fromRate, toRate, startSecond, seconds } = stage;
  return fromRate + ((toRate - fromRate) * (second - startSecond)) / seconds;
}

/** The stages of a run that ended at a time. */
export function cutStages(stages: readonly PlannedStage[], endSecond: number): PlannedStage[] {
  return stages
    .filter(({ startSecond }) => startSecond < endSecond)
    .map((stage) => {
      const isWhole = stage.startSecond + stage.seconds <= endSecond;
      if (isWhole) return stage;
      return { ...stage, toRate: rateAt(endSecond, stages), seconds: endSecond - stage.startSecond };
    });
}

/** Number of requests that the stages intend, on average where arrivals are random. */
export function countArrivals(stages: readonly PlannedStage[]): number {
  return stages.reduce((sum, stage) => sum + sizeOf(stage), 0);
}

/**
 * The times at which requests are meant to be sent, in order: the n-th where the area under the rate reaches n, or with `random`
 * a Poisson process of that rate (exponential gaps of the area). No answer, however late, moves them.
 */
export function* planArrivals(
  stages: readonly PlannedStage[],
  options: { random?: SeededRandom | undefined } = {},
): Generator<Arrival, void> {
  const { random } = options;
  const gap = (): number => (random === undefined ? 1 : -Math.log(1 - random.uniform()));
  let area = random === undefined ? 0 : gap();
  let before = 0;
  for (const [position, stage] of stages.entries()) {
    const size = sizeOf(stage);
    for (; area - before < size; area += gap()) {
      yield { second: stage.startSecond + secondsUntil(area - before, stage), stage: position };
    }
    before += size;
  }
}

function sizeOf({ fromRate, toRate, seconds }: PlannedStage): number {
  return ((fromRate + toRate) / 2) * seconds;
}

/** When the area under the rate of a stage reaches `area`: fromRate·t + growth·t²/2 solved for t. */
function secondsUntil(area: number, { fromRate, toRate, seconds }: PlannedStage): number {
  const growth = (toRate - fromRate) / seconds;
  if (growth === 0) return area / fromRate;
  // A ramp from 0 has no rate to divide by yet.
  if (area === 0) return 0;
  // The form without cancellation where growth is small.
  return (2 * area) / (fromRate + Math.sqrt(Math.max(0, fromRate * fromRate + 2 * growth * area)));
}

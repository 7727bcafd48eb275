import type { ProgressReporter } from './progress.js';

/** Less of a job, or of a step, says nothing of the rest: the first unit waits for all that is made ready. */
const LEAST_DONE = 0.02;

/**
 * Reports the steps of one job with the time that all of it will still take: as long for each share that is not done as for those that
 * are. The job starts now.
 * @param options.now milliseconds of a clock; for tests
 */
export function reportJob(
  progress: ProgressReporter,
  options: { now?: () => number } = {},
): ProgressReporter {
  const { now = () => performance.now() } = options;
  const started = now();
  let finished = 0;
  return {
    start: (label, total, { share = 0 } = {}) => {
      let units = 0;
      let isOpen = true;
      const findJobLeft = (): number | undefined => {
        const part = isOpen && total !== undefined && total > 0 ? Math.min(1, units / total) : 0;
        const done = finished + share * part;
        return share === 0 || done < LEAST_DONE
          ? undefined
          : ((now() - started) / done) * Math.max(0, 1 - done);
      };
      const step = progress.start(label, total, { share, findJobLeft });
      return {
        advance: (count = 1) => {
          units += count;
          step.advance(count);
        },
        finish: (summary) => {
          isOpen = false;
          finished += share;
          step.finish(summary);
        },
      };
    },
  };
}

/** Follows the work of one step. */
export interface StepClock {
  /** Milliseconds that the step has taken. */
  elapsed(): number;
  /** What is left: of the step by the units that are done, and of its job; empty where neither can be told. */
  describeLeft(done: number): string;
  /** What is left of the job. */
  describeJobLeft(): string;
}

/** Starts the clock of a step. */
export function startStepClock(
  total: number | undefined,
  options: { now: () => number; findJobLeft?: (() => number | undefined) | undefined },
): StepClock {
  const { now, findJobLeft } = options;
  const started = now();
  const elapsed = (): number => now() - started;
  const describeJobLeft = (): string => {
    const left = findJobLeft?.();
    return left === undefined ? '' : `about ${describeDuration(left)} left in all`;
  };
  return {
    elapsed,
    describeJobLeft,
    describeLeft: (done) => {
      const isTelling = total !== undefined && done >= LEAST_DONE * total && done <= total && done > 0;
      const ofStep = isTelling ? `about ${describeDuration((elapsed() / done) * (total - done))} left` : '';
      return [ofStep, describeJobLeft()].filter((text) => text !== '').join(', ');
    },
  };
}

/** Seconds up to two minutes, then minutes, then hours and minutes. */
function describeDuration(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

import type { ProgressReporter } from './progress.js';
import { startStepClock, type StepClock } from './time-left.js';

/** Between two lines of one step. */
const LINE_INTERVAL_MS = 5000;

/**
 * Progress as lines, for CI, a pipe or an installation without the library that draws bars: one when a step starts, one
 * when it ends and at most one every 5 seconds between, with the time left where it can be told.
 *
 * @param stream where to write, usually stderr so that stdout stays for results
 * @param options.now milliseconds of a clock; for tests
 */
export function createLineProgress(
  stream: Pick<NodeJS.WriteStream, 'write'>,
  options: { now?: () => number } = {},
): ProgressReporter {
  const { now = () => performance.now() } = options;
  return {
    start: (label, total, place) => {
      const clock = startStepClock(total, { now, findJobLeft: place?.findJobLeft });
      let done = 0;
      let lastLine = now();
      stream.write(`${label} …\n`);
      return {
        advance: (units = 1) => {
          done += units;
          if (now() - lastLine < LINE_INTERVAL_MS) return;
          lastLine = now();
          const of = total === undefined ? '' : ` of ${total.toLocaleString('en-GB')}`;
          const count = `${label}: ${done.toLocaleString('en-GB')}${of}`;
          stream.write(`${joinParts([count, clock.describeLeft(done)])}\n`);
        },
        finish: (summary) => {
          stream.write(`${finalLine(label, { summary, clock })}\n`);
        },
      };
    },
  };
}

/** The line that remains of a step when it has ended. */
export function finalLine(
  label: string,
  { summary, clock }: { summary: string | undefined; clock: StepClock },
): string {
  const outcome = summary ?? `done in ${(clock.elapsed() / 1000).toFixed(1)} s`;
  return joinParts([`${label}: ${outcome}`, clock.describeJobLeft()]);
}

function joinParts(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('; ');
}

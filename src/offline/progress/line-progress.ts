import type { ProgressReporter } from './progress.js';

/** Between two lines of one step. */
const LINE_INTERVAL_MS = 5000;

/**
 * Progress as lines, for CI, a pipe or an installation without the library that draws bars: one when a step starts, one
 * when it ends and at most one every 5 seconds between.
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
    start: (label, total) => {
      const started = now();
      let done = 0;
      let lastLine = started;
      stream.write(`${label} …\n`);
      return {
        advance: (units = 1) => {
          done += units;
          if (now() - lastLine < LINE_INTERVAL_MS) return;
          lastLine = now();
          const of = total === undefined ? '' : ` of ${total.toLocaleString('en-GB')}`;
          stream.write(`${label}: ${done.toLocaleString('en-GB')}${of}\n`);
        },
        finish: (summary) => {
          stream.write(`${finalLine(label, { summary, seconds: (now() - started) / 1000 })}\n`);
        },
      };
    },
  };
}

/** The line that remains of a step when it has ended. */
export function finalLine(label: string, options: { summary: string | undefined; seconds: number }): string {
  return options.summary === undefined
    ? `${label}: done in ${options.seconds.toFixed(1)} s`
    : `${label}: ${options.summary}`;
}

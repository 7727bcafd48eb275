import { Presets, SingleBar } from 'cli-progress';
import type { ProgressReporter, ProgressStep } from './progress.js';

/** Between two lines of one step where there is no terminal. */
const LINE_INTERVAL_MS = 5000;

/**
 * Progress for a person: a bar on a terminal, elsewhere (CI, a pipe) one line when a step starts, one when it ends and
 * at most one every 5 seconds between.
 *
 * @param stream where to write, usually stderr so that stdout stays for results
 * @param options.now milliseconds of a clock; for tests
 */
export function createTerminalProgress(
  stream: NodeJS.WriteStream,
  options: { now?: () => number } = {},
): ProgressReporter {
  const { now = Date.now } = options;
  return {
    start: (label, total) =>
      stream.isTTY ? startBar(stream, label, { total, now }) : startLines(stream, label, { total, now }),
  };
}

function startBar(
  stream: NodeJS.WriteStream,
  label: string,
  options: { total: number | undefined; now: () => number },
): ProgressStep {
  const { total, now } = options;
  const started = now();
  const format = total === undefined ? '{label} {value}' : '{label} {bar} {percentage}% {value}/{total}';
  const bar = new SingleBar(
    { stream, format, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(total ?? 0, 0, { label });
  return {
    advance: (units = 1) => bar.increment(units),
    finish: (summary) => {
      bar.stop();
      stream.write(`${finalLine(label, { summary, seconds: (now() - started) / 1000 })}\n`);
    },
  };
}

function startLines(
  stream: NodeJS.WriteStream,
  label: string,
  options: { total: number | undefined; now: () => number },
): ProgressStep {
  const { total, now } = options;
  const started = now();
  let done = 0;
  let lastLine = started;
  stream.write(`${label} …\n`);
  return {
    advance: (units = 1) => {
      done += units;
      if (now() - lastLine < LINE_INTERVAL_MS) return;
      lastLine = now();
      stream.write(
        `${label}: ${done.toLocaleString('en-GB')}${total === undefined ? '' : ` of ${total.toLocaleString('en-GB')}`}\n`,
      );
    },
    finish: (summary) => {
      stream.write(`${finalLine(label, { summary, seconds: (now() - started) / 1000 })}\n`);
    },
  };
}

function finalLine(label: string, options: { summary: string | undefined; seconds: number }): string {
  return options.summary === undefined
    ? `${label}: done in ${options.seconds.toFixed(1)} s`
    : `${label}: ${options.summary}`;
}

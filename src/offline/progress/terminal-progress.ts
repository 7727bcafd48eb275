import { Presets, SingleBar } from 'cli-progress';
import { createLineProgress, finalLine } from './line-progress.js';
import type { ProgressReporter, ProgressStep, StepPlace } from './progress.js';
import { startStepClock } from './time-left.js';

/**
 * Progress for a person: a bar on a terminal, lines elsewhere.
 *
 * @param stream where to write, usually stderr so that stdout stays for results
 * @param options.now milliseconds of a clock; for tests
 */
export function createTerminalProgress(
  stream: NodeJS.WriteStream,
  options: { now?: () => number } = {},
): ProgressReporter {
  const { now = () => performance.now() } = options;
  if (!stream.isTTY) return createLineProgress(stream, options);
  return { start: (label, total, place) => startBar(stream, label, { ...place, total, now }) };
}

function startBar(
  stream: NodeJS.WriteStream,
  label: string,
  options: StepPlace & { total: number | undefined; now: () => number },
): ProgressStep {
  const { total } = options;
  const clock = startStepClock(total, options);
  let done = 0;
  const format =
    total === undefined ? '{label} {value} {left}' : '{label} {bar} {percentage}% {value}/{total} {left}';
  const bar = new SingleBar(
    { stream, format, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(total ?? 0, 0, { label, left: '' });
  return {
    advance: (units = 1) => {
      done += units;
      bar.increment(units, { left: clock.describeLeft(done) });
    },
    finish: (summary) => {
      bar.stop();
      stream.write(`${finalLine(label, { summary, clock })}\n`);
    },
  };
}

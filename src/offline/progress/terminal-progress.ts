import { Presets, SingleBar } from 'cli-progress';
import { createLineProgress, finalLine } from './line-progress.js';
import type { ProgressReporter, ProgressStep } from './progress.js';

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
  return { start: (label, total) => startBar(stream, label, { total, now }) };
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

import type { TracedWork } from './traced-work.js';
import type { TracedStage } from './tracing.js';

/**
 * When each stage of the pipeline ran. The thread that ran them says how long each took, not when it began: they are laid out
 * backwards from the end, one after the other, save that the candidate sources begin together. What is left before the
 * first one is the wait for a thread, and what batches share.
 * @param within when the answer was waited for, on the clock of `performance.now()`
 */
export function placeStages(
  stages: readonly TracedStage[],
  within: { readonly startMs: number; readonly endMs: number },
): TracedWork[] {
  const steps = groupSteps(stages);
  const lengths = steps.map((step) => Math.max(...step.map(({ milliseconds }) => milliseconds)));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  const firstMs = Math.max(within.startMs, within.endMs - total);
  const placed: TracedWork[] = [];
  if (stages.length > 0) placed.push({ name: 'wait', startMs: within.startMs, endMs: firstMs });
  let startMs = firstMs;
  steps.forEach((step, index) => {
    for (const { stage, milliseconds, cause } of step) {
      placed.push({
        name: stage,
        startMs,
        endMs: startMs + milliseconds,
        ...(cause !== undefined && { failure: cause }),
      });
    }
    startMs += lengths[index]!;
  });
  return placed;
}

/** Candidate sources that follow one another are one step. */
function groupSteps(stages: readonly TracedStage[]): TracedStage[][] {
  const steps: TracedStage[][] = [];
  for (const stage of stages) {
    const last = steps.at(-1);
    if (last !== undefined && isSource(stage) && isSource(last[0]!)) last.push(stage);
    else steps.push([stage]);
  }
  return steps;
}

function isSource({ stage }: TracedStage): boolean {
  return stage.startsWith('candidates.');
}

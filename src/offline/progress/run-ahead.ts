import type { ProgressReporter } from './progress.js';
import { runSideBySide } from './run-side-by-side.js';

/** What is done with each input: the first part leaves its work to threads, the second keeps the caller busy. */
export interface AheadSteps<T, P, R> {
  prepare(input: T, progress: ProgressReporter): Promise<P>;
  use(prepared: P, input: T, progress: ProgressReporter): Promise<R>;
}

/**
 * Uses inputs one after the other, and prepares the next one beside the use of each; with `threads` 1 after it. Two at most are prepared
 * and not used up at a time; inputs are made when their turn comes. Progress is told as if all of it ran one after the other.
 * @returns a result per input, in their order
 */
export async function runAhead<T, P, R>(
  inputs: Iterable<T>,
  steps: AheadSteps<T, P, R>,
  options: { threads: number; progress: ProgressReporter },
): Promise<R[]> {
  const iterator = inputs[Symbol.iterator]();
  const prepareNext = async (progress: ProgressReporter): Promise<{ input: T; prepared: P } | undefined> => {
    const next = iterator.next();
    if (next.done === true) return undefined;
    return { input: next.value, prepared: await steps.prepare(next.value, progress) };
  };
  const results: R[] = [];
  let next = await prepareNext(options.progress);
  while (next !== undefined) {
    const { input, prepared } = next;
    const [result, following] = await runSideBySide(
      [(progress: ProgressReporter) => steps.use(prepared, input, progress), prepareNext],
      options,
    );
    results.push(result);
    next = following;
  }
  return results;
}

import type { ProgressReporter, ProgressStep } from './progress.js';

type Task<T> = (progress: ProgressReporter) => Promise<T>;

/**
 * Runs tasks that leave their work to threads all at once, or with `threads` 1 one after the other; results are in the order of the
 * tasks. Progress is told as if they ran one after the other. The first failure is thrown when all have ended, so that none
 * outlives it.
 */
export async function runSideBySide<T extends readonly unknown[]>(
  tasks: { readonly [K in keyof T]: Task<T[K]> },
  options: { threads: number; progress: ProgressReporter },
): Promise<T> {
  if (options.threads === 1) {
    const results: unknown[] = [];
    for (const task of tasks) results.push(await task(options.progress));
    return results as unknown as T;
  }
  const runs = tasks.map((task) => {
    const held = holdProgress(options.progress);
    return { result: task(held.progress), release: held.release };
  });
  const results = runs.map(({ result }) => result);
  // Listens to all of them from the start: a failure that nobody listens to would end the process.
  const ended = Promise.allSettled(results);
  for (const { result, release } of runs) {
    release();
    await Promise.allSettled([result]);
  }
  await ended;
  return (await Promise.all(results)) as unknown as T;
}

/** Keeps what is told until `release`, then passes everything on. */
function holdProgress(progress: ProgressReporter): { progress: ProgressReporter; release: () => void } {
  let released = false;
  const kept: (() => void)[] = [];
  const tell = (event: () => void): void => {
    if (released) event();
    else kept.push(event);
  };
  return {
    progress: {
      start: (label, total, place) => {
        let step: ProgressStep | undefined;
        tell(() => (step = progress.start(label, total, place)));
        return {
          advance: (units) => tell(() => step!.advance(units)),
          finish: (summary) => tell(() => step!.finish(summary)),
        };
      },
    },
    release: () => {
      released = true;
      for (const event of kept.splice(0)) event();
    },
  };
}

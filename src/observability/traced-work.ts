import { AsyncLocalStorage } from 'node:async_hooks';

/** Something that a request waited for, on the clock of `performance.now()`. */
export interface TracedWork {
  readonly name: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly failure?: unknown;
}

/** The work that the stages of the pipeline are part of. */
export const COMPUTE = 'compute';

const works = new AsyncLocalStorage<TracedWork[]>();

/** Runs what a request sets going: what is traced of it is added to the list. */
export function collectWork(into: TracedWork[], run: () => void): void {
  works.run(into, run);
}

/** Does work, and notes it where a request that is traced set it going; elsewhere it only does it. */
export function traceWork<T>(name: string, work: () => Promise<T>): Promise<T> {
  const list = works.getStore();
  return list === undefined ? work() : noteWork(name, work, list);
}

async function noteWork<T>(name: string, work: () => Promise<T>, list: TracedWork[]): Promise<T> {
  const startMs = performance.now();
  try {
    const value = await work();
    list.push({ name, startMs, endMs: performance.now() });
    return value;
  } catch (failure) {
    list.push({ name, startMs, endMs: performance.now(), failure });
    throw failure;
  }
}

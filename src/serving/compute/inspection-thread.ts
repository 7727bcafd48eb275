import { ShortlistError } from '../../domain/errors.js';
import { unpackError } from '../../domain/packed-error.js';
import type { InspectionJson } from '../../pipeline/inspection/inspection.js';
import type { OverridesInForce } from '../../rules/overrides.js';
import type { Compute } from './compute.js';
import type { ComputeTask, InspectJob } from './compute-messages.js';
import { type InspectingThread, openComputeThread } from './compute-thread.js';

/** What a thread of inspections depends on. */
export interface InspectionThreadOptions {
  /** Unix seconds that time to live is judged by. */
  readonly clock: () => number;
  readonly overrides?: OverridesInForce | undefined;
  /** Milliseconds after the last inspection when the thread ends; five minutes when not said. */
  readonly idleMs?: number;
}

const IDLE_MS = 300_000;

/**
 * Explains requests in a thread of its own, which opens with the first one and lets all others go first on the processor. It shares the memory
 * of the bundle, and ends when it was not asked for a while. One that does not answer in time is left to compute, and is asked nothing until it has.
 */
export function createInspectionThread(
  task: Pick<ComputeTask, 'contents' | 'scenarios' | 'vectorEngine'>,
  { clock, overrides, idleMs = IDLE_MS }: InspectionThreadOptions,
): Pick<Compute, 'inspect' | 'close'> {
  let thread: Promise<InspectingThread> | undefined;
  let isBusy = false;
  let idle: NodeJS.Timeout | undefined;

  async function openThread(): Promise<InspectingThread> {
    const opened = await openComputeThread({ ...task, isBackground: true }, overrides);
    void opened.lost.then(() => (thread = undefined));
    return opened;
  }

  function open(): Promise<InspectingThread> {
    thread ??= openThread().catch((error: unknown) => {
      thread = undefined;
      throw error;
    });
    return thread;
  }

  async function close(): Promise<void> {
    clearTimeout(idle);
    const closing = thread;
    thread = undefined;
    await closing?.then((opened) => opened.close());
  }

  /** Nothing is under way any more. */
  function rest(): void {
    isBusy = false;
    idle = setTimeout(() => void close(), idleMs).unref();
  }

  async function explain(job: InspectJob, onOpen: () => void): Promise<InspectionJson> {
    try {
      const opened = await open();
      onOpen();
      const answer = await opened.inspect(job);
      if ('error' in answer) throw unpackError(answer.error);
      return answer.inspection;
    } finally {
      rest();
    }
  }

  return {
    inspect: async (asked, { prefetched, budgetMs }) => {
      if (isBusy) throw new ShortlistError('OVERLOADED', 'The inspection before is still computed.');
      isBusy = true;
      clearTimeout(idle);
      const job = { inspect: asked, prefetched, now: clock() };
      // Opening takes as long as it takes, once.
      return new Promise((resolve, reject) => {
        let timer: NodeJS.Timeout | undefined;
        const onOpen = (): void => {
          timer = setTimeout(() => reject(outOfTime(budgetMs)), budgetMs);
        };
        void explain(job, onOpen)
          .then(resolve, reject)
          .finally(() => clearTimeout(timer));
      });
    },
    close,
  };
}

/** Why an inspection has no answer in time. */
export function outOfTime(budgetMs: number): ShortlistError {
  return new ShortlistError('DEADLINE_EXCEEDED', `The inspection has not ended within ${budgetMs} ms.`);
}

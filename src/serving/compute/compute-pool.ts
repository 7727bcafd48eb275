import { setTimeout as wait } from 'node:timers/promises';
import { ShortlistError } from '../../domain/errors.js';
import { retryDelay, type RetryPace } from '../../domain/retry-delay.js';
import type { OverridesInForce } from '../../rules/overrides.js';
import type { Compute } from './compute.js';
import type { ComputeTask } from './compute-messages.js';
import { type ComputeThread, openComputeThread } from './compute-thread.js';
import { createJobQueue, type JobQueueOptions } from './job-queue.js';
import { type Quarantine, quarantineKeyOf } from './quarantine.js';

/** Sizes a pool of computing threads, and says what happens when they end or hang. */
export interface ComputePoolOptions extends Omit<JobQueueOptions, 'onThread' | 'quarantine'> {
  /** Threads, 1 or more. */
  readonly workers: number;
  /** Is told by how many the threads that live, and those that should, become more or fewer. */
  readonly onThreads?: ((change: ThreadChange) => void) | undefined;
  /** Is told when there has been no thread for `afterMs`, though each that ended was tried to be replaced. */
  readonly desertion?:
    { readonly afterMs: number; readonly onDeserted: (error: ShortlistError) => void } | undefined;
  /** Keeps requests that kill threads from the next one; without it they are given to it. */
  readonly quarantine?: Quarantine | undefined;
  /** How a thread that cannot be replaced is tried again. */
  readonly pace?: RetryPace | undefined;
  /** What the threads put before the rules of scenarios; nothing when not said. */
  readonly overrides?: OverridesInForce | undefined;
  /** Is told of a thread that ended by itself, and of one that could not take its place. */
  readonly onLost?: ((error: unknown) => void) | undefined;
}

/** By how many the living and the wanted threads change. */
export interface ThreadChange {
  readonly living: number;
  readonly wanted: number;
}

const PACE: RetryPace = { firstMs: 200, longestMs: 30_000 };

/**
 * Threads that share the memory of one bundle. A free thread takes what waits at once, so that a request that finds one
 * waits for nobody; requests that wait while all compute are answered together, in batches that grow with the load. A
 * thread that ends by itself is replaced; where that fails it is tried again, ever less often, for as long as the pool is open.
 * @throws ShortlistError INVALID_BUNDLE when a thread cannot make an engine of the contents
 */
export async function openComputePool(
  task: ComputeTask,
  options: ComputePoolOptions,
): Promise<Omit<Compute, 'inspect'>> {
  const { quarantine, desertion, onThreads, overrides, pace = PACE } = options;
  const { version } = task.contents.manifest;
  let living = 0;
  let desertedTimer: NodeJS.Timeout | undefined;
  const queue = createJobQueue({
    ...options,
    quarantine: quarantine && { of: quarantine, keyOf: (request) => quarantineKeyOf(request, version) },
    onThread: (change) => {
      living += change;
      onThreads?.({ living: change, wanted: 0 });
      clearTimeout(desertedTimer);
      if (living === 0 && !closing.signal.aborted) desertedTimer = startDesertion(desertion);
    },
  });
  const closing = new AbortController();
  const replacing = new Set<Promise<void>>();
  const opened = await openThreads(task, options);
  const refused = opened.find((thread) => thread.status === 'rejected');
  const threads = opened.flatMap((thread) => (thread.status === 'fulfilled' ? [thread.value] : []));
  if (refused !== undefined) {
    await Promise.all(threads.map((thread) => thread.close()));
    throw refused.reason;
  }

  async function replace(): Promise<void> {
    for (let attempt = 1; !closing.signal.aborted; attempt++) {
      try {
        const thread = await openComputeThread(task, overrides);
        if (closing.signal.aborted) await thread.close();
        else watch(thread);
        return;
      } catch (cause) {
        const error = new ShortlistError('COMPUTE_FAILED', 'A computing thread could not be replaced.', {
          cause,
        });
        options.onLost?.(error);
        queue.failIfDeserted(error);
        await wait(retryDelay(attempt, pace), undefined, { signal: closing.signal }).catch(() => undefined);
      }
    }
  }

  function takePlaceOf(thread: ComputeThread, error: unknown): void {
    options.onLost?.(error);
    queue.remove(thread);
    const replacement = replace().finally(() => replacing.delete(replacement));
    replacing.add(replacement);
  }

  function watch(thread: ComputeThread): void {
    queue.add(thread);
    void thread.lost.then((error) => takePlaceOf(thread, error));
  }

  onThreads?.({ living: 0, wanted: options.workers });
  threads.forEach(watch);
  return {
    run: queue.push,
    refuses: queue.refuses,
    findProblem: () => queue.findProblem(),
    close: async () => {
      if (closing.signal.aborted) return;
      closing.abort();
      clearTimeout(desertedTimer);
      await Promise.all([queue.close(), ...replacing]);
      onThreads?.({ living: 0, wanted: -options.workers });
    },
  };
}

function startDesertion(desertion: ComputePoolOptions['desertion']): NodeJS.Timeout | undefined {
  if (desertion === undefined) return undefined;
  const { afterMs, onDeserted } = desertion;
  const what = `There has been no computing thread for ${afterMs} ms, and none can be opened.`;
  return setTimeout(() => onDeserted(new ShortlistError('COMPUTE_FAILED', what)), afterMs).unref();
}

/** Beside others that answer one opens after the other: each takes a core for a while. */
async function openThreads(
  task: ComputeTask,
  { workers, overrides }: Pick<ComputePoolOptions, 'workers' | 'overrides'>,
): Promise<readonly PromiseSettledResult<ComputeThread>[]> {
  if (task.beside !== true)
    return Promise.allSettled(Array.from({ length: workers }, () => openComputeThread(task, overrides)));
  const opened: PromiseSettledResult<ComputeThread>[] = [];
  while (opened.length < workers && opened.every(({ status }) => status === 'fulfilled'))
    opened.push(...(await Promise.allSettled([openComputeThread(task, overrides)])));
  return opened;
}

import { ShortlistError } from '../domain/errors.js';
import type { Compute } from './compute.js';
import type { ComputeTask } from './compute-messages.js';
import { type ComputeThread, openComputeThread } from './compute-thread.js';
import { createJobQueue, type JobQueueOptions } from './job-queue.js';

export interface ComputePoolOptions extends JobQueueOptions {
  /** Threads, 1 or more. */
  readonly workers: number;
  /** Is told of a thread that ended by itself, and of one that could not take its place. */
  readonly onLost?: ((error: unknown) => void) | undefined;
}

/**
 * Threads that share the memory of one bundle. A free thread takes what waits at once, so that a request that finds one
 * waits for nobody; requests that wait while all compute are answered together, in batches that grow with the load. A
 * thread that ends by itself is replaced.
 * @throws ShortlistError INVALID_BUNDLE when a thread cannot make an engine of the contents
 */
export async function openComputePool(task: ComputeTask, options: ComputePoolOptions): Promise<Compute> {
  const queue = createJobQueue(options);
  const opened = await openThreads(task, options.workers);
  const refused = opened.find((thread) => thread.status === 'rejected');
  const threads = opened.flatMap((thread) => (thread.status === 'fulfilled' ? [thread.value] : []));
  if (refused !== undefined) {
    await Promise.all(threads.map((thread) => thread.close()));
    throw refused.reason;
  }

  let closing = false;
  const replacing = new Set<Promise<void>>();

  async function replace(): Promise<void> {
    try {
      const thread = await openComputeThread(task);
      if (closing) await thread.close();
      else watch(thread);
    } catch (cause) {
      const error = new ShortlistError('COMPUTE_FAILED', 'A computing thread could not be replaced.', {
        cause,
      });
      options.onLost?.(error);
      queue.failIfDeserted(error);
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

  threads.forEach(watch);
  return {
    recommend: (request, execution) => queue.push(request, execution),
    close: async () => {
      closing = true;
      await Promise.all([queue.close(), ...replacing]);
    },
  };
}

/** Beside others that answer one opens after the other: each takes a core for a while. */
async function openThreads(
  task: ComputeTask,
  workers: number,
): Promise<readonly PromiseSettledResult<ComputeThread>[]> {
  if (task.beside !== true)
    return Promise.allSettled(Array.from({ length: workers }, () => openComputeThread(task)));
  const opened: PromiseSettledResult<ComputeThread>[] = [];
  while (opened.length < workers && opened.every(({ status }) => status === 'fulfilled'))
    opened.push(...(await Promise.allSettled([openComputeThread(task)])));
  return opened;
}

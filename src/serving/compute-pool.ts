import { ShortlistError } from '../domain/errors.js';
import { unpackError } from '../domain/packed-error.js';
import type { FeatureObserver } from '../features/feature-observer.js';
import type { RecommendationRecord, RecommendationRequest } from '../pipeline/recommendation-request.js';
import type { Compute } from './compute.js';
import type { AnsweredBatch, ComputeTask } from './compute-messages.js';
import { type ComputeThread, openComputeThread } from './compute-thread.js';

export interface ComputePoolOptions {
  /** Threads, 1 or more. */
  readonly workers: number;
  /** Requests that a thread answers together at most. */
  readonly maxBatch: number;
  /** Unix seconds that time to live is judged by. */
  readonly clock: () => number;
  readonly observer?: FeatureObserver | undefined;
  /** Is told of a thread that ended by itself, and of one that could not take its place. */
  readonly onLost?: ((error: unknown) => void) | undefined;
}

/** A request that waits for its answer. */
interface Job {
  readonly request: RecommendationRequest;
  readonly resolve: (record: RecommendationRecord) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Threads that share the memory of one bundle. A free thread takes what waits at once, so that a request that finds one
 * waits for nobody; requests that wait while all compute are answered together, in batches that grow with the load. A
 * thread that ends by itself is replaced.
 * @throws ShortlistError INVALID_BUNDLE when a thread cannot make an engine of the contents
 */
export async function openComputePool(task: ComputeTask, options: ComputePoolOptions): Promise<Compute> {
  const queue = createJobQueue(options);
  const opening = Array.from({ length: options.workers }, () => openComputeThread(task));
  const opened = await Promise.allSettled(opening);
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
    recommend: (request) => queue.push(request),
    close: async () => {
      closing = true;
      await Promise.all([queue.close(), ...replacing]);
    },
  };
}

interface JobQueue {
  add(thread: ComputeThread): void;
  remove(thread: ComputeThread): void;
  push(request: RecommendationRequest): Promise<RecommendationRecord>;
  /** Gives up what waits, and whatever comes, when there is no thread left. */
  failIfDeserted(error: unknown): void;
  close(): Promise<void>;
}

/** Hands what waits to the threads that are free. */
function createJobQueue({ maxBatch, clock, observer }: ComputePoolOptions): JobQueue {
  const waiting: Job[] = [];
  const threads = new Set<ComputeThread>();
  let idle: ComputeThread[] = [];
  let deserted: { error: unknown } | undefined;

  /** Threads that will soon be free get their share of what waits. */
  function dispatch(): void {
    while (idle.length > 0 && waiting.length > 0) {
      const share = Math.ceil(waiting.length / threads.size);
      void run(idle.shift()!, waiting.splice(0, Math.min(maxBatch, share)));
    }
  }

  async function run(thread: ComputeThread, jobs: readonly Job[]): Promise<void> {
    try {
      const answered = await thread.answer({ requests: jobs.map(({ request }) => request), now: clock() });
      idle.push(thread);
      dispatch();
      for (const read of answered.reads) observer?.read(read);
      settle(jobs, answered);
    } catch (error) {
      for (const { reject } of jobs) reject(error);
    }
  }

  return {
    add: (thread) => {
      threads.add(thread);
      idle.push(thread);
      dispatch();
    },
    remove: (thread) => {
      threads.delete(thread);
      idle = idle.filter((other) => other !== thread);
    },
    push: (request) =>
      new Promise((resolve, reject) => {
        if (deserted !== undefined) return reject(deserted.error);
        waiting.push({ request, resolve, reject });
        dispatch();
      }),
    failIfDeserted: (error) => {
      if (threads.size > 0) return;
      deserted = { error };
      for (const { reject } of waiting.splice(0)) reject(error);
    },
    close: async () => {
      await Promise.all([...threads].map((thread) => thread.close()));
    },
  };
}

function settle(jobs: readonly Job[], { answers }: AnsweredBatch): void {
  jobs.forEach(({ resolve, reject }, index) => {
    const answer = answers[index]!;
    if ('error' in answer) reject(unpackError(answer.error));
    else resolve(answer);
  });
}

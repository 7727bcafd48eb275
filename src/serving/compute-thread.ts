import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { ShortlistError } from '../domain/errors.js';
import { unpackError } from '../domain/packed-error.js';
import type {
  AnsweredBatch,
  ComputeBatch,
  ComputeMessage,
  ComputeReply,
  ComputeTask,
  ComputeThreadData,
} from './compute-messages.js';
import { beginWork, trackNativeWork } from './native-work.js';

/** A thread that computes for one bundle. */
export interface ComputeThread {
  /**
   * Answers one batch; the next one is to be asked when this one is answered.
   * @throws ShortlistError COMPUTE_FAILED when the thread ends meanwhile
   */
  answer(batch: ComputeBatch): Promise<AnsweredBatch>;
  /** Gives why, when the thread has ended without being told to. */
  readonly lost: Promise<ShortlistError>;
  /** Lets the batch under way be answered and the thread end: it is never stopped in the middle of a computation. */
  close(): Promise<void>;
}

/** @throws ShortlistError INVALID_BUNDLE when the thread cannot make an engine of the contents, COMPUTE_FAILED when it ends */
export async function openComputeThread(task: ComputeTask): Promise<ComputeThread> {
  const work = trackNativeWork();
  const workerData: ComputeThreadData = { ...task, counter: work.counter };
  const worker = new Worker(new URL('./compute-worker.js', import.meta.url), { workerData });
  let closing = false;
  const ended = new Promise<ShortlistError>((resolve) => {
    const fail = (what: string, cause?: unknown): void =>
      resolve(new ShortlistError('COMPUTE_FAILED', `A computing thread ${what}`, { cause }));
    worker.on('error', (error) => fail(`failed: ${error.message}`, error));
    worker.on('exit', () => {
      work.end();
      fail('ended by itself.');
    });
  });

  /** What the thread says next. */
  async function listen<T extends ComputeReply>(): Promise<T> {
    const said = once(worker, 'message').then(([reply]) => reply as T);
    return Promise.race([said, ended.then((error) => Promise.reject(error))]);
  }

  function tell(message: ComputeMessage): void {
    beginWork(work.counter);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
    worker.postMessage(message);
  }

  const opened = await listen();
  if (typeof opened === 'object' && 'refused' in opened) throw unpackError(opened.refused);
  return {
    answer: (batch) => {
      const answered = listen<AnsweredBatch>();
      tell(batch);
      return answered;
    },
    lost: ended.then((error) => (closing ? new Promise<never>(() => undefined) : error)),
    close: async () => {
      closing = true;
      tell('close');
      await ended;
    },
  };
}

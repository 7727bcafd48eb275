import { Worker } from 'node:worker_threads';
import { ShortlistError } from '../../domain/errors.js';
import { unpackError } from '../../domain/packed-error.js';
import { NO_OVERRIDES, type OverridesInForce } from '../../rules/overrides.js';
import type {
  AnsweredBatch,
  ComputeBatch,
  ComputeMessage,
  ComputeReply,
  ComputeTask,
  ComputeThreadData,
  InspectionReply,
  InspectJob,
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

/** A thread that says how answers come about, too. */
export interface InspectingThread extends ComputeThread {
  /** Explains one request, in turn with batches. Throws as `answer` does. */
  inspect(job: InspectJob): Promise<InspectionReply>;
}

/**
 * @param overrides are told to the thread with the first batch after they change
 * @throws ShortlistError INVALID_BUNDLE when the thread cannot make an engine of the contents, COMPUTE_FAILED when it ends
 */
export async function openComputeThread(
  task: ComputeTask,
  overrides?: OverridesInForce,
): Promise<InspectingThread> {
  const work = trackNativeWork();
  const workerData: ComputeThreadData = { ...task, counter: work.counter };
  const worker = new Worker(new URL('./compute-worker.js', import.meta.url), { workerData });
  worker.on('exit', () => work.end());
  const { listen, ended } = createListener(worker);
  let closing = false;
  let told = NO_OVERRIDES;

  function tell(message: ComputeMessage): void {
    beginWork(work.counter);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
    worker.postMessage(message);
  }

  function addOverrides<Message extends ComputeBatch | InspectJob>(message: Message): Message {
    const current = overrides?.current() ?? NO_OVERRIDES;
    if (current === told) return message;
    told = current;
    return { ...message, overrides: current };
  }

  function ask<Reply extends ComputeReply>(message: ComputeBatch | InspectJob): Promise<Reply> {
    const answered = listen<Reply>();
    tell(addOverrides(message));
    return answered;
  }

  const opened = await listen();
  if (typeof opened === 'object' && 'refused' in opened) throw unpackError(opened.refused);
  return {
    answer: (batch) => ask<AnsweredBatch>(batch),
    inspect: (job) => ask<InspectionReply>(job),
    lost: ended.then((error) => (closing ? new Promise<never>(() => undefined) : error)),
    close: async () => {
      closing = true;
      tell('close');
      await ended;
    },
  };
}

/** Who waits for what a thread says next. */
interface Awaited {
  readonly resolve: (reply: ComputeReply) => void;
  readonly reject: (error: ShortlistError) => void;
}

/**
 * Hears one reply of a thread at a time, or why there is none. (A race of each reply against the end of the thread would keep every
 * reply for as long as the thread lives: what waits for a promise is let go of when it is settled.)
 */
function createListener(worker: Worker): {
  listen: <T extends ComputeReply>() => Promise<T>;
  ended: Promise<ShortlistError>;
} {
  let awaited: Awaited | undefined;
  let end: ShortlistError | undefined;
  const ended = new Promise<ShortlistError>((resolve) => {
    const fail = (what: string, cause?: unknown): void => {
      end ??= new ShortlistError('COMPUTE_FAILED', `A computing thread ${what}`, { cause });
      awaited?.reject(end);
      resolve(end);
    };
    worker.on('error', (error) => fail(`failed: ${error.message}`, error));
    worker.on('exit', () => fail('ended by itself.'));
  });
  worker.on('message', (reply: ComputeReply) => {
    awaited?.resolve(reply);
    awaited = undefined;
  });
  return {
    ended,
    listen: <T extends ComputeReply>() =>
      new Promise<T>((resolve, reject) => {
        if (end === undefined) awaited = { resolve: resolve as Awaited['resolve'], reject };
        else reject(end);
      }),
  };
}

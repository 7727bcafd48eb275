import { Worker } from 'node:worker_threads';
import type { EventStoreFigures } from '../event-store-observer.js';
import type {
  CommitReply,
  KeepingMessage,
  KeepingReply,
  KeepingThreadData,
  OpenedFile,
} from './keeping-messages.js';
import type { StorageFault } from './storage-fault.js';

/** A thread that commits events; it does one thing at a time. */
export interface KeepingThread {
  /** How the file was opened, or why it could not be. */
  readonly opened: Promise<OpenedFile | { readonly fault: StorageFault }>;
  /**
   * Commits requests together; the next ones are to be given when these are answered.
   * @throws Error when the thread ends meanwhile: whether they were committed, nobody knows
   */
  commit(requests: readonly string[]): Promise<Committed>;
  /** The figures of the store; undefined while it cannot be read. Undefined too when the thread ends meanwhile. */
  measure(): Promise<EventStoreFigures | undefined>;
  /** Ends it when all that it was told is done. */
  close(): Promise<void>;
}

/** The answer to a commit, and the file where it was opened for it. */
export interface Committed {
  readonly commit: CommitReply;
  readonly opened?: OpenedFile | undefined;
}

/** Starts a thread that opens the events of a folder. @param onEnd is told why it ended before it was told to */
export function startKeepingThread(
  workerData: KeepingThreadData,
  onEnd: (error: Error) => void,
): KeepingThread {
  const worker = new Worker(new URL('./keeping-worker.js', import.meta.url), { workerData });
  const measuring: ((figures: EventStoreFigures | undefined) => void)[] = [];
  let opening: Awaited<OpenedFile | { fault: StorageFault }> | undefined;
  let committing: Awaited<Committed> | undefined;
  let isEnding = false;
  let end: Error | undefined;

  const ended = new Promise<void>((resolve) => {
    const finish = (error: Error): void => {
      end ??= error;
      opening?.reject(end);
      committing?.reject(end);
      for (const tell of measuring.splice(0)) tell(undefined);
      if (!isEnding) onEnd(end);
      isEnding = true;
      resolve();
    };
    worker.on('error', (error) => finish(error as Error));
    worker.on('exit', () => finish(new Error('The thread that keeps events ended by itself.')));
  });

  worker.on('message', (reply: KeepingReply) => {
    if ('commit' in reply) committing!.resolve(reply);
    else if ('figures' in reply) measuring.shift()?.(reply.figures);
    else opening!.resolve(reply.opened);
  });

  function tell(message: KeepingMessage): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
    worker.postMessage(message);
  }

  const opened = new Promise<OpenedFile | { fault: StorageFault }>((resolve, reject) => {
    opening = { resolve, reject };
  });
  return {
    opened,
    commit: (requests) =>
      new Promise((resolve, reject) => {
        committing = { resolve, reject };
        if (end === undefined) tell({ requests });
        else reject(end);
      }),
    measure: () =>
      new Promise((resolve) => {
        if (isEnding) return resolve(undefined);
        measuring.push(resolve);
        tell('measure');
      }),
    close: async () => {
      isEnding = true;
      tell('close');
      await ended;
    },
  };
}

/** Who waits for what a thread says. */
interface Awaited<T> {
  readonly resolve: (reply: T) => void;
  readonly reject: (error: Error) => void;
}

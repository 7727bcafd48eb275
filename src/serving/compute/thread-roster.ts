import type { ComputeThread } from './compute-thread.js';

/** The threads of a queue, and which of them are free. */
export interface ThreadRoster {
  count(): number;
  hasFree(): boolean;
  /** Takes a thread in, free. */
  add(thread: ComputeThread): void;
  /** Forgets a thread, free or not; one that is not there is ignored. */
  remove(thread: ComputeThread): void;
  /** Gives the thread that has been free longest, which is free no more; there must be one. */
  takeFree(): ComputeThread;
  /** The thread has answered: it is free again, or ends where it was removed meanwhile. */
  release(thread: ComputeThread): void;
  /** Lets every thread answer what it computes, and end; one that hangs is left behind. */
  close(): Promise<void>;
}

/**
 * Creates a roster without threads.
 * @param onThread is told of each thread that comes or goes: 1 or -1
 */
export function createThreadRoster(onThread?: (change: 1 | -1) => void): ThreadRoster {
  const threads = new Set<ComputeThread>();
  let free: ComputeThread[] = [];

  function remove(thread: ComputeThread): void {
    free = free.filter((other) => other !== thread);
    if (threads.delete(thread)) onThread?.(-1);
  }

  return {
    count: () => threads.size,
    hasFree: () => free.length > 0,
    add: (thread) => {
      threads.add(thread);
      free.push(thread);
      onThread?.(1);
    },
    remove,
    takeFree: () => free.shift()!,
    release: (thread) => {
      // One that was given up has come back: nobody else would end it.
      void (threads.has(thread) ? free.push(thread) : thread.close());
    },
    close: async () => {
      const closed = await Promise.all([...threads].map((thread) => thread.close().then(() => thread)));
      closed.forEach(remove);
    },
  };
}

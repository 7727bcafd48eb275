import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** Wakes up at a time that is set, to about a tenth of a millisecond. */
export interface Alarm {
  /**
   * Resolves at a time, one call after the other.
   * @param atMs milliseconds of `processClock`
   */
  sleepUntil(atMs: number): Promise<void>;
  close(): Promise<void>;
}

/** What the thread of an alarm is started with. */
export interface AlarmState {
  /** Counts how often the alarm was set. */
  readonly settings: Int32Array;
  /** The time that was set last, in milliseconds of `processClock`. */
  readonly time: Float64Array;
}

/**
 * Opens an alarm. A timer of Node is right to a millisecond, which is as long as a whole answer may take. A thread that sleeps in
 * `Atomics.wait` wakes up in time, and takes no processor time meanwhile.
 */
export async function openAlarm(): Promise<Alarm> {
  const state: AlarmState = {
    settings: new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)),
    time: new Float64Array(new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)),
  };
  const thread = new Worker(new URL('./alarm-thread.js', import.meta.url), { workerData: state });
  await once(thread, 'message');
  let wake: (() => void) | undefined;
  thread.on('message', () => wake?.());
  return {
    sleepUntil: (atMs) =>
      new Promise((resolve) => {
        wake = resolve;
        state.time[0] = atMs;
        Atomics.add(state.settings, 0, 1);
        Atomics.notify(state.settings, 0);
      }),
    close: async () => {
      await thread.terminate();
    },
  };
}

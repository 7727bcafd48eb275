import { parentPort, workerData } from 'node:worker_threads';
import { processClock } from '../domain/process-clock.js';
import type { AlarmState } from './alarm.js';

// The program of the thread that an alarm sleeps in. It is ended from outside.
const { settings, time } = workerData as AlarmState;
const port = parentPort!;

for (let setting = 0; ; setting++) {
  say(setting);
  Atomics.wait(settings, 0, setting);
  sleepUntil(time[0]!, setting + 1);
}

function sleepUntil(atMs: number, setting: number): void {
  for (let left = atMs - processClock(); left > 0; left = atMs - processClock()) {
    Atomics.wait(settings, 0, setting, left);
  }
}

function say(setting: number): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  port.postMessage(setting);
}

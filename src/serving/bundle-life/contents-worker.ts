import { parentPort, workerData } from 'node:worker_threads';
import { lowerPriority } from '../compute/low-priority.js';
import type { ContentsTask } from './read-contents-in-thread.js';

// The program of the thread that `readContentsInThread` starts: it reads one bundle, answers, and ends. What it reads with is loaded
// when others go first already.
const task = workerData as ContentsTask;
if (task.beside) lowerPriority();
const closing = new AbortController();
parentPort!.once('message', () => closing.abort());
const { answerContentsTask } = await import('./contents-task.js');
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
parentPort!.postMessage(await answerContentsTask(task, closing.signal));
parentPort!.close();

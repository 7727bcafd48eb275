import { readlinkSync } from 'node:fs';
import { getPriority } from 'node:os';
import { basename } from 'node:path';
import { parentPort } from 'node:worker_threads';
import { lowerPriority } from '../../src/serving/compute/low-priority.js';

// A thread that lowers its priority, and says what it is then, and that of the thread that started it.
lowerPriority();
const id = Number(basename(readlinkSync('/proc/thread-self')));
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
parentPort!.postMessage([getPriority(id), getPriority(process.pid)]);

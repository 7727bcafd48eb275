import { parentPort, workerData } from 'node:worker_threads';
import { packError } from '../domain/packed-error.js';
import type { FeatureLoad } from '../features/feature-observer.js';
import { packContents } from '../pipeline/read-bundle.js';
import { readContents } from '../pipeline/read-contents.js';
import { lowerPriority } from './low-priority.js';
import type { ContentsReply, ContentsTask } from './read-contents-in-thread.js';

// The program of the thread that `readContentsInThread` starts: it reads one bundle, answers, and ends.
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
parentPort!.postMessage(await read(workerData as ContentsTask));

async function read({ request, beside }: ContentsTask): Promise<ContentsReply> {
  if (beside) lowerPriority();
  const loads: FeatureLoad[] = [];
  try {
    const observer = { loaded: (load: FeatureLoad) => void loads.push(load), read: () => undefined };
    return { contents: packContents(await readContents(request, observer)), loads };
  } catch (error) {
    return { refused: packError(error) };
  }
}

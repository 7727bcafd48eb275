import { parentPort, workerData } from 'node:worker_threads';
import { packError } from '../domain/packed-error.js';
import { createSourceAccess } from '../domain/source-access.js';
import type { FeatureLoad } from '../features/feature-observer.js';
import { packContents } from '../pipeline/read-bundle.js';
import { readContents } from '../pipeline/read-contents.js';
import { lowerPriority } from './low-priority.js';
import type { ContentsReply, ContentsTask, ToldOfSources } from './read-contents-in-thread.js';

// The program of the thread that `readContentsInThread` starts: it reads one bundle, answers, and ends.
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
parentPort!.postMessage(await read(workerData as ContentsTask));

async function read({ request, beside, policy }: ContentsTask): Promise<ContentsReply> {
  if (beside) lowerPriority();
  const loads: FeatureLoad[] = [];
  const told: ToldOfSources = { retries: [], reads: [], excesses: [] };
  const access = createSourceAccess(policy, {
    observer: {
      retried: (retry) => told.retries.push({ ...retry, error: packError(retry.error) }),
      read: (read) => told.reads.push(read),
      exceeded: (excess) => told.excesses.push(excess),
    },
  });
  try {
    const observer = { loaded: (load: FeatureLoad) => void loads.push(load), read: () => undefined };
    return { contents: packContents(await readContents(request, observer, access)), loads, told };
  } catch (error) {
    return { refused: packError(error), told };
  }
}

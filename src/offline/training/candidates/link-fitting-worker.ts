import { parentPort, workerData } from 'node:worker_threads';
import { packError } from '../../../domain/packed-error.js';
import type { ProgressReporter } from '../../progress/progress.js';
import { fitHere, type LinkFitReply, type SentFitTask } from './fit-links.js';

// The program of the thread that `fitLinks` starts: it fits one kind of links, answers, and ends.
say(await run());

async function run(): Promise<LinkFitReply> {
  try {
    const { threads, ...task } = workerData as SentFitTask;
    return { links: await fitHere(task, { threads, progress: createToldProgress() }) };
  } catch (error) {
    return { error: packError(error) };
  }
}

/** Tells every hundredth part. */
function createToldProgress(): ProgressReporter {
  return {
    start: (label, total = 1) => {
      say({ start: label, total });
      const part = Math.ceil(total / 100);
      let untold = 0;
      return {
        advance: (units = 1) => {
          untold += units;
          if (untold < part) return;
          say({ advance: untold });
          untold = 0;
        },
        finish: (summary = '') => say({ finish: summary }),
      };
    },
  };
}

function say(reply: LinkFitReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  parentPort!.postMessage(reply);
}

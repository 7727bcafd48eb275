import { parentPort, workerData } from 'node:worker_threads';
import { packError } from '../../../domain/packed-error.js';
import { trainGradientBoostedTrees } from './gradient-boosted-trees.js';
import type { TrainingReply, TrainingTask } from './train-in-thread.js';

// The program of the thread that `trainInThread` starts: it trains one ensemble, answers, and ends.
const { train, validation, boosting } = workerData as TrainingTask;
say(run());

function run(): TrainingReply {
  try {
    const progress = { advance: () => say('tree'), finish: () => undefined };
    const ensemble = trainGradientBoostedTrees(train, {
      ...boosting,
      ...(validation !== undefined && { validation }),
      progress,
    });
    return { ensemble };
  } catch (error) {
    return { error: packError(error) };
  }
}

function say(reply: TrainingReply): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
  parentPort!.postMessage(reply);
}

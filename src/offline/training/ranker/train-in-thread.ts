import { on } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type PackedError, unpackError } from '../../../domain/packed-error.js';
import type { BoostingOptions } from './boosting-options.js';
import { trainGradientBoostedTrees, type TrainingAids } from './gradient-boosted-trees.js';
import type { RankingRows } from './ranking-rows.js';
import type { TreeEnsemble } from './tree-ensemble.js';

/** The task of a training thread. */
export interface TrainingTask {
  readonly train: RankingRows;
  readonly validation: RankingRows | undefined;
  readonly boosting: Partial<BoostingOptions>;
}

/** A message of a training thread: that a tree is grown, and at the end the ensemble or the error. */
export type TrainingReply = 'tree' | { readonly ensemble: TreeEnsemble } | { readonly error: PackedError };

/** Fewer rows are trained on before a thread has started. */
const INLINE_ROWS = 20_000;

/**
 * Trains as `trainGradientBoostedTrees` does, the same ensemble bit for bit, on many rows in a thread of its own: several
 * rankers then train side by side. Rows in shared memory are not copied.
 * @throws ShortlistError TRAINING_FAILED as trainGradientBoostedTrees does
 */
export async function trainInThread(
  train: RankingRows,
  options: Partial<BoostingOptions> & TrainingAids,
): Promise<TreeEnsemble> {
  if (train.matrix.rows <= INLINE_ROWS) return trainGradientBoostedTrees(train, options);
  const { validation, progress, ...boosting } = options;
  const workerData: TrainingTask = { train, validation, boosting };
  const worker = new Worker(new URL('./training-worker.js', import.meta.url), { workerData });
  for await (const [reply] of on(worker, 'message', { close: ['exit'] }) as AsyncIterable<[TrainingReply]>) {
    if (reply === 'tree') progress?.advance();
    else if ('ensemble' in reply) return reply.ensemble;
    else throw unpackError(reply.error);
  }
  throw new Error('the training thread ended without an answer');
}

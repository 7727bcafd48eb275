import { whyUndated, whyUnordered } from '../../../domain/time-facts.js';
import type { PreparedDataset } from '../../data/prepared-dataset.js';
import type { ProgressReporter } from '../../progress/progress.js';

/** Says what training does without where the times of a dataset give no order, or no dates. */
export function reportTimes(
  { interactions: { times } }: Pick<PreparedDataset, 'interactions'>,
  progress: ProgressReporter,
): void {
  const order = whyUnordered(times);
  const dates = whyUndated(times);
  if (order !== undefined) progress.start('order of a user’s rows').finish(`not used: ${order}`);
  if (dates !== undefined) progress.start('age of interactions').finish(`not used: ${dates}`);
}

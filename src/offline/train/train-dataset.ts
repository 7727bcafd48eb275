import type { Manifest } from '../../bundle/manifest.js';
import { readPreparedDataset } from '../prepared-dataset.js';
import { trainBundle, type TrainingOptions } from './train-bundle.js';
import { writeTrainedBundle, type Provenance } from './write-trained-bundle.js';

/**
 * Trains a bundle on a whole prepared dataset and writes it, in place of an earlier one.
 * @throws ShortlistError INVALID_DATASET, TRAINING_FAILED
 */
export async function trainDataset(
  preparedDir: string,
  trainedDir: string,
  options: TrainingOptions & { provenance: Provenance },
): Promise<Manifest> {
  const dataset = await readPreparedDataset(preparedDir);
  const newest = dataset.interactions.timestamp.reduce((latest, time) => Math.max(latest, time), 0);
  // One second on, because what is known at a time is what lies before it.
  const known = { train: dataset.interactions, knownUntil: newest + 1 };
  const trained = await trainBundle(known, dataset, options);
  return writeTrainedBundle(trainedDir, trained, { dataset, ...options });
}

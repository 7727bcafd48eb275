import type { Manifest } from '../../bundle/manifest.js';
import type { InteractionTable } from '../../domain/interactions.js';
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
  const known = { train: dataset.interactions, knownUntil: findKnownUntil(dataset.interactions) };
  const trained = await trainBundle(known, dataset, options);
  return writeTrainedBundle(trainedDir, trained, { dataset, ...options });
}

/** The Unix second after the newest interaction, because what is known at a time is what lies before it. */
export function findKnownUntil({ timestamp }: InteractionTable): number {
  return timestamp.reduce((latest, time) => Math.max(latest, time), Number.NEGATIVE_INFINITY) + 1;
}

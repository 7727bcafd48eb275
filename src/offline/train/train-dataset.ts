import type { Manifest } from '../../bundle/manifest.js';
import type { InteractionTable } from '../../domain/interactions.js';
import { readPreparedDataset } from '../prepared-dataset.js';
import { openImportedEncoder } from '../encoder/imported-encoder.js';
import { trainBundle, type TrainingOptions } from './train-bundle.js';
import { writeTrainedBundle, type Provenance } from './write-trained-bundle.js';

/**
 * Trains a bundle on a whole prepared dataset and writes it, in place of an earlier one.
 * @param options.encoderDir folder of the encoder that was imported for the dataset; there need not be one
 * @throws ShortlistError INVALID_DATASET, TRAINING_FAILED; INVALID_CONFIG or INVALID_BUNDLE when the encoder does not fit
 */
export async function trainDataset(
  preparedDir: string,
  trainedDir: string,
  options: TrainingOptions & { provenance: Provenance; encoderDir?: string | undefined },
): Promise<Manifest> {
  const dataset = await readPreparedDataset(preparedDir);
  const known = { train: dataset.interactions, knownUntil: findKnownUntil(dataset.interactions) };
  const encoder = await openImportedEncoder(options.encoderDir, dataset);
  try {
    const trained = await trainBundle(known, dataset, { ...options, encoder });
    return await writeTrainedBundle(trainedDir, trained, { dataset, ...options });
  } finally {
    await encoder?.close();
  }
}

/** The Unix second after the newest interaction, because what is known at a time is what lies before it. */
export function findKnownUntil({ timestamp }: InteractionTable): number {
  return timestamp.reduce((latest, time) => Math.max(latest, time), Number.NEGATIVE_INFINITY) + 1;
}

import type { Manifest } from '../../bundle/manifest.js';
import { readPreparedDataset } from '../prepared-dataset.js';
import type { SearchRecord } from '../train/search-record.js';
import { trainBundle } from '../train/train-bundle.js';
import { findKnownUntil } from '../train/train-dataset.js';
import { writeTrainedBundle } from '../train/write-trained-bundle.js';
import { searchParameters, type SearchOptions } from './search-parameters.js';

/**
 * Searches for training parameters, then trains and writes a bundle on a whole prepared dataset as `trainDataset` does, with those that
 * were chosen. The manifest says what the search saw and chose.
 *
 * @throws ShortlistError INVALID_DATASET, TRAINING_FAILED
 */
export async function trainTuned(
  preparedDir: string,
  trainedDir: string,
  options: SearchOptions,
): Promise<{ manifest: Manifest; search: SearchRecord }> {
  const dataset = await readPreparedDataset(preparedDir);
  const tuning = await searchParameters(dataset, options);
  const known = { train: dataset.interactions, knownUntil: findKnownUntil(dataset.interactions) };
  const trained = await trainBundle(known, dataset, { ...options, ...tuning });
  const manifest = await writeTrainedBundle(trainedDir, trained, { dataset, ...options, ...tuning });
  return { manifest, search: tuning.search };
}

import type { Manifest } from '../../../bundle/manifest.js';
import { readTrainingDataset } from '../../data/settle-times.js';
import type { SearchSummary } from '../bundle/search-summary.js';
import { type DatasetTrainingOptions, trainPrepared } from '../bundle/train-dataset.js';
import { searchParameters, type SearchOptions } from './search-parameters.js';

/**
 * Searches for training parameters, then trains and writes a bundle on a whole prepared dataset as `trainDataset` does, with those that
 * were chosen. The manifest says what the search saw and chose. The trials go without an imported encoder; the bundle has it.
 *
 * @throws ShortlistError INVALID_DATASET, TRAINING_FAILED
 */
export async function trainTuned(
  preparedDir: string,
  trainedDir: string,
  options: SearchOptions & Pick<DatasetTrainingOptions, 'encoderDir' | 'ignoreTimes'>,
): Promise<{ manifest: Manifest; search: SearchSummary }> {
  const { config, ignoreTimes } = options;
  const dataset = await readTrainingDataset(preparedDir, { seed: config.seed, ignoreTimes });
  const tuning = await searchParameters(dataset, options);
  const manifest = await trainPrepared(dataset, trainedDir, { ...options, ...tuning });
  return { manifest, search: tuning.search };
}

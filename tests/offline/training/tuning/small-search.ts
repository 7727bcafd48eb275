import type { TrainingConfig } from '../../../../src/config/training-config.js';
import type { PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import type { Tuning } from '../../../../src/offline/training/bundle/search-summary.js';
import {
  searchParameters,
  type SearchOptions,
} from '../../../../src/offline/training/tuning/search-parameters.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig } from '../../../support/trained-bundle.js';
import { createSyntheticDataset } from '../../../support/synthetic-dataset.js';

const shipped = smallTrainingConfig();

/** Small enough for a dozen searches in a few seconds. */
export const SEARCH_CONFIG: TrainingConfig = {
  ...shipped,
  als: { ...shipped.als, dimensions: 4, epochs: 1 },
  ranker: { ...shipped.ranker, maxTrees: 4 },
};

/** Users of the dataset that have done something: they judge. */
export const JUDGES = 39;

/** Searches on a small synthetic dataset, by default under the chronological protocol. */
export async function searchSmall(
  searchesDir: string,
  options: Partial<SearchOptions> & { dataset?: PreparedDataset } = {},
): Promise<Tuning> {
  const { dataset = createSearchDataset(), ...changed } = options;
  return searchParameters(dataset, {
    config: SEARCH_CONFIG,
    protocol: 'chronological',
    scenario: SCENARIOS.get('home')!,
    progress: SILENT_PROGRESS,
    provenance: PROVENANCE,
    limits: { maxTrials: 6 },
    searchesDir,
    ...changed,
  });
}

export function createSearchDataset(): PreparedDataset {
  return createSyntheticDataset({ users: JUDGES + 1, items: 40 });
}

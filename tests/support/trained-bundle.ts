import { join } from 'node:path';
import type { Manifest } from '../../src/bundle/manifest.js';
import { readConfigFile } from '../../src/config/read-config-file.js';
import { readScenarios, type ScenarioConfig } from '../../src/config/scenario-config.js';
import { type SettledConfig, TrainingConfig } from '../../src/config/training-config.js';
import type { TrainingProtocol } from '../../src/config/evaluation-protocol.js';
import type { PreparedDataset } from '../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../src/offline/progress/progress.js';
import { trainPrepared } from '../../src/offline/training/bundle/train-dataset.js';
import { trainBundle, type TrainedBundle } from '../../src/offline/training/bundle/train-bundle.js';
import { writeTrainedBundle } from '../../src/offline/training/bundle/write-trained-bundle.js';
import { createSyntheticDataset, type SyntheticOptions } from './synthetic-dataset.js';

/** The scenarios that ship, by name. */
export const SCENARIOS: ReadonlyMap<string, ScenarioConfig> = readScenarios('configs/scenarios');

export const PROVENANCE = { createdAt: '2026-01-02T03:04:05Z', codeVersion: '0.0.0-test' };

/** The shipped training config, made small enough for a test, with nothing left to choose. */
export function smallTrainingConfig(): SettledConfig {
  const config = readConfigFile(TrainingConfig, 'configs/training.yaml');
  return {
    ...config,
    als: { ...config.als, dimensions: 8, epochs: 4, unobservedWeight: 0.3, regularisation: 0.01 },
    ranker: { ...config.ranker, maxTrees: 20, minRowsPerLeaf: 5, rollingCuts: 2 },
    evaluation: { ...config.evaluation, testWeeks: 2 },
  };
}

/** Trains on everything a dataset has, with the small config. */
export async function trainSmallBundle(
  dataset: PreparedDataset = createSyntheticDataset(),
  options: { protocol?: TrainingProtocol; config?: TrainingConfig } = {},
): Promise<TrainedBundle> {
  const { protocol = 'chronological', config = smallTrainingConfig() } = options;
  const known = { train: dataset.interactions, knownUntil: Math.max(...dataset.interactions.timestamp) + 1 };
  const scenario = SCENARIOS.get('home')!;
  return trainBundle(known, dataset, {
    config,
    trainingProtocol: protocol,
    scenario,
    progress: SILENT_PROGRESS,
  });
}

/**
 * Writes a really trained bundle of the synthetic dataset into `<folder>/bundle`.
 * @param options.world what the dataset is drawn from
 */
export async function writeSmallBundle(
  folder: string,
  { world = {}, ...options }: { createdAt?: string; world?: SyntheticOptions } = {},
): Promise<{ folder: string; manifest: Manifest; dataset: PreparedDataset }> {
  const dataset = createSyntheticDataset(world);
  const bundle = join(folder, 'bundle');
  const manifest = await writeTrainedBundle(bundle, await trainSmallBundle(dataset), {
    dataset,
    config: smallTrainingConfig(),
    provenance: { ...PROVENANCE, ...options },
  });
  return { folder: bundle, manifest, dataset };
}

/** The same with what drift is compared with, by the way that `shortlist train` goes. */
export async function writeWatchedBundle(
  folder: string,
  options: { createdAt?: string } = {},
): Promise<{ folder: string; manifest: Manifest }> {
  const bundle = join(folder, 'bundle');
  const manifest = await trainPrepared(createSyntheticDataset(), bundle, {
    config: smallTrainingConfig(),
    protocol: 'chronological',
    scenario: SCENARIOS.get('home')!,
    progress: SILENT_PROGRESS,
    provenance: { ...PROVENANCE, ...options },
  });
  return { folder: bundle, manifest };
}

import { join } from 'node:path';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import type { Manifest } from '../../src/bundle/manifest.js';
import type { PreparedDataset } from '../../src/offline/data/prepared-dataset.js';
import { writeTrainedBundle } from '../../src/offline/training/bundle/write-trained-bundle.js';
import { createSyntheticDataset } from './synthetic-dataset.js';
import { PROVENANCE, smallTrainingConfig, trainSmallBundle } from './trained-bundle.js';

/**
 * Trains on the synthetic dataset with a context of every type, and publishes the bundle to the staging channel of a registry.
 * @param options.year what the attribute `year` is called
 */
export async function publishContextBundle(
  registry: string,
  options: { year: string; seed: number },
): Promise<Manifest> {
  const dataset = createContextDataset(options);
  const folder = join(registry, '..', `trained-${options.seed}`);
  const manifest = await writeTrainedBundle(folder, await trainSmallBundle(dataset), {
    dataset,
    config: smallTrainingConfig(),
    provenance: PROVENANCE,
  });
  await createFolderRegistry(registry).publish(folder);
  return manifest;
}

function createContextDataset({ year, seed }: { year: string; seed: number }): PreparedDataset {
  const dataset = createSyntheticDataset({ seed, users: 40 });
  const { interactions, catalogue } = dataset;
  const rows = interactions.user.length;
  const column = (valueOf: (row: number) => number): Float32Array =>
    Float32Array.from({ length: rows }, (_, row) => valueOf(row));
  return {
    ...dataset,
    interactions: {
      ...interactions,
      context: {
        timeZone: 'UTC',
        fields: [
          { name: 'hour', type: 'hour' },
          { name: 'weekday', type: 'weekday' },
          { name: 'device', type: 'categorical', values: ['desk: top', 'mobile'] },
          { name: 'basket (€)', type: 'numeric' },
        ],
        columns: [
          column((row) => row % 24),
          column((row) => 1 + (row % 7)),
          column((row) => row % 2),
          column((row) => row % 50),
        ],
      },
    },
    catalogue: {
      ...catalogue,
      attributes: catalogue.attributes.map((attribute) =>
        attribute.name === 'year' ? { ...attribute, name: year } : attribute,
      ),
    },
  };
}

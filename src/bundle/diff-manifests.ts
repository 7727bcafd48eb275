import { type Difference, listDifferences } from './list-differences.js';
import type { Manifest } from './manifest.js';

/**
 * Lists the values that two manifests do not share, by dotted name: data, sources, features, training,
 * figures of the evaluation, and sizes of files.
 */
export function diffManifests(first: Manifest, second: Manifest): Difference[] {
  const [ours, theirs] = [first.ranker.featureOrder, second.ranker.featureOrder];
  const without = (list: readonly string[], others: readonly string[]): string =>
    list.filter((name) => !others.includes(name)).join(', ') || 'none';
  const features: Difference[] =
    ours.join() === theirs.join()
      ? []
      : [['features of its own', without(ours, theirs), without(theirs, ours)]];
  return [...listDifferences(describe(first), describe(second)), ...features];
}

function describe(manifest: Manifest): object {
  const { files, ranker, views, catalogue, ...others } = manifest;
  const { featureOrder, featureOrderHash: _, ...model } = ranker;
  const sizes = Object.entries(files).map(([name, { sizeBytes }]) => [name, sizeBytes] as const);
  return {
    ...others,
    catalogue: { attributes: catalogue.attributes.map(({ name }) => name) },
    views: Object.keys(views),
    ranker: { ...model, features: featureOrder.length },
    bytes: Object.fromEntries(sizes),
  };
}

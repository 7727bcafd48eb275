import type { Manifest } from '../bundle/manifest.js';
import { createSeededRandom } from '../domain/seeded-random.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';

type Distributions = NonNullable<Manifest['reference']>['features'];

/** Seeded rows of values from 0 to 1. They are not below 0: a sound model may take roots of features that never are. */
export function drawUniformRows(rows: number, columns: number): FeatureMatrix {
  const random = createSeededRandom(1);
  return { data: Float32Array.from({ length: rows * columns }, () => random.uniform()), rows, columns };
}

/**
 * Seeded rows whose features are distributed as those that a bundle ranked when it was trained, each by itself. A feature without a
 * known distribution is from 0 to 1.
 */
export function drawReferenceRows(
  rows: number,
  { featureOrder, features }: { featureOrder: readonly string[]; features: Distributions },
): FeatureMatrix {
  const columns = featureOrder.length;
  const random = createSeededRandom(1);
  const data = new Float32Array(rows * columns);
  featureOrder.forEach((name, column) => {
    const known = features[name];
    for (let row = 0; row < rows; row++) {
      data[row * columns + column] =
        known === undefined ? random.uniform() : drawValue(known, random.uniform(), random.uniform());
    }
  });
  return { data, rows, columns };
}

/** A value of the bin that `share` falls into. The outer bins are as wide as their neighbours. */
function drawValue({ bounds, shares }: Distributions[string], share: number, place: number): number {
  let bin = 0;
  for (let sum = shares[0] ?? 0; sum <= share && bin < bounds.length; sum += shares[bin] ?? 0) bin++;
  const first = bounds[0] ?? 0;
  const last = bounds.at(-1) ?? 0;
  const width = bounds.length > 1 ? (last - first) / (bounds.length - 1) : 1;
  // The lowest bin has its values at its bound as a rule: most features have a least value that many rows share.
  const low = bin === 0 ? first : bounds[bin - 1]!;
  const high = bin === 0 ? first : (bounds[bin] ?? last + width);
  return low + place * (high - low);
}

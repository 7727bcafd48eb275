import type { NamedFeatures } from './feature-groups.js';
import { type RankerOptions, trainRanker, type TrainedRanker } from './train-ranker.js';
import type { LabelledQuery } from './training-rows.js';

/**
 * The ranker as it would be without a group of features: trained again on the same rows, with the objective that was
 * chosen with them, so that nothing but the features differs.
 *
 * @throws ShortlistError TRAINING_FAILED when no feature is left
 */
export async function ablateRanker(
  ranker: TrainedRanker,
  group: NamedFeatures,
  options: RankerOptions & { labelled: readonly LabelledQuery[] },
): Promise<TrainedRanker> {
  const { labelled, config, scenario, progress } = options;
  const left = [...ranker.featureOrder.keys()].filter(
    (column) => !group.features.includes(ranker.featureOrder[column]!),
  );
  return trainRanker(
    labelled.map((query) => keepColumns(query, left, ranker.featureOrder.length)),
    left.map((column) => ranker.featureOrder[column]!),
    {
      config: { ...config, ranker: { ...config.ranker, objectives: [ranker.ensemble.objective] } },
      scenario,
      progress: {
        start: (label, total) => progress.start(`without ${group.name}: ${label}`, total),
      },
    },
  );
}

function keepColumns(query: LabelledQuery, columns: readonly number[], width: number): LabelledQuery {
  const data = new Float32Array(query.labels.length * columns.length);
  for (let row = 0, at = 0; row < query.labels.length; row++) {
    for (const column of columns) data[at++] = query.data[row * width + column]!;
  }
  return { ...query, data };
}

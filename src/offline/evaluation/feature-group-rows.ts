import type { EvaluationResult } from './evaluation-result.js';
import { formatCount, formatDifference, formatEstimate, formatShare } from '../report/figure-format.js';

/**
 * The share of each feature group in the ranker, as the rows of a table, the head first: its share of the
 * gain, and after an ablation what the two-stage ranking is worth without it.
 */
export function listFeatureGroupRows({ ranker, ablation, k }: EvaluationResult): string[][] {
  const total = ranker.featureImportance.reduce((sum, { gain }) => sum + gain, 0);
  const importances = ranker.featureGroups.map(({ group, features, gain }) => [
    group,
    formatCount(features),
    formatShare(gain / Math.max(total, Number.MIN_VALUE)),
  ]);
  const head = ['feature group', 'features', 'share of gain'];
  if (ablation === undefined) return [head, ...importances];
  const judged = new Map(
    ablation.map(({ group, ndcg, difference, low, high }) => [
      group,
      [
        formatEstimate(ndcg),
        formatDifference(difference),
        `${formatDifference(low)} to ${formatDifference(high)}`,
      ],
    ]),
  );
  return [
    [...head, `nDCG@${k} without it ± se`, 'difference', '95 % interval'],
    ...importances.map((row) => [...row, ...judged.get(row[0]!)!]),
  ];
}

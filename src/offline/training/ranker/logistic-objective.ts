import { ShortlistError } from '../../../domain/errors.js';
import type { BoostingObjective } from './boosting-objective.js';
import { gainOf } from './grouped-ndcg.js';
import type { RankingRows } from './ranking-rows.js';

/**
 * Log-loss of "is this row relevant" (Friedman 2001), a label above 0 meaning yes. A row counts by its weight, times the gain of
 * its label, 2^label − 1, where it is relevant. Starts from the log-odds of all rows, each by its weight.
 * @throws ShortlistError TRAINING_FAILED when all rows are relevant or none is
 */
export function createLogisticObjective({
  labels,
  weights: given,
}: Pick<RankingRows, 'labels' | 'weights'>): BoostingObjective {
  const targets = Uint8Array.from(labels, (label) => (label > 0 ? 1 : 0));
  const positives = targets.reduce((sum, target) => sum + target, 0);
  const negatives = targets.length - positives;
  if (positives === 0 || negatives === 0) {
    throw new ShortlistError(
      'TRAINING_FAILED',
      `Of ${targets.length} training rows ${positives} are relevant: the ranker needs both kinds to tell them apart.`,
    );
  }
  const weightOf = (row: number): number => given?.[row] ?? 1;
  const weights = Float64Array.from(labels, (label, row) => (label > 0 ? gainOf(label) : 1) * weightOf(row));
  let [relevant, others] = [0, 0];
  targets.forEach((target, row) => {
    if (target === 1) relevant += weightOf(row);
    else others += weightOf(row);
  });
  return {
    baseScore: Math.log(relevant / others),
    computeDerivatives: (scores, { gradients, hessians }) => {
      for (let row = 0; row < targets.length; row++) {
        const probability = 1 / (1 + Math.exp(-scores[row]!));
        gradients[row] = weights[row]! * (probability - targets[row]!);
        hessians[row] = weights[row]! * probability * (1 - probability);
      }
    },
  };
}

import { ShortlistError } from '../../../domain/errors.js';
import type { BoostingObjective } from './boosting-objective.js';
import { gainOf } from './grouped-ndcg.js';

/**
 * Log-loss of "is this row relevant" (Friedman 2001), a label above 0 meaning yes and its gain, 2^label − 1, being its
 * weight; starts from the log-odds of all rows.
 * @throws ShortlistError TRAINING_FAILED when all rows are relevant or none is
 */
export function createLogisticObjective(labels: Float32Array): BoostingObjective {
  const targets = Uint8Array.from(labels, (label) => (label > 0 ? 1 : 0));
  const positives = targets.reduce((sum, target) => sum + target, 0);
  const negatives = targets.length - positives;
  if (positives === 0 || negatives === 0) {
    throw new ShortlistError(
      'TRAINING_FAILED',
      `Of ${targets.length} training rows ${positives} are relevant: the ranker needs both kinds to tell them apart.`,
    );
  }
  const weights = Float64Array.from(labels, (label) => (label > 0 ? gainOf(label) : 1));
  return {
    baseScore: Math.log(positives / negatives),
    computeDerivatives: (scores, { gradients, hessians }) => {
      for (let row = 0; row < targets.length; row++) {
        const probability = 1 / (1 + Math.exp(-scores[row]!));
        gradients[row] = weights[row]! * (probability - targets[row]!);
        hessians[row] = weights[row]! * probability * (1 - probability);
      }
    },
  };
}

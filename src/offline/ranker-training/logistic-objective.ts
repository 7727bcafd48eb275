import { ShortlistError } from '../../domain/errors.js';
import type { BoostingObjective } from './boosting-objective.js';

/**
 * Log-loss of "is this row relevant" (Friedman 2001), a label above 0 meaning yes; starts from the log-odds of all rows.
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
  return {
    baseScore: Math.log(positives / negatives),
    computeDerivatives: (scores, { gradients, hessians }) => {
      for (let row = 0; row < targets.length; row++) {
        const probability = 1 / (1 + Math.exp(-scores[row]!));
        gradients[row] = probability - targets[row]!;
        hessians[row] = probability * (1 - probability);
      }
    },
  };
}

import type { Derivatives } from './histogram-kernel.js';

/** A loss that boosting lowers. */
export interface BoostingObjective {
  /** The margin that every row starts from. */
  readonly baseScore: number;
  /** Overwrites the derivatives of the loss at these margins. */
  computeDerivatives(scores: Float64Array, derivatives: Derivatives): void;
}

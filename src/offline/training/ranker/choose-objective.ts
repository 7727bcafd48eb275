import { estimateMean } from '../../protocol/mean-estimate.js';
import type { RankingObjective } from './boosting-options.js';
import { createGroupedNdcg } from './grouped-ndcg.js';
import type { RankingRows } from './ranking-rows.js';
import { predictEnsemble, type TreeEnsemble } from './tree-ensemble.js';

/** Figures of the trees of one objective on the held-out users. */
export interface ObjectiveFigures {
  readonly objective: RankingObjective;
  /** Trees kept. */
  readonly trees: number;
  /** nDCG@10 over the held-out queries. */
  readonly ndcg: { readonly mean: number; readonly standardError: number };
}

/** The ensemble that is kept, and those that it was chosen from. */
export interface ObjectiveChoice {
  readonly ensemble: TreeEnsemble;
  readonly objectives: readonly ObjectiveFigures[];
  /** Another objective was better by less than a standard error, or worse by less. */
  readonly isTossUp: boolean;
}

/** k of the nDCG@k by which objectives are told apart: that of early stopping. */
const CUTOFF = 10;

/**
 * Chooses the ensemble that orders the candidates of the held-out users best. An objective takes the place of an earlier one when it is better by more
 * than the standard error of the difference, paired by query: otherwise chance would choose, and the choice would change from one training to the next.
 * @param ensembles one per objective, the preferred one first
 */
export function chooseObjective(
  ensembles: readonly TreeEnsemble[],
  validation: RankingRows,
): ObjectiveChoice {
  const ndcg = createGroupedNdcg(validation, CUTOFF);
  const judged = ensembles.map((ensemble) => ({
    ensemble,
    each: ndcg.computeEach(Float64Array.from(predictEnsemble(ensemble, validation.matrix))),
  }));
  const best = judged.reduce((kept, next) => {
    const { mean, standardError } = compare(next.each, kept.each);
    return mean > standardError ? next : kept;
  });
  return {
    ensemble: best.ensemble,
    objectives: judged.map(({ ensemble, each }) => ({
      objective: ensemble.objective,
      trees: ensemble.trees.length,
      ndcg: estimateMean(each),
    })),
    isTossUp: judged.some((other) => other !== best && isCloseTo(compare(other.each, best.each))),
  };
}

function compare(a: Float64Array, b: Float64Array): { mean: number; standardError: number } {
  return estimateMean(a.map((figure, query) => figure - b[query]!));
}

function isCloseTo({ mean, standardError }: { mean: number; standardError: number }): boolean {
  return Math.abs(mean) <= standardError;
}

import { judgeSlate } from '../../protocol/ranking-metrics.js';
import type { ProgressStep } from '../../progress/progress.js';
import { predictEnsemble, type TreeEnsemble } from '../ranker/tree-ensemble.js';
import { type RankerOptions, trainEnsemble } from '../ranker/train-ranker.js';
import type { LabelledQuery } from '../ranker/training-rows.js';
import { FOLDS, type Judgement } from './judgement.js';
import type { JudgedQuery, TrialRows } from './trial-rows.js';

/**
 * The worth of a recipe's lists: nDCG@k of each judged query as `evaluate` defines it, over all that there
 * was to find, so that candidates that were not found count against it. Each is answered by a ranker that was
 * trained, stopped and chosen among its objectives on other users.
 * @param options.step advanced by each tree
 * @returns one figure per query of `rows.judged`
 * @throws ShortlistError TRAINING_FAILED when a fold leaves nothing to learn from
 */
export async function judgeTrial(
  rows: TrialRows,
  options: Omit<RankerOptions, 'progress'> & { judgement: Judgement; step: ProgressStep },
): Promise<Float64Array> {
  const { config, scenario, step } = options;
  const { foldOf } = options.judgement;
  const progress = { start: () => ({ advance: () => step.advance(), finish: () => undefined }) };
  const figures = new Float64Array(rows.judged.length);
  for (let fold = 0; fold < FOLDS; fold++) {
    const others = rows.training.filter(({ user }) => foldOf.get(user) !== fold);
    const { ensemble } = await trainEnsemble(others, rows.columns, { config, scenario, progress });
    rows.judged.forEach((query, index) => {
      if (foldOf.get(query.user) === fold) figures[index] = judgeQuery(query, ensemble, config.evaluation.k);
    });
  }
  return figures;
}

function judgeQuery(query: JudgedQuery, ensemble: TreeEnsemble, k: number): number {
  if (query.candidates === undefined) return 0;
  return judgeSlate(query, rankCandidates(query.candidates, ensemble).subarray(0, k), k).ndcg;
}

/** Best first; equal scores by item index, as they are served. */
function rankCandidates({ items, data, labels }: LabelledQuery, ensemble: TreeEnsemble): Int32Array {
  const scores = predictEnsemble(ensemble, { data, rows: labels.length, columns: ensemble.columns });
  const rows = [...items.keys()].sort((a, b) => scores[b]! - scores[a]! || items[a]! - items[b]!);
  return Int32Array.from(rows, (row) => items[row]!);
}

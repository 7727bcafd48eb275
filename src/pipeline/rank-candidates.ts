import type { CandidateSet } from '../domain/candidate.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';
import type { Engine } from './engine.js';
import type { StageRun } from './run-stage.js';

/** The ranking scores of all candidates, and the features they came from when they came from features. */
export interface RankedCandidates {
  /** One per candidate, in candidate order. */
  readonly scores: Float32Array;
  readonly matrix?: FeatureMatrix;
}

/** Stage 2: the ranker scores the candidates by their features. Without features, or when it fails, they have the order of fusion. */
export async function rankCandidates(
  candidates: CandidateSet,
  matrix: FeatureMatrix | undefined,
  { engine, run }: { engine: Engine; run: StageRun },
): Promise<RankedCandidates> {
  if (matrix === undefined) return orderByFusion(candidates);
  return run.stage(
    'ranking',
    async () => ({ scores: await engine.ranker.rank(matrix), matrix }),
    () => orderByFusion(candidates),
  );
}

/** The order that needs no ranker: fusion, or what a single source thinks itself, whose scores say more. */
export function orderByFusion({ fusionScores, retrievals, items, ranks }: CandidateSet): RankedCandidates {
  const [only, ...others] = retrievals;
  if (others.length > 0) return { scores: fusionScores };
  // An item that the request named may be in no list.
  const scores = Float32Array.from(items, (item, row) =>
    ranks[row] === 0 ? only!.scoreOf(item) : only!.scores[ranks[row]! - 1]!,
  );
  return { scores };
}

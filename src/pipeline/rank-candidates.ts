import type { CandidateSet } from '../domain/candidate.js';
import type { ContextValues } from '../domain/context.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';
import type { GatherOptions } from '../features/gather-rows.js';
import type { Engine } from './engine.js';
import { createUnknownUser, type UserReading } from './read-user-rows.js';
import type { StageRun } from './run-stage.js';
import type { Subject } from './subject.js';

/** The ranking scores of all candidates, and the features they came from when they came from features. */
export interface RankedCandidates {
  /** One per candidate, in candidate order. */
  readonly scores: Float32Array;
  readonly matrix?: FeatureMatrix;
}

/**
 * Stage 2: hydrates the candidates' features and lets the ranker score them. Where a feature store fails the user has the
 * declared defaults, and the order is that of fusion when the ranker does.
 */
export async function rankCandidates(
  candidates: CandidateSet,
  engine: Engine,
  options: { subject: Subject; reading: UserReading; context: ContextValues; run: StageRun },
): Promise<RankedCandidates> {
  const { subject, context, run } = options;
  const { history } = subject;
  let user = createUnknownUser(engine);
  const assemble = (reading: GatherOptions): FeatureMatrix =>
    engine.assembler.assemble({
      candidates,
      history,
      userRows: user.rows,
      now: engine.knownUntil,
      context,
      reading,
    });
  const matrix = await run.stage(
    'features',
    async () => {
      const reading = options.reading.rows();
      user = reading instanceof Promise ? await reading : reading;
      if (user.failure !== undefined) throw user.failure;
      return assemble({ now: engine.clock() });
    },
    () => assemble({ now: engine.clock(), tolerant: true }),
  );
  return run.stage(
    'ranking',
    async () => ({ scores: await engine.ranker.rank(matrix), matrix }),
    () => orderByFusion(candidates),
  );
}

/** The order that needs no ranker: fusion, or what a single source thinks itself, whose scores say more. */
export function orderByFusion({ fusionScores, retrievals, items }: CandidateSet): RankedCandidates {
  const [only, ...others] = retrievals;
  const scores = others.length === 0 ? only!.scores.subarray(0, items.length) : fusionScores;
  return { scores };
}

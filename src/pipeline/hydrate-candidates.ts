import type { CandidateSet } from '../domain/candidate.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';
import type { CandidateEngine } from './engine.js';
import type { Query } from './hydrate-query.js';
import { createUnknownUser, type UserReading, type UserRows } from './read-user-rows.js';
import type { StageRun } from './run-stage.js';

/**
 * The features of the candidates, where the scenario has a ranker that reads them. Where a feature store fails, the user has the declared
 * defaults.
 */
export async function hydrateCandidates(
  candidates: CandidateSet,
  query: Query,
  { engine, user, run }: { engine: CandidateEngine; user: UserReading; run: StageRun },
): Promise<FeatureMatrix | undefined> {
  if (query.scenario.ranker === 'fusion') return undefined;
  let rows = createUnknownUser(engine);
  return run.stage(
    'features',
    async () => {
      const reading = user.rows();
      rows = reading instanceof Promise ? await reading : reading;
      if (rows.failure !== undefined) throw rows.failure;
      return assembleFeatures(candidates, query, { engine, rows, tolerant: false });
    },
    () => assembleFeatures(candidates, query, { engine, rows, tolerant: true }),
  );
}

/**
 * The matrix that the ranker reads, in serving and in training.
 * @param options.tolerant gives a stale value its default in place of an error
 */
export function assembleFeatures(
  candidates: CandidateSet,
  { history, typed, context }: Query,
  { engine, rows, tolerant }: { engine: CandidateEngine; rows: UserRows; tolerant: boolean },
): FeatureMatrix {
  return engine.assembler.assemble({
    candidates,
    history,
    typed,
    userRows: rows.rows,
    now: engine.knownUntil,
    context,
    reading: { now: engine.clock(), tolerant },
  });
}

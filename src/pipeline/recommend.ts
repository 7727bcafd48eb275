import { arrange } from './arrange.js';
import { describeRecommendation } from './describe-recommendation.js';
import type { Engine } from './engine.js';
import type { Execution } from './execution.js';
import { hydrateCandidates } from './hydrate-candidates.js';
import { hydrateQuery } from './hydrate-query.js';
import { rankCandidates } from './rank-candidates.js';
import { createUserReading } from './read-user-rows.js';
import type { Recommendation, RecommendationRequest } from './recommendation-request.js';
import { retrieveCandidates } from './retrieve-candidates.js';
import { createStageRun } from './run-stage.js';
import type { StageResults } from './stage-results.js';

/**
 * Answers one request: hydrate the query → retrieve candidates → hydrate their features → rank → arrange, then describe. This is all that the
 * product does; `serve`, `evaluate` and the tests run this very function.
 *
 * @throws ShortlistError as `hydrateQuery` does; SOURCE_FAILED when every source failed
 */
export async function recommend(
  request: RecommendationRequest,
  engine: Engine,
  execution: Execution = {},
): Promise<Recommendation> {
  const results = await takeStages(request, engine, execution);
  const recommendation = describeRecommendation(results, { request, execution, engine });
  // A source that is late may still read it; nobody waits for its answer.
  engine.masks?.giveBack(results.query.eligible);
  return recommendation;
}

/** What each stage gave to one request: `recommend` describes it as an answer, an inspection says how it came about. */
export async function takeStages(
  request: RecommendationRequest,
  engine: Engine,
  execution: Execution,
): Promise<StageResults> {
  const run = createStageRun({ history: execution.prefetched?.liveFailure });
  const query = await run.stage('rules', () => hydrateQuery(request, engine, execution));
  const user = createUserReading(query.subject, engine, execution.prefetched?.userRows);

  const candidates = await retrieveCandidates(query, engine, { user, run, ...execution });
  const features = await hydrateCandidates(candidates, query, { engine, user, run });
  const ranked = await rankCandidates(candidates, features, { engine, run });
  const selection = arrange(ranked.scores, candidates, { query, reasons: request.explain === 'reasons' });

  return { query, candidates, ranked, selection, run };
}

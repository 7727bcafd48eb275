import { checkFilters } from '../rules/filter-attributes.js';
import { findEligibleItems } from '../rules/rules.js';
import { chooseScenario, findScenario } from './choose-scenario.js';
import type { Engine } from './engine.js';
import { orderByFusion, rankCandidates } from './rank-candidates.js';
import type { Recommendation, RecommendationRequest } from './recommendation-request.js';
import { createUserReading } from './read-user-rows.js';
import { retrieveCandidates } from './retrieve-candidates.js';
import { createStageRun } from './run-stage.js';
import { sampleRanking } from './sample-ranking.js';
import { buildSlateItems } from './slate-items.js';
import { findKnownItems, findSubject } from './subject.js';
import { takeFeatures } from './take-features.js';

/**
 * Answers one request: rules → candidates → features → ranking → slate. This is all that the product does; `serve`,
 * `evaluate` and the tests run this very function.
 *
 * @throws ShortlistError UNKNOWN_SCENARIO, UNKNOWN_ATTRIBUTE, UNKNOWN_CONTEXT, INVALID_REQUEST for a context of another type,
 * ITEM_NOT_FOUND; SOURCE_FAILED when every source failed
 */
export async function recommend(request: RecommendationRequest, engine: Engine): Promise<Recommendation> {
  const { depth = 1 } = request;
  const asked = findScenario(request.scenario, engine);
  checkFilters(request.filters, engine.catalogue);
  const context = engine.readContext(request.context ?? [], engine.clock());
  const run = createStageRun();

  const subject = findSubject(request.basis, engine);
  const scenario = chooseScenario(asked, subject, engine);
  const eligible = await run.stage('rules', () =>
    findEligibleItems(scenario.rules, {
      catalogue: engine.catalogue,
      history: subject.history,
      excluded: findKnownItems(request.exclude, engine),
      filters: request.filters,
    }),
  );
  const reading = createUserReading(
    subject.kind === 'user' ? subject.id : undefined,
    engine,
    request.broughtRows,
  );
  const query = {
    userId: subject.id,
    userIndex: subject.userIndex,
    history: subject.history,
    eligible,
    limit: request.limit,
    readUserValues: reading.values,
    answerBy: request.answerBy,
  };
  const candidates = await retrieveCandidates(query, engine, { scenario, depth, run });
  const ranked =
    scenario.ranker === 'fusion'
      ? orderByFusion(candidates)
      : await rankCandidates(candidates, engine, { subject, reading, context, run });

  return {
    slate: {
      scenario: request.scenario,
      bundle: engine.manifest.version,
      strategy: subject.history.items.length > 0 ? 'personalised' : 'cold-start',
      degraded: run.degraded,
      items: buildSlateItems(ranked, { candidates, request, engine }),
    },
    stages: run.records,
    candidateCount: candidates.items.length,
    ...(depth < 1 && { depth }),
    ...(request.sampleRanking === true && { sample: sampleRanking(ranked) }),
    ...(request.logFeatures === true && { features: takeFeatures(ranked, { request, engine, scenario }) }),
    candidates,
  };
}

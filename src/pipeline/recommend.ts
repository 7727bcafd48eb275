import type { ScenarioConfig } from '../config/scenario-config.js';
import { ShortlistError } from '../domain/errors.js';
import { checkFilters } from '../rules/filter-attributes.js';
import { findEligibleItems } from '../rules/rules.js';
import type { Engine } from './engine.js';
import { orderByFusion, rankCandidates } from './rank-candidates.js';
import type { Recommendation, RecommendationRequest } from './recommendation-request.js';
import { retrieveCandidates } from './retrieve-candidates.js';
import { createStageRun } from './run-stage.js';
import { buildSlateItems } from './slate-items.js';
import { findSubject, type Subject } from './subject.js';

/**
 * Answers one request: rules → candidates → features → ranking → slate. This is all that the product does; `serve`,
 * `evaluate` and the tests run this very function.
 *
 * @throws ShortlistError UNKNOWN_SCENARIO, UNKNOWN_ATTRIBUTE, UNKNOWN_CONTEXT, INVALID_REQUEST for a context of another type,
 * ITEM_NOT_FOUND; SOURCE_FAILED when every source failed
 */
export async function recommend(request: RecommendationRequest, engine: Engine): Promise<Recommendation> {
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
  const query = {
    userId: subject.id,
    userIndex: subject.userIndex,
    history: subject.history,
    eligible,
    limit: request.limit,
  };
  const candidates = await retrieveCandidates(query, engine, { scenario, run });
  const ranked =
    scenario.ranker === 'fusion'
      ? orderByFusion(candidates)
      : await rankCandidates(candidates, engine, { subject, context, run });

  return {
    slate: {
      scenario: request.scenario,
      bundle: engine.manifest.version,
      strategy: subject.history.items.length > 0 ? 'personalised' : 'cold-start',
      degraded: run.degraded,
      items: buildSlateItems(ranked, { candidates, request, engine }),
    },
    stages: run.records,
    candidates,
  };
}

function findScenario(name: string, engine: Engine): ScenarioConfig {
  const scenario = engine.scenarios.get(name);
  if (scenario !== undefined) return scenario;
  const known = [...engine.scenarios.keys()].join(', ');
  throw new ShortlistError('UNKNOWN_SCENARIO', `There is no scenario '${name}'. Scenarios: ${known}.`);
}

/** With nothing known of the subject, the scenario that was written for that. */
function chooseScenario(asked: ScenarioConfig, subject: Subject, engine: Engine): ScenarioConfig {
  if (subject.history.items.length > 0 || asked.coldStart === undefined) return asked;
  return engine.scenarios.get(asked.coldStart)!;
}

function findKnownItems(ids: readonly string[], engine: Engine): Int32Array {
  return Int32Array.from(ids.map((id) => engine.catalogue.entities.find(id)).filter((item) => item >= 0));
}

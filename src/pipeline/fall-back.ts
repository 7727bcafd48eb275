import { mergeRetrievals } from '../candidates/merge-candidates.js';
import type { ShortlistError } from '../domain/errors.js';
import { findEligibleItems } from '../rules/rules.js';
import { chooseScenario, findScenario } from './choose-scenario.js';
import type { FallbackEngine } from './engine.js';
import { orderByFusion } from './rank-candidates.js';
import type { RecommendationRecord, RecommendationRequest } from './recommendation-request.js';
import { buildSlateItems } from './slate-items.js';
import { findKnownItems, findSubject } from './subject.js';

/** The source that answers when nothing else does: its order is made when a bundle is opened. */
export const LAST_RESORT = 'popular';

/**
 * What most people chose, under the rules of the scenario: the answer to a request whose pipeline failed as a whole.
 * @param cause is named in `degraded`, by its reason where it has one, else by its code
 * @throws `cause`, when the bundle has no popular items
 */
export async function fallBack(
  request: RecommendationRequest,
  engine: FallbackEngine,
  cause: ShortlistError & { readonly reason?: string },
): Promise<RecommendationRecord> {
  const source = engine.sources.get(LAST_RESORT);
  if (source === undefined) throw cause;
  const started = performance.now();
  const subject = findSubject(request.basis, engine);
  const { rules } = chooseScenario(findScenario(request.scenario, engine), subject, engine);
  const { history } = subject;
  const eligible = findEligibleItems(rules, {
    catalogue: engine.catalogue,
    history,
    excluded: findKnownItems(request.exclude, engine),
    filters: request.filters,
  });
  const { limit } = request;
  const retrieval = await source.retrieve({ userId: subject.id, history, eligible, limit });
  const candidates = mergeRetrievals([retrieval], { limit });
  return {
    slate: {
      scenario: request.scenario,
      bundle: engine.manifest.version,
      strategy: 'cold-start',
      degraded: [{ stage: 'pipeline', reason: cause.reason ?? cause.code.toLowerCase() }],
      items: buildSlateItems(orderByFusion(candidates), { candidates, request, engine }),
    },
    stages: [{ stage: 'pipeline', milliseconds: performance.now() - started, outcome: 'fallback', cause }],
    candidateCount: candidates.items.length,
  };
}

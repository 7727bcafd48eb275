import { packError } from '../domain/packed-error.js';
import type { FeatureStore } from '../features/feature-store.js';
import { chooseScenario, findScenario } from '../pipeline/choose-scenario.js';
import type { FallbackEngine } from '../pipeline/engine.js';
import { readUserRows, type UserRows } from '../pipeline/read-user-rows.js';
import type { RecommendationRequest } from '../pipeline/recommendation-request.js';
import { findSubject } from '../pipeline/subject.js';

/**
 * The request with what stores outside of the process have of its user, when anything may read that: a thread that computes
 * does not wait for a network. A request that has them already stays as it is.
 * @throws ShortlistError UNKNOWN_SCENARIO, ITEM_NOT_FOUND
 */
export function bringUserRows(
  request: RecommendationRequest,
  engine: FallbackEngine,
  online: readonly FeatureStore[],
): RecommendationRequest | Promise<RecommendationRequest> {
  if (online.length === 0 || request.basis.kind !== 'user' || request.broughtRows !== undefined)
    return request;
  const scenario = chooseScenario(
    findScenario(request.scenario, engine),
    findSubject(request.basis, engine),
    engine,
  );
  if (scenario.ranker === 'fusion' && scenario.basis === 'nobody') return request;
  const readAt = engine.clock();
  const reading = readUserRows(request.basis.userId, {
    userStores: online,
    clock: () => readAt,
    observer: engine.observer,
  });
  const bring = ({ rows, failure, failedViews }: UserRows): RecommendationRequest => ({
    ...request,
    broughtRows: {
      rows: new Map(online.map(({ view }, index) => [view.name, rows[index]!])),
      readAt,
      ...(failure !== undefined && { failure: packError(failure) }),
      ...(failedViews !== undefined && { failedViews }),
    },
  });
  return reading instanceof Promise ? reading.then(bring) : bring(reading);
}

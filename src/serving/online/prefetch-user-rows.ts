import { packError } from '../../domain/packed-error.js';
import type { FeatureStore } from '../../features/feature-store.js';
import { chooseScenario, findScenario } from '../../pipeline/choose-scenario.js';
import type { FallbackEngine } from '../../pipeline/engine.js';
import type { Prefetched } from '../../pipeline/execution.js';
import { findHistory } from '../../pipeline/hydrate-query.js';
import { readUserRows, type UserRows } from '../../pipeline/read-user-rows.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';

/**
 * Reads the user's rows from stores outside of the process, when the scenario may read them: a thread that computes does not wait for a
 * network.
 * @param prefetched comes back as it is where it has rows already
 * @throws ShortlistError UNKNOWN_SCENARIO
 */
export function prefetchUserRows(
  { subject, scenario: name }: RecommendationRequest,
  prefetched: Prefetched | undefined,
  { engine, online }: { engine: FallbackEngine; online: readonly FeatureStore[] },
): Prefetched | undefined | Promise<Prefetched> {
  const { userId } = subject;
  if (online.length === 0 || userId === undefined || prefetched?.userRows !== undefined) return prefetched;
  const scenario = chooseScenario(
    findScenario(name, engine),
    prefetched?.history ?? findHistory(subject, engine),
    engine,
  );
  if (scenario.ranker === 'fusion' && scenario.basis === 'nobody') return prefetched;
  const readAt = engine.clock();
  const reading = readUserRows(userId, {
    userStores: online,
    clock: () => readAt,
    observer: engine.observer,
  });
  const add = ({ rows, failure, failedViews }: UserRows): Prefetched => ({
    ...prefetched,
    userRows: {
      rows: new Map(online.map(({ view }, index) => [view.name, rows[index]!])),
      readAt,
      ...(failure !== undefined && { failure: packError(failure) }),
      ...(failedViews !== undefined && { failedViews }),
    },
  });
  return reading instanceof Promise ? reading.then(add) : add(reading);
}

import { join } from 'node:path';
import type { Test } from 'tap';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import type { Subject } from '../../src/domain/subject.js';
import type { RecommendationRequest } from '../../src/pipeline/recommendation-request.js';
import { createServedBundle, type ServedBundleOptions } from '../../src/serving/bundle-life/served-bundle.js';
import type { Recommender, Run } from '../../src/serving/recommender.js';
import { LIVE_SCENARIOS, openEvents, requestOf } from './live-bundle.js';

/** Of a cache: hears nothing. */
export const QUIET = { lookedUp: ignore, joined: ignore, notKept: ignore, sized: ignore };
function ignore(): void {}

/** Computes in one thread. */
export const THREADS = { threads: { workers: 1, maxBatch: 16, maxWaiting: 100, minDepth: 1 } };

/** A service over the bundle of a registry and a folder of events, and what it says to requests. */
export async function beginLive(
  t: Test,
  {
    models,
    folder = join(t.testdir(), 'events'),
    ...options
  }: Partial<ServedBundleOptions> & { models: string; folder?: string },
) {
  const { store, liveHistories } = await openEvents(t, folder);
  const service = createServedBundle({
    registry: createFolderRegistry(models),
    channel: 'staging',
    scenarios: LIVE_SCENARIOS,
    liveHistories,
    ...options,
  });
  await service.reload();
  t.teardown(() => service.close());
  return { folder, store, liveHistories, service, ask: asker(service) };
}

/** What an answer says. */
export function asker(recommender: Recommender) {
  return async (subject: Subject, changes: Partial<RecommendationRequest> = {}, run: Run = {}) => {
    const { facts, cache } = await recommender.recommend(requestOf(subject, changes), run);
    return { ...facts, cache };
  };
}

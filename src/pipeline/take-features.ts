import { hash } from 'node:crypto';
import type { ScenarioConfig } from '../config/scenario-config.js';
import { selectTopK } from '../domain/top-k.js';
import type { Engine } from './engine.js';
import type { OnlineRows, ShownFeatures } from './feature-record.js';
import type { RankedCandidates } from './rank-candidates.js';
import type { RecommendationRequest } from './recommendation-request.js';

/** The rows of the matrix that the slate shows, best first; undefined where no ranker scored them. */
export function takeFeatures(
  { matrix, scores }: RankedCandidates,
  options: { request: RecommendationRequest; engine: Engine; scenario: ScenarioConfig },
): ShownFeatures | undefined {
  if (matrix === undefined) return undefined;
  const { request, engine, scenario } = options;
  const { items: rows } = selectTopK(scores, { limit: request.limit });
  const { data, columns } = matrix;
  const values = new Float32Array(rows.length * columns);
  rows.forEach((row, at) => values.set(data.subarray(row * columns, (row + 1) * columns), at * columns));
  const online = findOnline(request, engine.clock());
  return {
    values,
    featuresHash: engine.manifest.ranker.featureOrderHash,
    scenarioHash: hashScenario(scenario),
    now: engine.clock(),
    ...(online !== undefined && { online }),
  };
}

/** Names what a scenario says. */
export function hashScenario(scenario: ScenarioConfig): string {
  return hash('sha256', JSON.stringify(scenario), 'hex').slice(0, 16);
}

function findOnline({ broughtRows }: RecommendationRequest, now: number): OnlineRows | undefined {
  if (broughtRows === undefined) return undefined;
  const { rows, readAt = now } = broughtRows;
  return {
    readAt,
    statuses: Object.fromEntries(Array.from(rows, ([view, { statuses }]) => [view, [...statuses]])),
  };
}

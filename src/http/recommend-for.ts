import type { FastifyRequest } from 'fastify';
import type { RecommendationRequest } from '../pipeline/recommendation-request.js';
import type { Slate } from '../domain/slate.js';
import type { AppParts } from './app-parts.js';

/** Asks the service and keeps what came about for the log line and the metrics. */
export async function recommendFor(
  request: FastifyRequest,
  asked: RecommendationRequest,
  { service, metrics }: AppParts,
): Promise<Slate> {
  const recommendation = await service.recommend(asked);
  const { slate, stages, candidateCount } = recommendation;
  request.recommendation = recommendation;
  metrics.observeRecommendation({
    scenario: slate.scenario,
    strategy: slate.strategy,
    limit: asked.limit,
    itemCount: slate.items.length,
    candidateCount,
    degraded: slate.degraded,
    stages,
  });
  return slate;
}

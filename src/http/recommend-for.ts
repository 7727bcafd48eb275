import type { FastifyRequest } from 'fastify';
import type { RecommendationRequest } from '../pipeline/recommendation-request.js';
import type { Slate } from '../domain/slate.js';
import type { AppParts } from './app-parts.js';
import { TIMEOUT_HEADER } from './schemas/parameters.js';

/** Asks the service and keeps what came about for the log line and the metrics. */
export async function recommendFor(
  request: FastifyRequest,
  asked: RecommendationRequest,
  { service, metrics }: AppParts,
): Promise<Slate> {
  const recommendation = await service.recommend(asked, { timeoutMs: findTimeout(request) });
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

/** Milliseconds that the client waits, when it says so: the schema has checked that it is a number. */
function findTimeout({ headers }: FastifyRequest): number | undefined {
  const timeout = headers[TIMEOUT_HEADER];
  return timeout === undefined ? undefined : Number(timeout);
}

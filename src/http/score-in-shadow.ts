import type { FastifyRequest } from 'fastify';
import type { RecommendationRecord, RecommendationRequest } from '../pipeline/recommendation-request.js';
import type { Shadow } from '../serving/experiments/shadow.js';
import type { SlateAnswer } from '../serving/cache/slate-cache.js';
import type { ListenerParts } from './app-parts.js';
import { logShadow } from './log-impression.js';

/**
 * Has a request that is answered scored in shadow, for the metrics and the impression log. Only what the stable bundle computed for it: a
 * kept answer was compared when it was made, and what a canary answered has no stable slate to be compared with.
 */
export function scoreInShadow(
  shadow: Shadow,
  { id, asked, slateAnswer }: FastifyRequest,
  { metrics, impressions }: Pick<ListenerParts, 'metrics' | 'impressions'>,
): void {
  if (asked === undefined || slateAnswer === undefined || !isComputed(slateAnswer)) return;
  const isLogged = impressions?.isLogged(asked.subject, id) === true;
  const request = { ...asked, explain: 'none' } as const;
  const onScored = (record: RecommendationRecord, milliseconds: number): void => {
    metrics.recommendations.observeRecommendation(sampleOf(record, { asked, milliseconds }));
    if (isLogged) logShadow(impressions, { id, asked }, { record, milliseconds });
  };
  shadow.score(request, onScored, { attribution: isLogged });
}

function isComputed({ cache, release }: SlateAnswer): boolean {
  return release === undefined && (cache === 'miss' || cache === 'off');
}

function sampleOf(
  { slate, stages, candidateCount }: RecommendationRecord,
  { asked, milliseconds }: { asked: RecommendationRequest; milliseconds: number },
) {
  const { scenario, strategy, degraded, items } = slate;
  return {
    release: 'shadow',
    scenario,
    strategy,
    limit: asked.limit,
    itemCount: items.length,
    seconds: milliseconds / 1000,
    candidateCount,
    degraded,
    stages,
  } as const;
}

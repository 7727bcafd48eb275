import type { ImpressionLog } from '../../events/impression-log.js';
import type {
  RecommendationMetrics,
  RecommendationSample,
} from '../../observability/metrics/recommendation-metrics.js';
import type { SlateReport, RecommendationRequest } from '../../pipeline/recommendation-request.js';
import type { Shadow } from '../experiments/shadow.js';
import { type Answer, toAnswer } from '../recommender.js';
import type { AnswerListener } from './answer-listener.js';
import { toImpression } from './log-impressions.js';

/**
 * Scores answered requests in shadow, for the metrics and the impression log. Only those that the stable bundle computed: a kept answer was
 * compared when it was made, and an answer of the canary has no stable slate to be compared with.
 */
export function scoreInShadow(
  shadow: Shadow,
  { metrics, impressions }: { metrics: RecommendationMetrics; impressions: ImpressionLog | undefined },
): AnswerListener {
  return {
    sent: ({ requestId, request, answer }) => {
      if (!isComputed(answer)) return;
      const isLogged = impressions?.isLogged(request.subject, requestId) === true;
      const onScored = (record: SlateReport, milliseconds: number): void => {
        metrics.observeRecommendation(sampleOf(record, { request, milliseconds }));
        if (!isLogged) return;
        const asked = { requestId, request, release: 'shadow', milliseconds } as const;
        impressions.write(toImpression(toAnswer(record, 'off'), asked));
      };
      shadow.score({ ...request, explain: 'none' }, onScored, { attribution: isLogged });
    },
    settle: () => shadow.settle(),
  };
}

function isComputed({ cache, release }: Answer): boolean {
  return release === undefined && (cache === 'miss' || cache === 'off');
}

function sampleOf(
  { slate, stages, candidateCount }: SlateReport,
  { request, milliseconds }: { request: RecommendationRequest; milliseconds: number },
): RecommendationSample {
  const { scenario, strategy, degraded, items } = slate;
  return {
    release: 'shadow',
    scenario,
    strategy,
    limit: request.limit,
    itemCount: items.length,
    seconds: milliseconds / 1000,
    candidateCount,
    degraded,
    stages,
  };
}

import type { ImpressionLog } from '../../events/impression-log.js';
import type { RecommendationMetrics } from '../../observability/metrics/recommendation-metrics.js';
import type { SlateReport } from '../../pipeline/recommendation-request.js';
import type { Shadow } from '../experiments/shadow.js';
import { type Answer, toAnswer } from '../recommender.js';
import type { AnswerListener } from './answer-listener.js';
import { toSample } from './count-answers.js';
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
      const onScored = (report: SlateReport, milliseconds: number): void => {
        const scored = {
          requestId,
          request,
          answer: { ...toAnswer(report, 'off'), release: 'shadow' },
        } as const;
        metrics.observeRecommendation(toSample(scored, milliseconds));
        if (isLogged) impressions.write(toImpression(scored, milliseconds));
      };
      shadow.score({ ...request, explain: 'none' }, onScored, { attribution: isLogged });
    },
    settle: () => shadow.settle(),
  };
}

function isComputed({ cache, release }: Answer): boolean {
  return release === undefined && (cache === 'miss' || cache === 'off');
}

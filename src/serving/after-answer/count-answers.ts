import type {
  RecommendationMetrics,
  RecommendationSample,
} from '../../observability/metrics/recommendation-metrics.js';
import type { Answered, AnswerListener } from './answer-listener.js';

/** Counts every answer in the metrics. */
export function countAnswers(metrics: RecommendationMetrics): AnswerListener {
  return {
    answered: (answered, milliseconds) => metrics.observeRecommendation(sampleOf(answered, milliseconds)),
  };
}

/** What was computed counts once, however many it answered. */
function sampleOf(
  { request: { limit }, answer: { facts, cache, record, release } }: Answered,
  milliseconds: number,
): RecommendationSample {
  const computed = cache === 'joined' ? undefined : record;
  return {
    release: release ?? 'stable',
    scenario: facts.scenario,
    strategy: facts.strategy,
    limit,
    itemCount: facts.itemIds.length,
    seconds: computed && milliseconds / 1000,
    candidateCount: computed?.candidateCount,
    degraded: computed === undefined ? NONE : facts.degraded,
    stages: computed?.stages ?? NONE,
  };
}

const NONE: readonly never[] = [];

import type {
  RecommendationMetrics,
  RecommendationSample,
} from '../../observability/metrics/recommendation-metrics.js';
import type { Answered, AnswerListener } from './answer-listener.js';

/** Counts every answer in the metrics. */
export function countAnswers(metrics: RecommendationMetrics): AnswerListener {
  return {
    answered: (answered, milliseconds) => metrics.observeRecommendation(toSample(answered, milliseconds)),
  };
}

/** The metrics of an answer. A computation counts once, however many requests it answered. */
export function toSample(
  { request: { limit }, answer: { facts, cache, report, release } }: Answered,
  milliseconds: number,
): RecommendationSample {
  const computed = cache === 'joined' ? undefined : report;
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

import type { ExperimentRelease } from '../../domain/release.js';
import { round } from '../../domain/round.js';
import { logFieldsOf } from '../../domain/subject.js';
import type { Impression, ShownItem } from '../../events/impression.js';
import type { ImpressionLog } from '../../events/impression-log.js';
import type { RecommendationRequest } from '../../pipeline/recommendation-request.js';
import type { Answer, SlateFacts } from '../recommender.js';
import type { AnswerListener } from './answer-listener.js';

/** Logs the slates of the sampled users. */
export function logImpressions(log: ImpressionLog): AnswerListener {
  return {
    wants: ({ subject }) => ({ attribution: log.mayLog(subject) }),
    sent: ({ requestId, slateId, request, answer }, milliseconds) => {
      if (!log.isLogged(request.subject, requestId)) return;
      log.write(toImpression(answer, { requestId, slateId, request, release: answer.release, milliseconds }));
    },
    close: () => log.close(),
  };
}

/** The line of a slate that was answered, or scored in shadow. */
export function toImpression(
  { facts, cache }: Pick<Answer, 'facts' | 'cache'>,
  asked: {
    requestId: string;
    slateId?: string;
    request: RecommendationRequest;
    release: ExperimentRelease | undefined;
    milliseconds: number;
  },
): Impression {
  const { scenario, bundle, strategy, degraded } = facts;
  const { requestId, slateId, request, release, milliseconds } = asked;
  return {
    time: new Date().toISOString(),
    requestId,
    ...(slateId !== undefined && { slateId }),
    ...logFieldsOf(request.subject),
    scenario,
    bundle,
    ...(release && { release }),
    strategy,
    degraded,
    limit: request.limit,
    cache,
    milliseconds: round(milliseconds),
    items: listItems(facts),
  };
}

function listItems({ itemIds, scores, retrievedBy }: SlateFacts): ShownItem[] {
  return itemIds.map((id, index) => {
    const item = { id, position: index + 1, score: round(scores[index]!) };
    const sources = retrievedBy?.[index];
    if (sources === undefined) return item;
    return {
      ...item,
      sources: sources.map(({ name, score, rank }) => ({ name, score: round(score), rank })),
    };
  });
}

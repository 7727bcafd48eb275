import { round } from '../../domain/round.js';
import { logFieldsOf } from '../../domain/subject.js';
import type { Impression, ShownItem } from '../../events/impression.js';
import type { ImpressionLog } from '../../events/impression-log.js';
import type { SlateFacts } from '../recommender.js';
import type { Answered, AnswerListener } from './answer-listener.js';

/** Logs the slates of the sampled users. */
export function logImpressions(log: ImpressionLog): AnswerListener {
  return {
    wants: ({ subject }) => ({ attribution: log.mayLog(subject) }),
    sent: (answered, milliseconds) => {
      if (log.isLogged(answered.request.subject, answered.requestId))
        log.write(toImpression(answered, milliseconds));
    },
    close: () => log.close(),
  };
}

/** The line of a slate that was answered, or scored in shadow. */
export function toImpression(
  { requestId, slateId, request, answer }: Answered,
  milliseconds: number,
): Impression {
  const { facts, cache, release } = answer;
  const { scenario, bundle, strategy, degraded } = facts;
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

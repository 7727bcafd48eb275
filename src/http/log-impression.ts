import type { FastifyRequest } from 'fastify';
import type { SourceAttribution } from '../domain/slate.js';
import { logFieldsOf } from '../domain/subject.js';
import type { ShownItem } from '../events/impression.js';
import type { ImpressionLog } from '../events/impression-log.js';
import type { SlateReport, RecommendationRequest } from '../pipeline/recommendation-request.js';
import type { SlateAnswer } from '../serving/cache/slate-cache.js';
import { round } from './to-answered-items.js';

/** What the log has of the body of an answer. */
interface AnsweredItem {
  readonly itemId: string;
  readonly position: number;
  readonly score: number;
}

/** Logs the slate that a request was answered with, where it is one to be logged. After the answer: nobody waits for it. */
export function logImpression(
  log: ImpressionLog,
  { id, asked, slateAnswer }: FastifyRequest,
  milliseconds: number,
): void {
  if (asked === undefined || slateAnswer === undefined || !log.isLogged(asked.subject, id)) return;
  const { scenario, bundle, strategy, degraded, retrievedBy } = slateAnswer.facts;
  const { release } = slateAnswer;
  log.write({
    time: new Date().toISOString(),
    requestId: id,
    ...logFieldsOf(asked.subject),
    scenario,
    bundle,
    ...(release && { release }),
    strategy,
    degraded,
    limit: asked.limit,
    cache: slateAnswer.cache,
    milliseconds: round(milliseconds),
    items: readItems(slateAnswer).map((item, index) => toShown(item, retrievedBy?.[index])),
  });
}

/** What a request was scored to be in shadow: shown to nobody, under the id of the request whose answer it is to be compared with. */
export function logShadow(
  log: ImpressionLog,
  { id, asked }: { id: string; asked: RecommendationRequest },
  { record, milliseconds }: { record: SlateReport; milliseconds: number },
): void {
  const { scenario, bundle, strategy, degraded, items } = record.slate;
  log.write({
    time: new Date().toISOString(),
    requestId: id,
    ...logFieldsOf(asked.subject),
    scenario,
    bundle,
    release: 'shadow',
    strategy,
    degraded,
    limit: asked.limit,
    cache: 'off',
    milliseconds: round(milliseconds),
    items: items.map(({ itemId, position, score, retrievedBy }) =>
      toShown({ itemId, position, score: round(score) }, retrievedBy),
    ),
  });
}

/** Kept answers are bytes; reading those of a logged one again costs less than keeping every answer twice. */
function readItems({ body }: SlateAnswer): readonly AnsweredItem[] {
  return (JSON.parse(`{${body.toString().slice(1)}`) as { items: AnsweredItem[] }).items;
}

function toShown(
  { itemId: id, position, score }: AnsweredItem,
  sources: readonly SourceAttribution[] | undefined,
): ShownItem {
  if (sources === undefined) return { id, position, score };
  return {
    id,
    position,
    score,
    sources: sources.map(({ name, score, rank }) => ({ name, score: round(score), rank })),
  };
}

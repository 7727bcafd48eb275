import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import type { Slate } from '../domain/slate.js';
import type { RecommendationSample } from '../observability/metrics/recommendation-metrics.js';
import type { RecommendationRequest } from '../pipeline/recommendation-request.js';
import type { CacheOutcome, SlateAnswer, SlateFacts } from '../serving/cache/slate-cache.js';
import type { AppParts } from './app-parts.js';
import { TIMEOUT_HEADER } from './schemas/parameters.js';
import { referenceTo } from './schemas/schema-reference.js';

/** An answer before the request that it is sent to is known. */
export type Unsent<Answer> = Omit<Answer, 'requestId'>;

/** Answers with what the service has for a request; `describe` says it as the route does, without the request's id. */
export type SlateSender = (
  reply: FastifyReply,
  asked: RecommendationRequest,
  describe: (slate: Slate) => object,
) => FastifyReply | Promise<FastifyReply>;

/**
 * Creates what ends a route that recommends. Answers are kept as bytes: all that is made for one request is its id at the
 * front, so the schema must put `requestId` first.
 * @param schema of the route's answer, known to the app by its `$id`
 */
export function createSlateSender(
  schema: TSchema,
  { service, metrics, impressions, featureLog }: AppParts,
): SlateSender {
  const reference = referenceTo(schema);
  return (reply, asked, describe) => {
    const { request } = reply;
    const form = {
      write: (slate: Slate) => Buffer.from(`,${JSON.stringify(describe(slate)).slice(1)}`),
      isWritten: (body: Buffer, facts: SlateFacts) => {
        const answer = parseAnswer(`${beginAnswer(request)}${body.toString()}`, reference, request);
        return answer !== undefined && isAnswerTo(asked, answer, facts);
      },
    };
    const startedAt = performance.now();
    const send = (answer: SlateAnswer): FastifyReply => {
      request.slateAnswer = answer;
      const seconds = (performance.now() - startedAt) / 1000;
      metrics.recommendations.observeRecommendation(sampleOf(answer, { asked, seconds }));
      return reply
        .header('x-cache', SHOWN[answer.cache])
        .type('application/json; charset=utf-8')
        .send(Buffer.concat([Buffer.from(beginAnswer(request), 'latin1'), answer.body]));
    };
    request.asked = asked;
    const capture = {
      attribution: impressions?.mayLog(asked.subject) === true,
      features: featureLog?.isLogged(request.id) === true,
    };
    const answer = service.answer(asked, { form, timeoutMs: findTimeout(request), capture });
    return answer instanceof Promise ? answer.then(send) : send(answer);
  };
}

/** Who joins another has had nothing from the cache. */
const SHOWN: Readonly<Record<CacheOutcome, string>> = {
  hit: 'hit',
  joined: 'miss',
  miss: 'miss',
  off: 'off',
};

/** Milliseconds that the client waits, when it says so: the schemas have checked that they are numbers. */
function findTimeout({ headers, query }: FastifyRequest): number | undefined {
  const said = [headers[TIMEOUT_HEADER], (query as { timeoutMs?: number }).timeoutMs];
  const timeouts = said.flatMap((timeout) => (timeout === undefined ? [] : [Number(timeout)]));
  return timeouts.length === 0 ? undefined : Math.min(...timeouts);
}

/** Ids are visible ASCII, which may be a quotation mark. */
function beginAnswer({ id }: FastifyRequest): string {
  return `{"requestId":${JSON.stringify(id)}`;
}

/** What any answer with items says of itself. */
interface AnyAnswer {
  readonly scenario: string;
  readonly bundle: string;
  readonly strategy?: string;
  readonly userId?: string;
  readonly itemId?: string;
  readonly degraded: readonly unknown[];
  readonly items: readonly unknown[];
}

function parseAnswer(text: string, schema: TSchema, request: FastifyRequest): AnyAnswer | undefined {
  try {
    const answer: unknown = JSON.parse(text);
    return request.compileValidationSchema(schema)(answer) ? (answer as AnyAnswer) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether answer and facts say the same, and of what was asked: whoever writes to the cache of several processes could say anything. */
function isAnswerTo(asked: RecommendationRequest, answer: AnyAnswer, facts: SlateFacts): boolean {
  const { subject, scenario, limit } = asked;
  return (
    answer.scenario === scenario &&
    facts.scenario === scenario &&
    answer.bundle === facts.bundle &&
    (answer.strategy ?? facts.strategy) === facts.strategy &&
    answer.degraded.length === 0 &&
    answer.items.length === facts.itemCount &&
    facts.itemCount <= limit &&
    (answer.userId === undefined || answer.userId === subject.userId) &&
    (answer.itemId === undefined || answer.itemId === subject.itemId)
  );
}

/** What was computed counts once, however many it answered. */
function sampleOf(
  { facts, cache, record, release }: SlateAnswer,
  { asked: { limit }, seconds }: { asked: RecommendationRequest; seconds: number },
): RecommendationSample {
  const computed = cache === 'joined' ? undefined : record;
  return {
    release: release ?? 'stable',
    scenario: facts.scenario,
    strategy: facts.strategy,
    limit,
    itemCount: facts.itemCount,
    seconds: computed && seconds,
    candidateCount: computed?.candidateCount,
    degraded: computed === undefined ? NONE : facts.degraded,
    stages: computed?.stages ?? NONE,
  };
}

const NONE: readonly never[] = [];

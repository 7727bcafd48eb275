import type { FastifyReply, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import type { DroppedCandidate, Slate } from '../domain/slate.js';
import { processClock } from '../domain/process-clock.js';
import { round } from '../domain/round.js';
import type { RecommendationRequest } from '../pipeline/recommendation-request.js';
import type { Answer, CacheOutcome, SlateFacts } from '../serving/recommender.js';
import type { AppParts } from './app-parts.js';
import { createSlateIds } from './create-slate-ids.js';
import { writeCursor } from './cursor.js';
import { TIMEOUT_HEADER } from './schemas/parameters.js';
import { referenceTo } from './schemas/schema-reference.js';
import { tagAnswer } from './shared-answers.js';

/** An answer before the request that it is sent to is known. */
export type Unsent<Answer> = Omit<Answer, 'requestId' | 'slateId'>;

/** Answers a request with its slate; `describe` says it as the route does, without the ids of request and slate. */
export type SlateSender = (
  reply: FastifyReply,
  asked: RecommendationRequest,
  describe: (slate: Slate) => object,
) => FastifyReply | Promise<FastifyReply>;

/**
 * Creates what ends a route that recommends. Answers are kept as bytes: all that is made for one request is its id and that of its slate at
 * the front, so the schema must put `requestId` first and `slateId` second.
 * @param schema of the route's answer, known to the app by its `$id`
 * @param isShared whether the answer is the same for everybody, and has a tag by which a client asks whether it still is
 */
export function createSlateSender(
  schema: TSchema,
  { recommender, afterAnswer, settings: { compute } }: AppParts,
  isShared = false,
): SlateSender {
  const reference = referenceTo(schema);
  const createSlateId = createSlateIds();
  const { $id: name = '' } = schema as { $id?: string };
  return (reply, asked, describe) => {
    const { request } = reply;
    const slateId = createSlateId();
    const beginning = beginAnswer(request.id, slateId);
    const form = {
      name,
      write: (slate: Slate) => Buffer.from(`,${JSON.stringify(describe(slate)).slice(1)}`),
      isWritten: (body: Buffer, facts: SlateFacts) => {
        const answer = parseAnswer(`${beginning}${body.toString()}`, reference, request);
        return (
          answer?.slateId === slateId && answer.requestId === request.id && isAnswerTo(asked, answer, facts)
        );
      },
    };
    const arrivedAt = processClock();
    const send = (answer: Answer): FastifyReply => {
      request.answered = { requestId: request.id, slateId, request: asked, answer };
      afterAnswer.answered(request.answered, processClock() - arrivedAt);
      const body = answer.body ?? form.write(answer.report!.slate);
      if (isShared) tagAnswer(reply, body);
      return reply
        .header('x-cache', SHOWN[answer.cache])
        .type('application/json; charset=utf-8')
        .send(Buffer.concat([Buffer.from(beginning, 'latin1'), body]));
    };
    const answer = recommender.recommend(asked, {
      deadline: arrivedAt + Math.min(compute.deadlineMs, findTimeout(request)),
      sharedDeadline: arrivedAt + compute.deadlineMs,
      capture: afterAnswer.wants(asked, request.id),
      form,
    });
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

/** Milliseconds that the client waits, infinite when it does not say so: the schemas have checked that they are numbers. */
function findTimeout({ headers, query, body }: FastifyRequest): number {
  const said = [headers[TIMEOUT_HEADER], ...[query, body].map((part) => (part as Timed)?.timeoutMs)];
  const timeouts = said.flatMap((timeout) => (timeout === undefined ? [] : [Number(timeout)]));
  return Math.min(...timeouts);
}

/** A part of a request; there is no body where none is read. */
type Timed = { readonly timeoutMs?: number } | undefined;

/** Request ids are visible ASCII, which may be a quotation mark; slate ids need no escape. */
function beginAnswer(requestId: string, slateId: string): string {
  return `{"requestId":${JSON.stringify(requestId)},"slateId":"${slateId}"`;
}

/** What any answer with items says of itself. */
interface AnyAnswer {
  readonly requestId: string;
  readonly slateId: string;
  readonly scenario: string;
  readonly bundle: string;
  readonly strategy?: string;
  readonly userId?: string;
  readonly itemId?: string;
  readonly degraded: readonly unknown[];
  readonly items: readonly { readonly itemId: string; readonly score: number }[];
  readonly dropped?: readonly DroppedCandidate[];
  readonly nextCursor?: string;
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
    answer.items.length <= limit &&
    areTheItems(answer.items, facts) &&
    areOfCandidates(answer, asked) &&
    leadsOn(answer, asked) &&
    answer.userId === subject.userId &&
    answer.itemId === subject.itemId
  );
}

/** Whether what is shown and what is dropped are those that the request named, each once; any item where it named none. */
function areOfCandidates({ items, dropped }: AnyAnswer, { candidates }: RecommendationRequest): boolean {
  if (candidates === undefined) return dropped === undefined;
  if (dropped === undefined) return false;
  const named = new Set(candidates);
  return [...items, ...dropped].every(({ itemId }) => named.delete(itemId));
}

/** Whether the next page is that after these items, if there is one. */
function leadsOn({ items, nextCursor }: AnyAnswer, asked: RecommendationRequest): boolean {
  return nextCursor === undefined || nextCursor === writeCursor(asked, items);
}

function areTheItems(items: AnyAnswer['items'], { itemIds, scores }: SlateFacts): boolean {
  return (
    items.length === itemIds.length &&
    items.every(({ itemId, score }, index) => itemId === itemIds[index] && score === round(scores[index]!))
  );
}

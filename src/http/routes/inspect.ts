import type { FastifyReply } from 'fastify';
import { showValue } from '../../config/show-value.js';
import { ShortlistError } from '../../domain/errors.js';
import { parseIsoTime } from '../../domain/parse-iso-time.js';
import type { InspectionRequest } from '../../pipeline/inspection/inspection.js';
import type { GivenEntry } from '../../pipeline/recommendation-request.js';
import { userIn } from '../access/user-binding.js';
import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { describeBodyLimit } from '../problem.js';
import { INSPECT_EXAMPLES, InspectAnswer, InspectBody, MOST_INSPECT_BYTES } from '../schemas/inspect.js';
import { DEFAULT_SCENARIO, NoQuery } from '../schemas/parameters.js';
import { describeProblems, describeSuccess } from '../schemas/responses.js';
import { toRecommendationRequest, toSubject } from '../to-recommendation-request.js';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Adds `POST /inspect`: it reads, computes anew, and leaves no trace in caches, logs and statistics. */
export function addInspectRoute(app: HttpApp, { bundleAdmin }: AdminParts): void {
  const schema = {
    operationId: 'inspect',
    tags: ['explorer'],
    summary: 'How the answer to a request comes about',
    description:
      'Runs the request of `POST /recommendations` through every stage, as it is or changed, and says what each gave, and why items are where they are. ' +
      'Nothing is kept. One is computed at a time, behind requests.',
    querystring: NoQuery,
    body: InspectBody,
    response: {
      200: describeSuccess(InspectAnswer, INSPECT_EXAMPLES),
      ...describeProblems(INSPECT_PROBLEMS, '/inspect'),
    },
  };
  const options = { schema, bodyLimit: MOST_INSPECT_BYTES, config: { usersOf: userIn('body') } };
  app.post('/inspect', options, async ({ body }, reply) => {
    const json = await bundleAdmin.inspect(toInspectionRequest(body));
    reply.header('cache-control', 'no-store').type(JSON_TYPE);
    // It is written already: a page of candidates takes the event loop as long as some requests.
    return (reply as FastifyReply).send(json);
  });
}

function toInspectionRequest(body: InspectBody): InspectionRequest {
  const { itemId, about = [], without = {}, quotas = {}, strengths = {} } = body;
  refuseContradictions(body);
  const { scenario = itemId === undefined ? DEFAULT_SCENARIO : 'similar' } = body;
  const subject = itemId === undefined ? toSubject(body) : { itemId };
  const history = body.history?.map(toEntry);
  return {
    request: {
      ...toRecommendationRequest(toAsked(body), { subject, scenario }),
      ...(history && { history }),
    },
    changes: {
      withoutSources: without.sources ?? [],
      withoutRules: without.rules ?? [],
      quotas,
      strengths,
    },
    about: [...new Set(about)],
    listsCandidates: body.candidates !== 'none',
    release: body.release ?? 'stable',
  };
}

/** What would be ignored without a word. */
function refuseContradictions(body: InspectBody): void {
  const { userId, sessionId, itemId, sessionItems, history, without, quotas = {} } = body;
  const both = without?.sources?.filter((source) => Object.hasOwn(quotas, source)) ?? [];
  const problems = [
    ...(itemId !== undefined && (userId !== undefined || sessionId !== undefined)
      ? ['itemId stands beside userId or sessionId: ask for a user, a session or an item']
      : []),
    ...(history !== undefined && (sessionItems !== undefined || itemId !== undefined)
      ? [
          'history stands beside sessionItems or itemId: it takes the place of all that is known, so put the items into it',
        ]
      : []),
    ...both.map((source) => `without.sources and quotas both name ${source}: leave it out, or ask it`),
  ];
  if (problems.length > 0)
    throw new ShortlistError('INVALID_REQUEST', 'The request contradicts itself:', { problems });
}

/** The fields that every route has which recommends. `candidates` is another thing here. */
function toAsked({ limit, exclude, filter, context, sessionItems }: InspectBody) {
  return {
    ...(limit !== undefined && { limit }),
    ...(exclude && { exclude }),
    ...(filter && { filter }),
    ...(context && { context }),
    ...(sessionItems && { sessionItems }),
  };
}

function toEntry(given: NonNullable<InspectBody['history']>[number], at: number): GivenEntry {
  if (typeof given === 'string') return { itemId: given };
  const { time, ...entry } = given;
  if (time === undefined) return entry;
  const seconds = parseIsoTime(time);
  if (!Number.isNaN(seconds)) return { ...entry, time: seconds };
  throw new ShortlistError(
    'INVALID_REQUEST',
    `history/${at}/time is ${showValue(time)}, allowed is ISO 8601, like 2024-03-01T12:00:00Z`,
  );
}

const INSPECT_PROBLEMS = {
  INVALID_REQUEST: 'about is a list of 21, allowed is a list of at most 20',
  UNKNOWN_ATTRIBUTE: "Cannot filter on 'genre'. Attributes to filter on: genres, year.",
  UNKNOWN_CONTEXT: "Cannot take 'devise' as context. Fields of it: hour, device, country.",
  UNKNOWN_SCENARIO: "There is no scenario 'hone'. Scenarios: home, popular, similar.",
  ITEM_NOT_FOUND: "There is no item '999999'.",
  PAYLOAD_TOO_LARGE: describeBodyLimit(MOST_INSPECT_BYTES),
  UNSUPPORTED_MEDIA_TYPE: 'Unsupported Media Type',
  NOT_READY: 'No bundle is open yet.',
  OVERLOADED: 'Another inspection is under way.',
  DEADLINE_EXCEEDED: 'The inspection has not ended within 2000 ms.',
  COMPUTE_FAILED: 'A computing thread ended by itself.',
  PROCESS_FAILED: 'Server process 1 has ended (SIGKILL).',
};

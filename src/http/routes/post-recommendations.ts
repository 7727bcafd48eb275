import { userIn } from '../access/user-binding.js';
import type { AppParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { toNextCursor } from '../cursor.js';
import { describeBodyLimit } from '../problem.js';
import { DEFAULT_SCENARIO, RecommendingHeaders, NoQuery } from '../schemas/parameters.js';
import {
  MOST_BODY_BYTES,
  POST_RECOMMENDATIONS_EXAMPLES,
  PostRecommendationsAnswer,
  RankBody,
  RecommendationsBody,
} from '../schemas/post-recommendations.js';
import {
  describeProblems,
  describeSuccess,
  RECOMMENDING_PROBLEMS,
  SLATE_HEADERS,
} from '../schemas/responses.js';
import { createSlateSender, type Unsent } from '../send-slate.js';
import { toAnsweredItems } from '../to-answered-items.js';
import { toRecommendationRequest, toSubject } from '../to-recommendation-request.js';

/** Adds `POST /recommendations`: it reads, and asks by a body for what an URL has no room for. */
export function addPostRecommendationsRoute(app: HttpApp, parts: AppParts): void {
  addBodyRoute(app, parts, {
    path: '/recommendations',
    operationId: 'postRecommendations',
    summary: 'Items for a user, a visitor or anybody, or a ranking of items that you name',
    description:
      'Reads, as the GET does, and takes besides: what was touched in this moment, candidates to rank, no user at all. ' +
      'Nobody in particular gets a cold start.',
    body: RecommendationsBody,
  });
}

/** Adds `POST /rank`: the same with candidates, under the name that people look for. */
export function addRankRoute(app: HttpApp, parts: AppParts): void {
  addBodyRoute(app, parts, {
    path: '/rank',
    operationId: 'rankItems',
    summary: 'A ranking of items that you name',
    description:
      '`POST /recommendations` with `candidates`, under a name of its own: the same fields, the same answer. Reads. ' +
      'For a user, a visitor or anybody.',
    body: RankBody,
  });
}

function addBodyRoute(
  app: HttpApp,
  parts: AppParts,
  {
    path,
    body: bodySchema,
    ...described
  }: {
    path: string;
    operationId: string;
    summary: string;
    description: string;
    body: typeof RecommendationsBody | typeof RankBody;
  },
): void {
  const schema = {
    ...described,
    tags: ['recommendations'],
    headers: RecommendingHeaders,
    querystring: NoQuery,
    body: bodySchema,
    response: {
      200: describeSuccess(PostRecommendationsAnswer, POST_RECOMMENDATIONS_EXAMPLES, SLATE_HEADERS),
      ...describeProblems(
        {
          ...RECOMMENDING_PROBLEMS,
          INVALID_CURSOR: 'The cursor is of another user or session. Ask without one to begin anew.',
          UNKNOWN_CONTEXT: "Cannot take 'devise' as context. Fields of it: hour, device, country.",
          UNKNOWN_SCENARIO: "There is no scenario 'hone'. Scenarios: home, popular, similar.",
          PAYLOAD_TOO_LARGE: describeBodyLimit(MOST_BODY_BYTES),
          UNSUPPORTED_MEDIA_TYPE: 'Unsupported Media Type',
        },
        path,
      ),
    },
  };
  const send = createSlateSender(PostRecommendationsAnswer, parts);
  const options = { schema, bodyLimit: MOST_BODY_BYTES, config: { usersOf: userIn('body') } };
  app.post(path, options, ({ body }, reply) => {
    const { userId, scenario = DEFAULT_SCENARIO } = body;
    const asked = toRecommendationRequest(body, { subject: toSubject(body), scenario });
    reply.header('cache-control', 'no-store');
    return send(reply, asked, (slate): Unsent<PostRecommendationsAnswer> => {
      const { bundle, strategy, dropped } = slate;
      return {
        ...(userId !== undefined && { userId }),
        scenario,
        bundle,
        strategy,
        ...toAnsweredItems(slate),
        ...(dropped && { dropped: dropped.map(({ itemId, reason }) => ({ itemId, reason })) }),
        ...toNextCursor(asked, slate),
      };
    });
  });
}

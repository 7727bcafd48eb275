import { userIn } from '../access/user-binding.js';
import type { AppParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { toNextCursor } from '../cursor.js';
import { DEFAULT_SCENARIO, RecommendingHeaders, NoQuery } from '../schemas/parameters.js';
import {
  MOST_BODY_BYTES,
  POST_RECOMMENDATIONS_EXAMPLES,
  PostRecommendationsAnswer,
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
  const schema = {
    operationId: 'postRecommendations',
    tags: ['recommendations'],
    summary: 'Items for a user, a visitor or anybody, or a ranking of items that you name',
    description:
      'Reads, as the GET does, and takes besides: what was touched in this moment, candidates to rank, no user at all. ' +
      'Nobody in particular gets a cold start.',
    headers: RecommendingHeaders,
    querystring: NoQuery,
    body: RecommendationsBody,
    response: {
      200: describeSuccess(PostRecommendationsAnswer, POST_RECOMMENDATIONS_EXAMPLES, SLATE_HEADERS),
      ...describeProblems(
        {
          ...RECOMMENDING_PROBLEMS,
          INVALID_CURSOR: 'The cursor is of another user or session. Ask without one to begin anew.',
          UNKNOWN_CONTEXT: "Cannot take 'devise' as context. Fields of it: hour, device, country.",
          UNKNOWN_SCENARIO: "There is no scenario 'hone'. Scenarios: home, popular, similar.",
          PAYLOAD_TOO_LARGE: 'Request body is too large',
          UNSUPPORTED_MEDIA_TYPE: 'Unsupported Media Type',
        },
        '/recommendations',
      ),
    },
  };
  const send = createSlateSender(PostRecommendationsAnswer, parts);
  const options = { schema, bodyLimit: MOST_BODY_BYTES, config: { usersOf: userIn('body') } };
  app.post('/recommendations', options, ({ body }, reply) => {
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

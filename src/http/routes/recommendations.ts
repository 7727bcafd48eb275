import { userIn } from '../access/user-binding.js';
import type { AppParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { toNextCursor } from '../cursor.js';
import { parseQuery } from '../parse-query.js';
import { DEFAULT_SCENARIO, RecommendingHeaders } from '../schemas/parameters.js';
import {
  RECOMMENDATIONS_EXAMPLES,
  RecommendationsAnswer,
  RecommendationsParams,
  RecommendationsQuery,
} from '../schemas/recommendations.js';
import {
  describeProblems,
  describeSuccess,
  RECOMMENDING_PROBLEMS,
  SLATE_HEADERS,
} from '../schemas/responses.js';
import { createSlateSender, type Unsent } from '../send-slate.js';
import { toAnsweredItems } from '../to-answered-items.js';
import { toRecommendationRequest, toSubject } from '../to-recommendation-request.js';

/** Adds `GET /recommendations/:userId`. */
export function addRecommendationsRoute(app: HttpApp, parts: AppParts): void {
  const schema = {
    operationId: 'getRecommendations',
    tags: ['recommendations'],
    summary: 'Items for one user',
    description: 'An unknown user gets a cold start, never an error.',
    params: RecommendationsParams,
    headers: RecommendingHeaders,
    querystring: RecommendationsQuery,
    response: {
      200: describeSuccess(RecommendationsAnswer, RECOMMENDATIONS_EXAMPLES, SLATE_HEADERS),
      ...describeProblems(
        {
          ...RECOMMENDING_PROBLEMS,
          INVALID_CURSOR: 'The cursor is of another user or session. Ask without one to begin anew.',
          UNKNOWN_CONTEXT: "Cannot take 'devise' as context. Fields of it: hour, device, country.",
          UNKNOWN_SCENARIO: "There is no scenario 'hone'. Scenarios: home, popular, similar.",
        },
        '/recommendations/42',
      ),
    },
  };
  const preValidation = parseQuery(RecommendationsQuery);
  const send = createSlateSender(RecommendationsAnswer, parts);
  const config = { usersOf: userIn('params') };
  app.get('/recommendations/:userId', { schema, preValidation, config }, (request, reply) => {
    const { params, query } = request;
    const { userId } = params;
    const { sessionId, scenario = DEFAULT_SCENARIO } = query;
    const subject = toSubject({ userId, ...(sessionId !== undefined && { sessionId }) });
    const asked = toRecommendationRequest(query, { subject, scenario });
    reply.header('cache-control', 'no-store');
    return send(reply, asked, (slate): Unsent<RecommendationsAnswer> => {
      const { bundle, strategy } = slate;
      return { userId, scenario, bundle, strategy, ...toAnsweredItems(slate), ...toNextCursor(asked, slate) };
    });
  });
}

import { NOBODY } from '../../domain/subject.js';
import { NO_USERS } from '../access/user-binding.js';
import type { AppParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { parseQuery } from '../parse-query.js';
import { ConditionalHeaders } from '../schemas/parameters.js';
import { POPULAR_EXAMPLES, PopularAnswer, PopularQuery } from '../schemas/popular.js';
import {
  describeProblems,
  describeSuccess,
  NOT_MODIFIED,
  RECOMMENDING_PROBLEMS,
  SHARED_SLATE_HEADERS,
} from '../schemas/responses.js';
import { createSlateSender, type Unsent } from '../send-slate.js';
import { shareAnswers } from '../shared-answers.js';
import { toAnsweredItems } from '../to-answered-items.js';
import { toRecommendationRequest } from '../to-recommendation-request.js';

/** Adds `GET /popular`. */
export function addPopularRoute(app: HttpApp, parts: AppParts): void {
  const schema = {
    operationId: 'getPopular',
    tags: ['recommendations'],
    summary: 'What most people chose',
    description: 'The scenario `popular`, the same for everybody.',
    headers: ConditionalHeaders,
    querystring: PopularQuery,
    response: {
      200: describeSuccess(PopularAnswer, POPULAR_EXAMPLES, SHARED_SLATE_HEADERS),
      304: NOT_MODIFIED,
      ...describeProblems(RECOMMENDING_PROBLEMS, '/popular'),
    },
  };
  const preValidation = parseQuery(PopularQuery);
  const send = createSlateSender(PopularAnswer, parts, true);
  app.register(async (shared: HttpApp) => {
    await shareAnswers(shared, parts.settings);
    shared.get('/popular', { schema, preValidation, config: { usersOf: NO_USERS } }, (request, reply) => {
      const origin = { subject: NOBODY, scenario: 'popular' } as const;
      const asked = toRecommendationRequest(request.query, origin);
      return send(reply, asked, (slate): Unsent<PopularAnswer> => {
        const { scenario, bundle } = slate;
        return { scenario, bundle, ...toAnsweredItems(slate) };
      });
    });
  });
}

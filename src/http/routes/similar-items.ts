import { NO_USERS } from '../access/user-binding.js';
import type { AppParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { parseQuery } from '../parse-query.js';
import { ConditionalHeaders } from '../schemas/parameters.js';
import {
  describeProblems,
  describeSuccess,
  NOT_MODIFIED,
  RECOMMENDING_PROBLEMS,
  SHARED_SLATE_HEADERS,
} from '../schemas/responses.js';
import {
  SIMILAR_ITEMS_EXAMPLES,
  SimilarItemsAnswer,
  SimilarItemsParams,
  SimilarItemsQuery,
} from '../schemas/similar-items.js';
import { createSlateSender, type Unsent } from '../send-slate.js';
import { shareAnswers } from '../shared-answers.js';
import { toAnsweredItems } from '../to-answered-items.js';
import { toRecommendationRequest } from '../to-recommendation-request.js';

/** Adds `GET /items/:itemId/similar`. */
export function addSimilarItemsRoute(app: HttpApp, parts: AppParts): void {
  const schema = {
    operationId: 'getSimilarItems',
    tags: ['recommendations'],
    summary: 'Items that go with one item',
    description: 'The scenario `similar`, started from one item.',
    params: SimilarItemsParams,
    headers: ConditionalHeaders,
    querystring: SimilarItemsQuery,
    response: {
      200: describeSuccess(SimilarItemsAnswer, SIMILAR_ITEMS_EXAMPLES, SHARED_SLATE_HEADERS),
      304: NOT_MODIFIED,
      ...describeProblems(
        { ...RECOMMENDING_PROBLEMS, ITEM_NOT_FOUND: "There is no item '0'." },
        '/items/0/similar',
      ),
    },
  };
  const preValidation = parseQuery(SimilarItemsQuery);
  const send = createSlateSender(SimilarItemsAnswer, parts, true);
  app.register(async (shared: HttpApp) => {
    await shareAnswers(shared, parts.settings);
    shared.get(
      '/items/:itemId/similar',
      { schema, preValidation, config: { usersOf: NO_USERS } },
      (request, reply) => {
        const { itemId } = request.params;
        const origin = { subject: { itemId }, scenario: 'similar' } as const;
        const asked = toRecommendationRequest(request.query, origin);
        return send(reply, asked, (slate): Unsent<SimilarItemsAnswer> => {
          const { scenario, bundle } = slate;
          return { itemId, scenario, bundle, ...toAnsweredItems(slate) };
        });
      },
    );
  });
}

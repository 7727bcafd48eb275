import type { AdminParts } from '../app-parts.js';
import type { HttpApp } from '../create-http-app.js';
import { parseQuery } from '../parse-query.js';
import {
  DEFAULT_FOUND,
  FOUND_ITEMS_EXAMPLES,
  ItemSearchAnswer,
  ItemSearchQuery,
} from '../schemas/inspect.js';
import { describeProblems, describeSuccess } from '../schemas/responses.js';

/** Adds `GET /items`: finds items of the bundle in service by id or title. */
export function addItemsRoute(app: HttpApp, { bundleAdmin }: AdminParts): void {
  const schema = {
    operationId: 'findItems',
    tags: ['explorer'],
    summary: 'Items by id or title',
    querystring: ItemSearchQuery,
    response: {
      200: describeSuccess(ItemSearchAnswer, FOUND_ITEMS_EXAMPLES),
      ...describeProblems(
        {
          INVALID_REQUEST: 'search is "", allowed is text of 1 to 256 characters',
          NOT_READY: 'No bundle is open yet.',
          PROCESS_FAILED: 'A server process has not answered within 10000 ms.',
        },
        '/items',
      ),
    },
  };
  const options = { schema, preValidation: parseQuery(ItemSearchQuery) };
  app.get('/items', options, async ({ query: { search, limit = DEFAULT_FOUND } }, reply) =>
    reply.header('cache-control', 'no-store').send(await bundleAdmin.findItems({ search, limit })),
  );
}

import { Type, type Static } from 'typebox';
import { Exclude, Explain, Fields, Filter, ItemId, Limit, Timeout } from './parameters.js';
import { SLATE_FIELDS } from './slate.js';

/** The path of `GET /items/:itemId/similar`. */
export const SimilarItemsParams = Type.Object({ itemId: ItemId });

/** The query of `GET /items/:itemId/similar`. */
export const SimilarItemsQuery = Type.Object(
  { limit: Limit, exclude: Exclude, filter: Filter, fields: Fields, explain: Explain, timeoutMs: Timeout },
  { additionalProperties: false },
);

/** The answer of `GET /items/:itemId/similar`. */
export const SimilarItemsAnswer = Type.Object(
  {
    requestId: SLATE_FIELDS.requestId,
    slateId: SLATE_FIELDS.slateId,
    itemId: Type.String({ description: 'The item that was asked about; it is not among the items.' }),
    scenario: SLATE_FIELDS.scenario,
    bundle: SLATE_FIELDS.bundle,
    degraded: SLATE_FIELDS.degraded,
    items: SLATE_FIELDS.items,
  },
  { $id: 'SimilarItemsAnswer', additionalProperties: false, description: 'Items that go with one item.' },
);

export type SimilarItemsAnswer = Static<typeof SimilarItemsAnswer>;

/** Examples of `SimilarItemsAnswer` for the document. */
export const SIMILAR_ITEMS_EXAMPLES: Readonly<Record<string, SimilarItemsAnswer>> = {
  similar: {
    requestId: '1c7d1f0a-52c3-4b61-b7f4-0d1d8a1b9f10',
    slateId: 'w0HdY6gLp3MiS8qCz_4jTQ',
    itemId: '318',
    scenario: 'similar',
    bundle: '20240601T120000Z-1a2b3c4d',
    degraded: [],
    items: [
      { itemId: '527', position: 1, score: 0.612345, attributes: { title: 'Schindler’s List (1993)' } },
    ],
  },
};

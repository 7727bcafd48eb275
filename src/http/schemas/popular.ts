import { Type, type Static } from 'typebox';
import { Exclude, Fields, Filter, Limit, Timeout } from './parameters.js';
import { SLATE_FIELDS } from './slate.js';

/** The query of `GET /popular`. */
export const PopularQuery = Type.Object(
  { limit: Limit, exclude: Exclude, filter: Filter, fields: Fields, timeoutMs: Timeout },
  { additionalProperties: false },
);

/** The answer of `GET /popular`. */
export const PopularAnswer = Type.Object(SLATE_FIELDS, {
  $id: 'PopularAnswer',
  additionalProperties: false,
  description: 'What most people chose.',
});

export type PopularAnswer = Static<typeof PopularAnswer>;

/** Examples of `PopularAnswer` for the document. */
export const POPULAR_EXAMPLES: Readonly<Record<string, PopularAnswer>> = {
  popular: {
    requestId: '9be2f7f4-3f2a-4a7b-8d15-2f6f3f0f6a55',
    slateId: 'T5nVr1eXo-9KcB2yAu7hGw',
    scenario: 'popular',
    bundle: '20240601T120000Z-1a2b3c4d',
    degraded: [],
    items: [{ itemId: '356', position: 1, score: 0.016393, attributes: { title: 'Forrest Gump (1994)' } }],
  },
};

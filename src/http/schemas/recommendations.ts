import { Type, type Static } from 'typebox';
import {
  Context,
  Cursor,
  Exclude,
  Explain,
  Fields,
  Filter,
  Limit,
  Scenario,
  SessionId,
  Timeout,
  UserId,
} from './parameters.js';
import { MOST_SHOWN, writeCursor } from '../cursor.js';
import { SLATE_FIELDS } from './slate.js';

/** The path of `GET /recommendations/:userId`. */
export const RecommendationsParams = Type.Object({ userId: UserId });

/** The query of `GET /recommendations/:userId`. */
export const RecommendationsQuery = Type.Object(
  {
    limit: Limit,
    scenario: Scenario,
    sessionId: SessionId,
    exclude: Exclude,
    filter: Filter,
    context: Context,
    fields: Fields,
    explain: Explain,
    cursor: Cursor,
    timeoutMs: Timeout,
  },
  { additionalProperties: false },
);

/** The cursor of the page after an answer. */
export const NextCursor = Type.Optional(
  Type.String({
    description: `While more is left: \`cursor\` of the request for the next page. Absent where this is the last one, and where the pages have shown ${MOST_SHOWN} items.`,
  }),
);

/** How a slate came about, in an answer. */
export const Strategy = Type.Enum(['personalised', 'cold-start'], {
  type: 'string',
  description:
    '`cold-start` when nothing is known of what the user did, and when the answer is the fallback that is the same for everybody.',
});

/** The answer of `GET /recommendations/:userId`. */
export const RecommendationsAnswer = Type.Object(
  {
    requestId: SLATE_FIELDS.requestId,
    slateId: SLATE_FIELDS.slateId,
    userId: Type.String(),
    scenario: SLATE_FIELDS.scenario,
    bundle: SLATE_FIELDS.bundle,
    strategy: Strategy,
    degraded: SLATE_FIELDS.degraded,
    items: SLATE_FIELDS.items,
    nextCursor: NextCursor,
  },
  { $id: 'RecommendationsAnswer', additionalProperties: false, description: 'Items for one user.' },
);

export type RecommendationsAnswer = Static<typeof RecommendationsAnswer>;

/** Examples of `RecommendationsAnswer` for the document. */
export const RECOMMENDATIONS_EXAMPLES: Readonly<Record<string, RecommendationsAnswer>> = {
  personalised: {
    requestId: '4f8f1ae0-9c1c-4f0d-8a63-6d0a5d1f0b77',
    slateId: 'kq3Zb0VYTzWJx5uQ7l2n9A',
    userId: '42',
    scenario: 'home',
    bundle: '20240601T120000Z-1a2b3c4d',
    strategy: 'personalised',
    degraded: [],
    items: [
      {
        itemId: '318',
        position: 1,
        score: 0.934121,
        attributes: { title: 'The Shawshank Redemption (1994)', genres: ['Crime', 'Drama'], year: 1994 },
        sources: [
          { name: 'als', score: 1.204512, rank: 3 },
          { name: 'popular', score: 0.412, rank: 1 },
        ],
      },
    ],
    nextCursor: writeCursor({ subject: { userId: '42' }, scenario: 'home' }, [{ itemId: '318' }])!,
  },
  'cold start': {
    requestId: '0e0b5a52-3b8e-4d9e-9a52-7b1f3a7f5c11',
    slateId: 'Qm1hW8rT_0yLkP4vXc6d3g',
    userId: 'somebody-new',
    scenario: 'home',
    bundle: '20240601T120000Z-1a2b3c4d',
    strategy: 'cold-start',
    degraded: [],
    items: [{ itemId: '356', position: 1, score: 0.5, attributes: { title: 'Forrest Gump (1994)' } }],
  },
  degraded: {
    requestId: '7d0c2d4e-22a2-4f33-8c8a-a4a8b3a0c9d2',
    slateId: 'b7JxE2sN-5aRuK9oVt1fZw',
    userId: '42',
    scenario: 'home',
    bundle: '20240601T120000Z-1a2b3c4d',
    strategy: 'personalised',
    degraded: [{ stage: 'ranking', reason: 'ranker_failed' }],
    items: [{ itemId: '296', position: 1, score: 0.032787, attributes: { title: 'Pulp Fiction (1994)' } }],
  },
};

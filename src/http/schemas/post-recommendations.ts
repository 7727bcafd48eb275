import { Type, type Static } from 'typebox';
import { MOST_NAMED_VALUES } from '../../domain/named-value.js';
import type { DroppedCandidate } from '../../domain/slate.js';
import {
  CONTEXT_RULES,
  CONTEXT_TEXT,
  Cursor,
  DEFAULT_LIMIT,
  Explain,
  FIELD_TEXT,
  FIELDS_RULES,
  FILTER_RULES,
  FILTER_TEXT,
  ID,
  LIMIT,
  MOST_EXCLUDED,
  MOST_FIELDS,
  Scenario,
  SessionId,
  TIMEOUT_HEADER,
  TIMEOUT_MS,
  TIMEOUT_RULES,
  UserId,
} from './parameters.js';
import { NextCursor, Strategy } from './recommendations.js';
import { referenceTo } from './schema-reference.js';
import { SLATE_FIELDS } from './slate.js';

/** Bytes that a body has at most. */
export const MOST_BODY_BYTES = 65_536;

const MOST_SESSION_ITEMS = 200;
const MOST_CANDIDATES = 500;

const Candidates = Type.Array(Type.String(ID), {
  minItems: 1,
  maxItems: MOST_CANDIDATES,
  description:
    'Rank these items and no others. `dropped` names those that cannot be in the answer. An id that is there twice counts once.',
});

/** The body of `POST /recommendations`: the fields that the query of the GET has too mean the same. */
export const RecommendationsBody = Type.Object(
  {
    userId: Type.Optional(UserId),
    sessionId: SessionId,
    sessionItems: Type.Optional(
      Type.Array(Type.String(ID), {
        maxItems: MOST_SESSION_ITEMS,
        description:
          'Items that whoever asks has just touched, oldest first: history for this answer only, kept nowhere. Unknown ids are ignored.',
      }),
    ),
    candidates: Type.Optional(Candidates),
    limit: Type.Optional(
      Type.Integer({
        ...LIMIT,
        description: `Items at most: ${DEFAULT_LIMIT} unless given; with \`candidates\` as many as they are, at most ${LIMIT.maximum}.`,
      }),
    ),
    scenario: Scenario,
    exclude: Type.Optional(
      Type.Array(Type.String(ID), {
        maxItems: MOST_EXCLUDED,
        description: 'Items that must not come back. Unknown ids are ignored.',
      }),
    ),
    filter: Type.Optional(
      Type.Array(Type.String(FILTER_TEXT), {
        maxItems: MOST_NAMED_VALUES,
        description: `Only items whose attributes have these values, each as \`attribute:value\`. ${FILTER_RULES}`,
      }),
    ),
    context: Type.Optional(
      Type.Array(Type.String(CONTEXT_TEXT), {
        maxItems: MOST_NAMED_VALUES,
        description: `What is known of this moment, each as \`field:value\`, each field once; the dataset declares the fields. ${CONTEXT_RULES}`,
      }),
    ),
    fields: Type.Optional(
      Type.Array(Type.String(FIELD_TEXT), {
        maxItems: MOST_FIELDS,
        description: `The attributes that the items of the answer carry; an empty list for none. ${FIELDS_RULES}`,
      }),
    ),
    explain: Explain,
    cursor: Cursor,
    timeoutMs: Type.Optional(
      Type.Integer({
        ...TIMEOUT_MS,
        description: `${TIMEOUT_RULES} The header \`${TIMEOUT_HEADER}\` says the same; the lower of the two counts.`,
      }),
    ),
  },
  {
    additionalProperties: false,
    'x-examples': {
      user: { value: { userId: '42', limit: 5 } },
      visitor: { value: { sessionId: 'v-6yTq0Zc1ROWk', sessionItems: ['318', '296'] } },
      candidates: { value: { userId: '42', candidates: ['318', '296', '527'], explain: 'features' } },
      nobody: { value: {} },
    },
  },
);

/** The body of `POST /rank`: that of `POST /recommendations`, with candidates. */
export const RankBody = Type.Object(
  {
    ...RecommendationsBody.properties,
    candidates: Candidates,
    limit: Type.Optional(
      Type.Integer({
        ...LIMIT,
        description: `Items at most: as many as there are candidates unless given, at most ${LIMIT.maximum}.`,
      }),
    ),
  },
  {
    additionalProperties: false,
    'x-examples': {
      user: { value: { userId: '42', candidates: ['318', '296', '527'] } },
      visitor: { value: { sessionId: 'v-6yTq0Zc1ROWk', sessionItems: ['318'], candidates: ['296', '527'] } },
      nobody: { value: { candidates: ['318', '296'] } },
    },
  },
);

/** A candidate that the answer cannot have. */
export const Dropped = Type.Object(
  {
    itemId: Type.String(),
    reason: Type.Unsafe<DroppedCandidate['reason']>(
      Type.Enum(['unknown', 'ineligible'], {
        type: 'string',
        description:
          '`unknown`: the bundle has no such item. `ineligible`: the scenario does not show it to this user, `exclude` or a filter leaves it out, or the user does not want it.',
      }),
    ),
  },
  { $id: 'Dropped', additionalProperties: false, description: 'A candidate that the answer cannot have.' },
);

/** The answer of `POST /recommendations`. The session is not in it. */
export const PostRecommendationsAnswer = Type.Object(
  {
    requestId: SLATE_FIELDS.requestId,
    slateId: SLATE_FIELDS.slateId,
    userId: Type.Optional(Type.String({ description: 'Where the request named one.' })),
    scenario: SLATE_FIELDS.scenario,
    bundle: SLATE_FIELDS.bundle,
    strategy: Strategy,
    degraded: SLATE_FIELDS.degraded,
    items: SLATE_FIELDS.items,
    dropped: Type.Optional(
      Type.Array(referenceTo(Dropped), {
        maxItems: MOST_CANDIDATES,
        description:
          'Where the request named candidates: those that the answer cannot have, in their order. What `limit` left out is in neither list.',
      }),
    ),
    nextCursor: NextCursor,
  },
  {
    $id: 'PostRecommendationsAnswer',
    additionalProperties: false,
    description: 'Items for a user, for a visitor, or for anybody.',
  },
);

export type PostRecommendationsAnswer = Static<typeof PostRecommendationsAnswer>;

/** Examples of `PostRecommendationsAnswer` for the document. */
export const POST_RECOMMENDATIONS_EXAMPLES: Readonly<Record<string, PostRecommendationsAnswer>> = {
  visitor: {
    requestId: '3f0a7be2-5f3c-4b8e-8f43-0c4a6f1d2e90',
    slateId: 'c8LwN2aVt0-RkPq4yXh7Jg',
    scenario: 'home',
    bundle: '20240601T120000Z-1a2b3c4d',
    strategy: 'personalised',
    degraded: [],
    items: [{ itemId: '593', position: 1, score: 0.812, attributes: { title: 'The Silence of the Lambs' } }],
  },
  candidates: {
    requestId: '8b1c3a57-1d0e-4a27-b3b1-5e2f9f7c6a14',
    slateId: 'f3TzQ9mBk_5UeWo1sYd6Ra',
    userId: '42',
    scenario: 'home',
    bundle: '20240601T120000Z-1a2b3c4d',
    strategy: 'personalised',
    degraded: [],
    items: [
      { itemId: '318', position: 1, score: 0.934121, attributes: { title: 'The Shawshank Redemption' } },
    ],
    dropped: [
      { itemId: 'no-such-item', reason: 'unknown' },
      { itemId: '296', reason: 'ineligible' },
    ],
  },
};

import { Type, type Static } from 'typebox';
import { VERDICTS } from '../../pipeline/inspection/inspection.js';
import { RecommendationsBody } from './post-recommendations.js';
import { ID, ItemId } from './parameters.js';
import { Strategy } from './recommendations.js';
import { referenceTo } from './schema-reference.js';
import { Degradation, MoveReason } from './slate.js';

/** Bytes that a body has at most: a history of 5,000 items of long ids. */
export const MOST_INSPECT_BYTES = 2_097_152;

/** Items to explain at most: each costs runs of the ranker. */
export const MOST_ABOUT = 20;
const MOST_HISTORY = 5000;
const MOST_SOURCES = 100;
const STRONGEST = 10;

const { sessionItems, scenario, limit, exclude, filter, context, userId, sessionId } =
  RecommendationsBody.properties;

const Name = Type.String({ minLength: 1, maxLength: 128 });
const Time = Type.String({ maxLength: 40, description: 'ISO 8601, in UTC in answers.' });

const GivenEntry = Type.Object(
  {
    itemId: Type.String(ID),
    time: Type.Optional(Time),
    type: Type.Optional(
      Type.String({ minLength: 1, maxLength: 64, description: 'For rules that read types.' }),
    ),
    value: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: 1e9,
        description: 'What it counts; as the least there is unless given.',
      }),
    ),
  },
  { additionalProperties: false },
);

/** The body of `POST /inspect`: the fields of `POST /recommendations` mean the same. */
export const InspectBody = Type.Object(
  {
    userId: Type.Optional(userId),
    sessionId,
    itemId: Type.Optional(ItemId),
    sessionItems,
    history: Type.Optional(
      Type.Array(
        Type.Union([Type.String(ID), GivenEntry], {
          'x-allowed': 'an id, or an object of itemId, time, type and value',
        }),
        {
          maxItems: MOST_HISTORY,
          description:
            'In place of what is known of the subject, oldest first: ids, or entries as an inspection answers them. Unknown ids are ignored. An entry without a time is of the last moment that the bundle knows.',
        },
      ),
    ),
    scenario,
    limit,
    exclude,
    filter,
    context,
    without: Type.Optional(
      Type.Object(
        {
          sources: Type.Optional(Type.Array(Name, { maxItems: MOST_SOURCES })),
          rules: Type.Optional(Type.Array(Name, { maxItems: MOST_SOURCES })),
        },
        { additionalProperties: false, description: 'Sources and rules of the scenario that are left out.' },
      ),
    ),
    quotas: Type.Optional(
      Type.Record(
        Type.String({ minLength: 1, maxLength: 128 }),
        Type.Integer({ minimum: 1, maximum: 1000 }),
        {
          maxProperties: MOST_SOURCES,
          description: 'Quotas of sources in place of those of the scenario; a source with one is asked.',
        },
      ),
    ),
    strengths: Type.Optional(
      Type.Record(
        Type.String({ minLength: 1, maxLength: 128 }),
        Type.Number({ minimum: 0, maximum: STRONGEST }),
        {
          maxProperties: MOST_SOURCES,
          description:
            'How many times as strong a rule is, by its name: `boost`, `diversity`, `fatigue` and `fresh` have a strength.',
        },
      ),
    ),
    release: Type.Optional(
      Type.Enum(['stable', 'canary', 'shadow'], {
        type: 'string',
        default: 'stable',
        description: 'Whose bundle computes; one of another release has to be open.',
      }),
    ),
    about: Type.Optional(
      Type.Array(Type.String(ID), {
        maxItems: MOST_ABOUT,
        description: 'Items to explain, whether or not they are in the answer.',
      }),
    ),
    candidates: Type.Optional(
      Type.Enum(['all', 'none'], {
        type: 'string',
        default: 'all',
        description: 'Whether every candidate is described.',
      }),
    ),
  },
  {
    additionalProperties: false,
    'x-examples': {
      user: { value: { userId: '42', about: ['318'] } },
      whatIf: { value: { userId: '42', without: { sources: ['als'] }, candidates: 'none' } },
      history: { value: { history: ['318', '296'], scenario: 'home' } },
    },
  },
);

export type InspectBody = Static<typeof InspectBody>;

const TITLE = Type.Optional(Type.String({ description: 'Absent where the item has none.' }));
const milliseconds = Type.Number({ minimum: 0 });
const count = (description: string): Type.TInteger => Type.Integer({ minimum: 0, description });
const place = (description: string): Type.TOptional<Type.TInteger> =>
  Type.Optional(Type.Integer({ minimum: 1, description }));

const HistoryEntry = Type.Object(
  {
    itemId: Type.String(),
    title: TITLE,
    time: Time,
    type: Type.Optional(Type.String()),
    value: Type.Number({ description: 'What it counts.' }),
    from: Type.Enum(['bundle', 'live', 'request'], {
      type: 'string',
      description: 'Known to the bundle, taken as an event since, or said by the request.',
    }),
  },
  { additionalProperties: false },
);

const RuleEffect = Type.Object(
  {
    name: Type.String({
      description: 'A rule of the scenario, or `filter`, `exclude`, `unwanted`, `touched`, `placement`.',
    }),
    removed: count('Items that it took away.'),
    left: count('Items that are left after it.'),
  },
  { additionalProperties: false },
);

const SourceEffect = Type.Object(
  {
    name: Type.String(),
    quota: count('Of its best items, so many are sure of a place.'),
    outcome: Type.Enum(['ok', 'failed', 'skipped'], {
      type: 'string',
      description: '`skipped`: the bundle has no such source.',
    }),
    found: count('Items that it gave.'),
    alone: count('Of these, items that no other source gave.'),
    kept: count('Of these, items that are candidates.'),
    milliseconds,
  },
  { additionalProperties: false },
);

const Stage = Type.Object(
  { stage: Type.String(), milliseconds, outcome: Type.Enum(['ok', 'fallback'], { type: 'string' }) },
  { additionalProperties: false },
);

const Candidate = Type.Object(
  {
    itemId: Type.String(),
    title: TITLE,
    ranks: Type.Record(Type.String(), Type.Integer({ minimum: 1 }), {
      description: 'Its rank in each source that found it.',
    }),
    fusion: Type.Number({ description: 'Reciprocal-rank fusion of these.' }),
    score: Type.Number({ description: 'The ranking score.' }),
    rankedAt: Type.Integer({ minimum: 1, description: 'Place by ranking score.' }),
    shownAt: place('Place in the slate, where it is shown.'),
  },
  { additionalProperties: false },
);

const Place = Type.Object(
  {
    itemId: Type.String(),
    title: TITLE,
    position: Type.Integer({ minimum: 1 }),
    score: Type.Number(),
    reasons: Type.Array(referenceTo(MoveReason), {
      description: 'What moved it, in the order of the rules.',
    }),
  },
  { additionalProperties: false },
);

const SourceRank = Type.Object(
  {
    name: Type.String(),
    rank: place(
      'Place among all items that may be shown; absent where the source knows nothing of the item, or gave all it has.',
    ),
    of: Type.Optional(
      count('Items that the source has a score of; absent where it gave the item, or all it has.'),
    ),
    found: count('Items that it gave.'),
  },
  { additionalProperties: false },
);

const Feature = Type.Object(
  {
    group: Type.String({ description: 'The group whose contribution it is part of.' }),
    value: Type.Number(),
    label: Type.Optional(Type.String({ description: 'Of a category: what the value stands for.' })),
    status: Type.String({ description: '`PRESENT`, `DEFAULTED`, `STALE`, …: docs/feature-store.md.' }),
    typical: Type.Optional(
      Type.Array(Type.Number(), {
        minItems: 2,
        maxItems: 2,
        description:
          'The 5th and the 95th percentile of training, as exactly as the bins of the bundle know them.',
      }),
    ),
  },
  { additionalProperties: false },
);

const Contributions = Type.Object(
  {
    baseline: Type.Number({ description: 'The score of the median candidate of this request.' }),
    score: Type.Number(),
    groups: Type.Record(Type.String(), Type.Number(), {
      description: 'Shapley values of the groups of features: with the baseline they sum to the score.',
    }),
    joined: Type.Optional(
      Type.Array(Type.String(), { description: 'Groups that are one, `other`: there are more than 12.' }),
    ),
  },
  { additionalProperties: false },
);

const Item = Type.Object(
  {
    itemId: Type.String(),
    title: TITLE,
    verdict: Type.Enum([...VERDICTS], {
      type: 'string',
      description: 'The first thing that kept the item away, or `shown`.',
    }),
    detail: Type.String({ description: 'The verdict in a sentence, with its figures, for people.' }),
    rule: Type.Optional(Type.String({ description: 'The rule that took it out, or moved it away.' })),
    rankedAt: place('Place by ranking score, of a candidate.'),
    shownAt: place('Place in the slate, where it is shown.'),
    fusion: Type.Optional(Type.Number()),
    score: Type.Optional(Type.Number()),
    sources: Type.Optional(Type.Array(SourceRank, { description: 'Where it stands with each source.' })),
    features: Type.Optional(
      Type.Record(Type.String(), Feature, { description: 'What the ranker read, in its order.' }),
    ),
    contributions: Type.Optional(Contributions),
  },
  { additionalProperties: false },
);

/** The answer of `POST /inspect`. */
export const InspectAnswer = Type.Object(
  {
    bundle: Type.String(),
    release: Type.Enum(['stable', 'canary', 'shadow'], { type: 'string' }),
    scenario: Type.String({ description: 'The one that was asked for.' }),
    answeredBy: Type.String({ description: 'The one that answered: of a cold start it may be another.' }),
    strategy: Strategy,
    degraded: Type.Array(referenceTo(Degradation)),
    history: Type.Array(HistoryEntry, { description: 'Oldest first.' }),
    rules: Type.Array(RuleEffect, {
      description: 'Before retrieval, in the order in which they took items away.',
    }),
    sources: Type.Array(SourceEffect),
    stages: Type.Array(Stage),
    moves: Type.Array(
      Type.Object(
        { rule: Type.String(), moved: count('Shown items that it moved.') },
        { additionalProperties: false },
      ),
      { description: 'Rules after ranking, in order.' },
    ),
    candidateCount: count('Candidates after the merge.'),
    candidates: Type.Optional(Type.Array(Candidate, { description: 'In the order of ranking.' })),
    slate: Type.Array(Place, { description: 'The answer, in its order.' }),
    items: Type.Array(Item, { description: 'Those that were asked about, in that order.' }),
    withoutContributions: Type.Optional(
      Type.String({ description: 'Why no item has contributions, where none has.' }),
    ),
  },
  {
    $id: 'Inspection',
    additionalProperties: false,
    description: 'The way of one request through every stage.',
  },
);

export type InspectAnswer = Static<typeof InspectAnswer>;

/** Examples of `InspectAnswer` for the document. */
export const INSPECT_EXAMPLES: Readonly<Record<string, InspectAnswer>> = {
  user: {
    bundle: '20240601T120000Z-1a2b3c4d',
    release: 'stable',
    scenario: 'home',
    answeredBy: 'home',
    strategy: 'personalised',
    degraded: [],
    history: [
      {
        itemId: '318',
        title: 'The Shawshank Redemption',
        time: '2024-05-30T18:04:11.000Z',
        type: 'click',
        value: 1,
        from: 'bundle',
      },
    ],
    rules: [{ name: 'exclude-seen', removed: 41, left: 9701 }],
    sources: [{ name: 'als', quota: 80, outcome: 'ok', found: 300, alone: 12, kept: 88, milliseconds: 1.1 }],
    stages: [{ stage: 'ranking', milliseconds: 0.2, outcome: 'ok' }],
    moves: [{ rule: 'cap', moved: 3 }],
    candidateCount: 300,
    slate: [{ itemId: '593', title: 'The Silence of the Lambs', position: 1, score: 0.812, reasons: [] }],
    items: [
      {
        itemId: '318',
        title: 'The Shawshank Redemption',
        verdict: 'removed_by_rule',
        detail: 'Taken out by the rule exclude-seen: in the history since 2024-05-30.',
        rule: 'exclude-seen',
      },
    ],
  },
};

/** Items that a search finds that says no `limit`. */
export const DEFAULT_FOUND = 20;

/** The query of `GET /items`. */
export const ItemSearchQuery = Type.Object(
  {
    search: Type.String({
      minLength: 1,
      maxLength: 256,
      description: 'An id, or a part of a title: letter case does not count.',
      examples: ['alien'],
    }),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, default: DEFAULT_FOUND })),
  },
  { additionalProperties: false },
);

/** The answer of `GET /items`. */
export const ItemSearchAnswer = Type.Object(
  {
    bundle: Type.String(),
    items: Type.Array(Type.Object({ itemId: Type.String(), title: TITLE }, { additionalProperties: false }), {
      description:
        'The item of that id first, then titles that begin with the text, then those that hold it.',
    }),
  },
  { $id: 'FoundItems', additionalProperties: false, description: 'Items of the bundle in service.' },
);

export type ItemSearchAnswer = Static<typeof ItemSearchAnswer>;

/** Examples of `ItemSearchAnswer` for the document. */
export const FOUND_ITEMS_EXAMPLES: Readonly<Record<string, ItemSearchAnswer>> = {
  found: { bundle: '20240601T120000Z-1a2b3c4d', items: [{ itemId: '1214', title: 'Alien' }] },
};

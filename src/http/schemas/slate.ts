import { Type, type Static } from 'typebox';
import type { SlateItem as DomainSlateItem } from '../../domain/slate.js';
import { SLATE_ID_PATTERN } from '../../domain/slate.js';
import { referenceTo } from './schema-reference.js';

/** One candidate source that found an item, for `explain=sources`. */
export const SourceAttribution = Type.Object(
  {
    name: Type.String({ description: 'The candidate source.' }),
    score: Type.Number({ description: 'Its own score of the item, rounded to 6 decimals.' }),
    rank: Type.Integer({ minimum: 1, description: 'The place in its own list, from 1.' }),
  },
  {
    $id: 'SourceAttribution',
    additionalProperties: false,
    description: 'A candidate source that found an item.',
  },
);

/** A stage that fell back, and why. */
export const Degradation = Type.Object(
  {
    stage: Type.String({ description: 'The stage that fell back.' }),
    reason: Type.String({ description: 'A stable word for why.' }),
  },
  { $id: 'Degradation', additionalProperties: false, description: 'A stage that could not do its part.' },
);

/** The attributes of an item by name, as its dataset has them. */
export const Attributes = Type.Unsafe<DomainSlateItem['attributes']>(
  Type.Record(
    Type.String(),
    Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.String())]),
    {
      $id: 'Attributes',
      description: 'What is known of the item; which attributes there are is the dataset’s choice.',
    },
  ),
);

/** What one rule did to the place of an item, for `explain=reasons`. */
export const MoveReason = Type.Object(
  {
    rule: Type.String({ description: 'The rule of the scenario.' }),
    detail: Type.String({ description: 'Why, in a few words for people.' }),
    from: Type.Integer({ minimum: 1, description: 'The place before the rule.' }),
    to: Type.Integer({ minimum: 1, description: 'The place after it.' }),
  },
  {
    $id: 'MoveReason',
    additionalProperties: false,
    description: 'What one rule did to the place of an item.',
  },
);

/** One item of an answer. */
export const SlateItem = Type.Object(
  {
    itemId: Type.String(),
    position: Type.Integer({
      minimum: 1,
      description:
        'The place in this answer, from 1, without gaps: the order to show the items in, whatever their scores.',
    }),
    score: Type.Number({
      description:
        'What ranking thinks of the item, rounded to 6 decimals. Comparable within one answer only. It descends over the items unless a rule of the scenario moved one.',
    }),
    attributes: referenceTo(Attributes),
    sources: Type.Optional(
      Type.Array(referenceTo(SourceAttribution), { description: 'With `explain=sources`.' }),
    ),
    reasons: Type.Optional(
      Type.Array(referenceTo(MoveReason), {
        description:
          'With `explain=reasons`: what moved the item, in the order of the rules. The first `from` is its place by ranking, the last `to` its position; empty where nothing moved it.',
      }),
    ),
    features: Type.Optional(
      Type.Record(Type.String(), Type.Number(), {
        description: 'With `explain=features`: what the ranker saw, by feature name, rounded to 6 decimals.',
      }),
    ),
  },
  { $id: 'SlateItem', additionalProperties: false, description: 'One item of an answer.' },
);

export type SlateItem = Static<typeof SlateItem>;

/** What every answer with items says of itself. */
export const SLATE_FIELDS = {
  requestId: Type.String({ description: 'As in the header `x-request-id`.' }),
  slateId: Type.String({
    pattern: SLATE_ID_PATTERN,
    description:
      'Names this answer and no other, however often it was kept: events say by it which answer showed their item.',
  }),
  scenario: Type.String(),
  bundle: Type.String({ description: 'The version of the bundle that answered.' }),
  degraded: Type.Array(referenceTo(Degradation), { description: 'Empty when every stage did its part.' }),
  items: Type.Array(referenceTo(SlateItem), {
    maxItems: 100,
    description: 'In the order to show them, each item once.',
  }),
};

import { Type, type Static } from 'typebox';
import { MOST_SECONDS_AHEAD, type UserEvent } from '../../domain/event.js';
import { ISO_TIME_PATTERN } from '../../domain/parse-iso-time.js';
import { EVENT_PATTERNS, MOST_CONTEXT_FIELDS, type RefusedEvent } from '../../events/parse-events.js';
import { ENTITY_ID, ID } from './parameters.js';

const MOST_EVENTS = 500;

/** Of a list, when it is read as a whole; entries are judged one by one. */
const EVENTS = {
  minItems: 1,
  maxItems: MOST_EVENTS,
  'x-allowed': `a list of 1 to ${MOST_EVENTS} events`,
};

/** The body of `POST /events` as it is read before its events are: one that is bad must not take the others along. */
export const EventsEnvelope = Type.Object(
  { events: Type.Array(Type.Unknown(), EVENTS) },
  { additionalProperties: false },
);

const ToldEvent = Type.Object(
  {
    eventId: Type.Optional(
      Type.String({
        pattern: EVENT_PATTERNS.eventId,
        description:
          'Drawn by the sender, unique per user or session: the same one again counts once. Without one the event counts as often as it is sent.',
      }),
    ),
    userId: Type.Optional(Type.String({ ...ENTITY_ID, description: 'The user’s id as in the dataset.' })),
    sessionId: Type.Optional(
      Type.String({
        ...ENTITY_ID,
        description: 'The visitor’s secret: drawn at random. At least one of userId and sessionId.',
      }),
    ),
    itemId: Type.String({
      ...ENTITY_ID,
      description: 'One that the bundle does not know is kept, and counts once a bundle knows it.',
    }),
    type: Type.String({
      pattern: EVENT_PATTERNS.type,
      description: '`click`, `purchase`, `dislike`, … as the interactions of the dataset call it.',
    }),
    value: Type.Optional(Type.Number({ description: 'A rating, a number of pieces, a price.' })),
    timestamp: Type.Optional(
      Type.Union([Type.String({ pattern: ISO_TIME_PATTERN }), Type.Number()], {
        description: `ISO 8601, or Unix seconds; that is the arrival when absent. At most ${MOST_SECONDS_AHEAD} s ahead, and not older than the server allows.`,
      }),
    ),
    slateId: Type.Optional(
      Type.String({ pattern: EVENT_PATTERNS.slateId, description: 'Of the answer that showed the item.' }),
    ),
    context: Type.Optional(
      Type.Unsafe<UserEvent['context']>(
        Type.Object(
          {},
          {
            additionalProperties: Type.Union([Type.String(ID), Type.Number(), Type.Boolean()]),
            propertyNames: { pattern: EVENT_PATTERNS.contextField },
            maxProperties: MOST_CONTEXT_FIELDS,
            description: 'What was known of the moment, by field of the request context.',
          },
        ),
      ),
    ),
  },
  {
    additionalProperties: false,
    // Said so, since generators of types take an `anyOf` of these two for a choice of anything.
    if: { required: ['userId'] },
    else: { required: ['sessionId'] },
  },
);

/** The body of `POST /events` as the OpenAPI document shows it. */
export const EventsBody = Type.Object(
  { events: Type.Array(ToldEvent, EVENTS) },
  {
    additionalProperties: false,
    'x-examples': {
      click: {
        value: { events: [{ eventId: '9f2c7e1a-click', userId: '42', itemId: '318', type: 'click' }] },
      },
      visitor: {
        value: {
          events: [
            {
              eventId: '4b1d90c3-view',
              sessionId: 'v-6yTq0Zc1',
              itemId: '318',
              type: 'view',
              slateId: 'kq3Zb0VYTzWJx5uQ7l2n9A',
            },
          ],
        },
      },
    },
  },
);

/** The answer of `POST /events`: what became of the events. */
export const EventsAnswer = Type.Object(
  {
    accepted: Type.Integer({ minimum: 0, description: 'Events that are kept now, on the disk.' }),
    duplicates: Type.Integer({ minimum: 0, description: 'Events that were kept before, by their eventId.' }),
    refused: Type.Unsafe<readonly RefusedEvent[]>(
      Type.Array(
        Type.Object(
          {
            index: Type.Integer({ minimum: 0, description: 'The place in the list, from 0.' }),
            detail: Type.String({ description: 'What is wrong with the event, for a person.' }),
          },
          { additionalProperties: false },
        ),
        { description: 'Events that cannot be kept; sending them again gives the same.' },
      ),
    ),
  },
  { $id: 'EventsAnswer', additionalProperties: false, description: 'What became of the events.' },
);

export type EventsAnswer = Static<typeof EventsAnswer>;

/** Examples of `EventsAnswer` for the document. */
export const EVENTS_EXAMPLES: Readonly<Record<string, EventsAnswer>> = {
  accepted: { accepted: 1, duplicates: 0, refused: [] },
  'some of them': {
    accepted: 3,
    duplicates: 1,
    refused: [
      {
        index: 2,
        detail:
          'timestamp is "2100-01-01T00:00:00Z", allowed is at most 60 s ahead of now, 2026-01-02T03:04:05.000Z; a time without a zone is UTC',
      },
    ],
  },
};

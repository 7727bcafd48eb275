import { Type } from 'typebox';
import { ID_CHARACTER, LONGEST_ID } from '../../domain/entity-id.js';
import { MOST_NAMED_VALUES, NAMED_VALUE } from '../../domain/named-value.js';
import { ENTITY_ID_ALLOWED, EVENT_PATTERNS } from '../../events/parse-events.js';

/** How many items a request gets that says no `limit`. */
export const DEFAULT_LIMIT = 10;
/** The scenario of a request that says none. */
export const DEFAULT_SCENARIO = 'home';
/** What a request that says no `explain` has explained. */
export const DEFAULT_EXPLAIN = 'none';

/** The keyword of schemas for `isWholeText`. */
export const WHOLE_TEXT = 'x-whole-text';

/** What an id of a user or an item looks like. */
export const ID = {
  minLength: 1,
  maxLength: LONGEST_ID,
  pattern: `^${ID_CHARACTER}+$`,
  [WHOLE_TEXT]: true,
  'x-allowed': `text of 1 to ${LONGEST_ID} characters, no control characters`,
};

/** What an id of an event looks like: of a user, a session or an item. */
export const ENTITY_ID = { ...ID, pattern: EVENT_PATTERNS.entityId, 'x-allowed': ENTITY_ID_ALLOWED };

/** The session of a visitor, wherever a request names one. */
export const SessionId = Type.Optional(
  Type.String({
    ...ENTITY_ID,
    'x-secret': true,
    description:
      'The visit of somebody who may be no user yet, by the id under which the app sends its events: what was done in it counts too. ' +
      'The visitor’s secret: drawn at random, and in no answer.',
    examples: ['v-6yTq0Zc1ROWk'],
  }),
);

/** Where a list goes on. */
export const Cursor = Type.Optional(
  Type.String({
    description:
      'The `nextCursor` of the last answer: the next page, without anything that the pages before have shown. For the same user, or the same session where there is no user, and the same scenario; the rest may change.',
  }),
);

/** The first example is what a reader of /docs sends without thinking, so it fits every dataset; `describeBundle` adds others. */
const NO_VALUES = { nothing: { value: [] } };

/** The user in the path. */
export const UserId = Type.String({
  ...ID,
  description: 'The user’s id as in the dataset. An id that nobody knows gets a cold start, never an error.',
});

/** The item in the path. */
export const ItemId = Type.String({
  ...ID,
  description: 'An item’s id as in the dataset.',
});

/** What may be asked as `limit`. */
export const LIMIT = { minimum: 1, maximum: 100 };

/** The parameter `limit`. */
export const Limit = Type.Optional(
  Type.Integer({
    ...LIMIT,
    default: DEFAULT_LIMIT,
    description: 'Items at most. Fewer come back only when no more are left.',
    examples: [5],
  }),
);

/** The parameter `scenario`. */
export const Scenario = Type.Optional(
  Type.String({
    ...ID,
    maxLength: 64,
    'x-allowed': 'the name of a scenario',
    default: DEFAULT_SCENARIO,
    description: 'The placement to fill: which sources, rules and ranker.',
  }),
);

/** Items to leave out at most. */
export const MOST_EXCLUDED = 500;

/** The parameter `exclude`, which may be repeated. */
export const Exclude = Type.Optional(
  Type.Array(Type.String(ID), {
    maxItems: MOST_EXCLUDED,
    description: 'Items that must not come back, one per `exclude=`. Unknown ids are ignored.',
    'x-examples': NO_VALUES,
  }),
);

const NAMED = new RegExp(NAMED_VALUE.pattern, 'u');

/** True for text that a request can give as `name:value`. */
export function isNamedValue(text: string): boolean {
  return text.length <= NAMED_VALUE.maxLength && NAMED.test(text);
}

/** A filter as text. */
export const FILTER_TEXT = { ...NAMED_VALUE, [WHOLE_TEXT]: true, 'x-allowed': '`attribute:value`' };
/** A field of the context as text. */
export const CONTEXT_TEXT = { ...NAMED_VALUE, [WHOLE_TEXT]: true, 'x-allowed': '`field:value`' };

/** How several filters go together. */
export const FILTER_RULES =
  'The value of a number may be `<20`, `>=2000` or, with both ends, `1990..2000`; so may that of a date, in ISO 8601. `*` is any value, `!` before any ' +
  'of these takes out what it matches, and a text in quotation marks is itself, whatever it begins with. Values and ranges of one attribute widen the ' +
  'choice; bounds, `*` and `!` narrow it, and so does another attribute. The value may contain colons.';
/** What values of the context mean. */
export const CONTEXT_RULES =
  'A value that training did not know is as good as none. `hour` (0–23) and `weekday` (1 for Monday to 7) are ' +
  'those of the server’s clock unless given.';

/** The parameter `filter`, which may be repeated. */
export const Filter = Type.Optional(
  Type.Array(Type.String(FILTER_TEXT), {
    maxItems: MOST_NAMED_VALUES,
    description: `Only items whose attribute has this value, as \`attribute:value\`, one per \`filter=\`. ${FILTER_RULES}`,
    'x-examples': NO_VALUES,
  }),
);

/** Attributes that an answer may be asked to carry at most. */
export const MOST_FIELDS = 50;

/** The name of an attribute in `fields`. */
export const FIELD_TEXT = {
  maxLength: 512,
  pattern: `^${ID_CHARACTER}*$`,
  [WHOLE_TEXT]: true,
  'x-allowed': 'the name of an attribute that answers show',
};

/** What `fields` does. */
export const FIELDS_RULES =
  'All that answers show come unless this says which. An attribute that answers do not show is a mistake.';

/** The parameter `fields`, which may be repeated. */
export const Fields = Type.Optional(
  Type.Array(Type.String(FIELD_TEXT), {
    maxItems: MOST_FIELDS,
    description: `The attributes that the items of the answer carry, several with commas (\`title,year\`) or one per \`fields=\`; empty for none. ${FIELDS_RULES}`,
    'x-examples': NO_VALUES,
  }),
);

/** The parameter `context`, which may be repeated. */
export const Context = Type.Optional(
  Type.Array(Type.String(CONTEXT_TEXT), {
    maxItems: MOST_NAMED_VALUES,
    description: `What is known of this moment, as \`field:value\`, one per \`context=\`, each field once; the dataset declares the fields. ${CONTEXT_RULES}`,
    'x-examples': NO_VALUES,
  }),
);

/** The parameter `explain`. */
export const Explain = Type.Optional(
  Type.Enum(['none', 'sources', 'features', 'reasons'], {
    type: 'string',
    default: DEFAULT_EXPLAIN,
    description:
      '`sources` says which candidate sources found each item, `features` what the ranker saw of it, `reasons` which rules of the scenario moved it and by how many places.',
    examples: ['sources'],
  }),
);

/** Name of the header by which a client says how long it waits. */
export const TIMEOUT_HEADER = 'x-request-timeout-ms';

const LONGEST_TIMEOUT_MS = 999_999;
/** What may be asked as `timeoutMs`. */
export const TIMEOUT_MS = { minimum: 1, maximum: LONGEST_TIMEOUT_MS };

/** What a timeout does. */
export const TIMEOUT_RULES =
  'Milliseconds that the client waits. When time runs out it is answered with what most people chose, and `degraded` says so. It can only lower what the server is configured for.';

/** The same as the header, for pages of another origin: a header of its own costs them a request to ask for permission. */
export const Timeout = Type.Optional(
  Type.Integer({
    ...TIMEOUT_MS,
    description: `${TIMEOUT_RULES} The header \`${TIMEOUT_HEADER}\` says the same; the lower of the two counts. For browsers: a request with the header is preflighted.`,
    examples: [1000],
  }),
);

/** The headers that every recommending route reads. */
export const RecommendingHeaders = Type.Object({
  [TIMEOUT_HEADER]: Type.Optional(
    Type.String({
      pattern: '^[1-9][0-9]{0,5}$',
      'x-allowed': `a whole number of milliseconds from 1 to ${LONGEST_TIMEOUT_MS}`,
      description: TIMEOUT_RULES,
      examples: ['1000'],
    }),
  ),
});

/** The headers of recommending routes that answer the same to everybody. */
export const ConditionalHeaders = Type.Object({
  ...RecommendingHeaders.properties,
  'if-none-match': Type.Optional(
    Type.String({
      description:
        'The `etag` of the answer that the client has, several with commas, or `*` for any: while it is the same, the answer is a 304 without a body.',
      examples: ['W/"9bMQzxAT8-P-v9DGzCgWnp"'],
    }),
  ),
});

/** The query of a route that takes none: a parameter that does nothing is a mistake of the caller, who would not learn of it. */
export const NoQuery = Type.Object({}, { additionalProperties: false });

import { Type, type Static, type TSchema } from 'typebox';
import { parseIsoTime } from '../domain/parse-iso-time.js';
import { isMapping, listProblems } from './list-problems.js';
import { showValue } from './show-value.js';

const closed = { additionalProperties: false } as const;

/** The rules that are a name and no more. */
export const PLAIN_RULES = ['exclude-seen', 'exclude-requested', 'filter-attributes'] as const;

/** The name of a rule without settings. */
export type PlainRule = (typeof PLAIN_RULES)[number];

const strength = (minimum: number, description: string): Type.TNumber =>
  Type.Number({ minimum, maximum: 1, description });

const attribute = Type.String({ minLength: 1, description: 'An attribute of the items.' });

const ItemId = Type.String({
  minLength: 1,
  maxLength: 512,
  'x-allowed': 'the id of an item as text, in quotation marks where it is a number',
  description: 'The id of an item.',
});

const named = (allowed: string, description: string): Type.TArray<Type.TString> =>
  Type.Array(Type.String({ pattern: '^[^:]+:.', 'x-allowed': allowed }), { minItems: 1, description });

const time = (description: string): Type.TOptional<Type.TString> =>
  Type.Optional(
    Type.String({
      pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})$',
      'x-allowed': 'a time with its zone, such as 2026-03-01T09:00:00+01:00',
      description,
    }),
  );

/** Schema of the conditions of a rule: all of them hold, or the rule does nothing. */
export const RuleWhen = Type.Object(
  {
    scenario: Type.Optional(
      Type.Array(Type.String({ minLength: 1 }), {
        minItems: 1,
        description: 'The scenario that was asked for is one of these.',
      }),
    ),
    context: Type.Optional(
      named(
        '`field:value`',
        'The context of the request has one of these values; another field narrows it. The bundle must have the field.',
      ),
    ),
    filter: Type.Optional(
      named(
        '`attribute:value`',
        'The rule touches only items that pass these filters, read as `filter=` is.',
      ),
    ),
  },
  closed,
);

/** The conditions of a rule, typed as their schema says. */
export type RuleWhen = Static<typeof RuleWhen>;

const DURING = {
  when: Type.Optional(RuleWhen),
  from: time('The rule begins at this time.'),
  until: time('The rule ends before this time.'),
};

/** The schema of the settings of each rule that has some, by its name. */
export const RULE_SETTINGS = {
  seen: Type.Object(
    {
      types: Type.Optional(
        Type.Array(Type.String({ minLength: 1 }), {
          minItems: 1,
          description: 'What counts: types of interactions and events, such as purchase. By default all.',
        }),
      ),
      days: Type.Optional(
        Type.Number({
          exclusiveMinimum: 0,
          maximum: 36_500,
          description: 'For how long it counts; by default for good.',
        }),
      ),
    },
    closed,
  ),
  available: Type.Object(
    {
      from: Type.Optional(attribute),
      until: Type.Optional(attribute),
    },
    closed,
  ),
  cap: Type.Object(
    {
      attribute,
      most: Type.Integer({ minimum: 1, maximum: 100, description: 'Items of one value at most…' }),
      in: Type.Integer({ minimum: 2, maximum: 100, description: '…in any so many places in a row.' }),
    },
    closed,
  ),
  diversity: Type.Object(
    {
      strength: strength(0, 'What being unlike counts against being relevant: 0 nothing, 1 all.'),
      by: Type.Enum(['vectors', 'attributes'], {
        description:
          'What makes items alike: their vectors of the bundle, or the attribute values they share.',
      }),
      attributes: Type.Optional(
        Type.Array(attribute, {
          minItems: 1,
          description: 'With `by: attributes`: which. By default all that have a vocabulary.',
        }),
      ),
    },
    closed,
  ),
  fresh: Type.Object(
    {
      halfLifeDays: Type.Number({
        exclusiveMinimum: 0,
        maximum: 36_500,
        description: 'An item of this age counts half as fresh as a new one.',
      }),
      strength: strength(0, 'What being fresh counts against being relevant: 0 nothing, 1 all.'),
    },
    closed,
  ),
  fatigue: Type.Object(
    {
      shown: Type.Integer({
        minimum: 1,
        maximum: 20,
        description: 'What the subject was answered with so many times…',
      }),
      days: Type.Number({
        exclusiveMinimum: 0,
        maximum: 90,
        description: '…in so many days sinks.',
      }),
      strength: strength(0, 'How much of its worth it loses: 0 nothing, 1 all.'),
    },
    closed,
  ),
  pin: Type.Object(
    {
      item: ItemId,
      position: Type.Integer({ minimum: 1, maximum: 600, description: 'The place, from 1.' }),
      ...DURING,
    },
    closed,
  ),
  hide: Type.Object(
    { items: Type.Optional(Type.Array(ItemId, { minItems: 1, maxItems: 10_000 })), ...DURING },
    closed,
  ),
  boost: Type.Object(
    {
      strength: strength(
        -1,
        'How far an item is lifted, as a share of the span from the worst to the best candidate; below 0 it sinks.',
      ),
      items: Type.Optional(Type.Array(ItemId, { minItems: 1, maxItems: 10_000 })),
      ...DURING,
    },
    closed,
  ),
} as const;

/** The settings of each rule that has some, by its name. */
export type RuleSettings = {
  readonly [Name in keyof typeof RULE_SETTINGS]: Static<(typeof RULE_SETTINGS)[Name]>;
};

/** The name of a rule that has settings. */
export type SettableRule = keyof RuleSettings;

/** One entry of `rules`: a name, or one name with its settings. */
export type RuleEntry =
  PlainRule | { [Name in SettableRule]: { readonly [Key in Name]: RuleSettings[Name] } }[SettableRule];

/** Rules that a list has once at most: twice would be a mistake. The others may stand several times with other settings. */
const ONCE: readonly string[] = [...PLAIN_RULES, 'available', 'diversity', 'fresh', 'fatigue'];

/**
 * Lists the faults of a list of rules, one sentence each, with place, value and what is allowed.
 * @param origin opens each sentence, `path` is where the list stands in it
 */
export function listRuleProblems(
  entries: readonly unknown[],
  { origin, path }: { origin: string; path: readonly string[] },
): string[] {
  const names = entries.map(nameOf);
  return entries.flatMap((entry, index) => {
    const at = [...path, String(index)];
    const name = names[index];
    const problems = listEntryProblems(entry, { origin, path: at });
    if (problems.length > 0 || name === undefined || !ONCE.includes(name)) return problems;
    const first = names.indexOf(name);
    return first === index
      ? []
      : [`${origin}: ${at.join('.')} is ${name} again, allowed is once: ${[...path, first].join('.')}`];
  });
}

/** The name of the rule of an entry; undefined where it has the form of none. */
function nameOf(entry: unknown): string | undefined {
  if (typeof entry === 'string') return entry;
  const keys = isMapping(entry) ? Object.keys(entry) : [];
  return keys.length === 1 ? keys[0] : undefined;
}

/** Lists the faults of one entry of a list of rules; `path` is where it stands. */
export function listEntryProblems(
  entry: unknown,
  { origin, path }: { origin: string; path: readonly string[] },
): string[] {
  const place = `${origin}: ${path.join('.')}`;
  const name = nameOf(entry);
  if (name === undefined)
    return [`${place} is ${showValue(entry)}, allowed is a name, or one name with its settings`];
  const isPlain = (PLAIN_RULES as readonly string[]).includes(name);
  const schema = Object.hasOwn(RULE_SETTINGS, name) ? RULE_SETTINGS[name as SettableRule] : undefined;
  if (!isPlain && schema === undefined) return [`${place} is ${name}, which is unknown; known are ${KNOWN}`];
  if (typeof entry === 'string')
    return isPlain ? [] : [`${place} is ${name}, allowed is ${name} with its settings: ${keysOf(schema!)}`];
  if (isPlain) return [`${place} has settings for ${name}, allowed is the name alone`];
  const settings = (entry as Record<string, unknown>)[name];
  const problems = listProblems(schema!, settings, { origin, path: [...path, name] });
  if (problems.length > 0) return problems;
  return findContradictions(entry as RuleEntry).map((problem) => `${place}.${name}${problem}`);
}

const KNOWN = [...PLAIN_RULES, ...Object.keys(RULE_SETTINGS)].join(', ');

function keysOf(schema: TSchema): string {
  return Object.keys((schema as Type.TObject).properties).join(', ');
}

/** What settings say that each of them may say, but not together; each begins behind the name of the rule. */
function findContradictions(entry: RuleEntry): string[] {
  if (typeof entry === 'string') return [];
  if ('cap' in entry) {
    const { most, in: places } = entry.cap;
    return most < places ? [] : [`.most is ${most}, allowed is less than ${places} (in)`];
  }
  if ('diversity' in entry) {
    const { by, attributes } = entry.diversity;
    return attributes === undefined || by === 'attributes'
      ? []
      : ['.attributes is set, allowed is that with by: attributes'];
  }
  if ('fresh' in entry || 'seen' in entry || 'fatigue' in entry) return [];
  if ('available' in entry) {
    const { from, until } = entry.available;
    return from === undefined && until === undefined
      ? [' names no attribute, name one in from or until']
      : [];
  }
  if ('pin' in entry) return listTimeProblems(entry.pin);
  const settings = 'hide' in entry ? entry.hide : entry.boost;
  const hasItems = settings.items !== undefined || settings.when?.filter !== undefined;
  return [
    ...(hasItems ? [] : [' names no items, name some in items or when.filter']),
    ...listTimeProblems(settings),
  ];
}

function listTimeProblems({ from, until }: { readonly from?: string; readonly until?: string }): string[] {
  const problems = Object.entries({ from, until }).flatMap(([key, text]) =>
    text === undefined || !Number.isNaN(parseIsoTime(text))
      ? []
      : [`.${key} is ${showValue(text)}, which is no time of the calendar`],
  );
  if (problems.length > 0 || from === undefined || until === undefined) return problems;
  return parseIsoTime(from) < parseIsoTime(until)
    ? []
    : [`.from is ${showValue(from)}, allowed is a time before until, ${showValue(until)}`];
}

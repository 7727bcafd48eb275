import { Type, type Static } from 'typebox';
import { isMapping, listProblems } from './list-problems.js';
import { listEntryProblems, RULE_SETTINGS, type RuleSettings } from './rule-config.js';
import { showValue } from './show-value.js';

const closed = { additionalProperties: false } as const;

/** The rules that overrides may have. */
export const OVERRIDE_RULES = ['hide', 'pin', 'boost'] as const;

/** The name of a rule that an override may have. */
export type OverrideRule = (typeof OVERRIDE_RULES)[number];

/** More than people write: a document that has more is made by a program, for which rules of attributes are the better place. */
const MOST_OVERRIDES = 1000;

/** Each combination of filters takes a byte and more for each item of the catalogue, and a pass over it when a document is put. */
const MOST_FILTERS = 100;

const why = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 500,
    description: 'Why, for people: the log and `explain=reasons` say it.',
  }),
);

/** Schema of one override: one of the rules, with the settings that scenarios give it, and why. */
export const OverrideSchema = Type.Object(
  {
    hide: Type.Optional(RULE_SETTINGS.hide),
    pin: Type.Optional(RULE_SETTINGS.pin),
    boost: Type.Optional(RULE_SETTINGS.boost),
    why,
  },
  { ...closed, description: 'One of `hide`, `pin` and `boost`, with its settings.' },
);

/** Schema of a document of overrides. */
export const OverridesSchema = Type.Object(
  { why, overrides: Type.Array(OverrideSchema, { maxItems: MOST_OVERRIDES }) },
  closed,
);

/** One override that is checked: it has one of the three rules. */
export interface Override {
  readonly hide?: RuleSettings['hide'];
  readonly pin?: RuleSettings['pin'];
  readonly boost?: RuleSettings['boost'];
  readonly why?: string;
}

/** A document of overrides that is checked. */
export interface OverridesDocument {
  readonly why?: string;
  /** In this order: of two pins of one place the first counts. */
  readonly overrides: readonly Override[];
}

/** The top of a document; `listOverrideProblems` checks each entry. */
const DocumentTop = Type.Object(
  { why, overrides: Type.Array(Type.Unknown(), { maxItems: MOST_OVERRIDES }) },
  closed,
);

/**
 * Lists everything that is wrong with a document of overrides, whatever the bundle is, one sentence each, with place, value and what is allowed.
 * @param options.origin opens each sentence
 * @param options.scenarios those that conditions may name
 */
export function listOverrideProblems(
  value: unknown,
  { origin, scenarios }: { origin: string; scenarios: readonly string[] },
): string[] {
  if (!isMapping(value)) return [`${origin}: is ${showValue(value)}, allowed is { overrides: […] }`];
  const { overrides } = value;
  if (Array.isArray(overrides) && overrides.length > MOST_OVERRIDES)
    return [`${origin}: overrides has ${overrides.length} entries, allowed are ${MOST_OVERRIDES}`];
  const problems = listProblems(DocumentTop, value, { origin });
  if (!Array.isArray(overrides)) return problems;
  const entries = overrides.flatMap((entry: unknown, index) =>
    listProblemsOf(entry, { origin, scenarios, path: ['overrides', String(index)] }),
  );
  const all = [...problems, ...entries];
  return all.length > 0 ? all : listFilterProblems(overrides as Override[], origin);
}

function listFilterProblems(overrides: readonly Override[], origin: string): string[] {
  const combinations = new Set(
    overrides.map(({ hide, pin, boost }) => JSON.stringify((hide ?? pin ?? boost)!.when?.filter ?? [])),
  );
  combinations.delete('[]');
  return combinations.size <= MOST_FILTERS
    ? []
    : [`${origin}: overrides have ${combinations.size} different when.filter, allowed are ${MOST_FILTERS}`];
}

interface Place {
  readonly origin: string;
  readonly path: readonly string[];
  readonly scenarios: readonly string[];
}

function listProblemsOf(entry: unknown, { origin, path, scenarios }: Place): string[] {
  const place = `${origin}: ${path.join('.')}`;
  const rule = isMapping(entry) ? findRule(entry) : undefined;
  if (rule === undefined)
    return [`${place} is ${showValue(entry)}, allowed is one of ${OVERRIDE_RULES.join(', ')}, with why`];
  const { [rule]: settings, why: reason } = entry as Record<string, unknown>;
  const reasons = listProblems(Type.Object({ why }), reason === undefined ? {} : { why: reason }, {
    origin: place,
  });
  const problems = listEntryProblems({ [rule]: settings }, { origin, path });
  if (problems.length > 0) return [...reasons, ...problems];
  return [...reasons, ...listUnknownScenarios(settings as OverrideTimes, `${place}.${rule}`, scenarios)];
}

type OverrideTimes = Pick<Static<(typeof RULE_SETTINGS)[OverrideRule]>, 'when'>;

function findRule(entry: Record<string, unknown>): OverrideRule | undefined {
  const names = Object.keys(entry).filter((key) => key !== 'why');
  return names.length === 1 ? OVERRIDE_RULES.find((rule) => rule === names[0]) : undefined;
}

function listUnknownScenarios({ when }: OverrideTimes, place: string, known: readonly string[]): string[] {
  return (when?.scenario ?? []).flatMap((name, index) =>
    known.includes(name)
      ? []
      : [
          `${place}.when.scenario.${index} is ${showValue(name)}, which is unknown; known are ${known.join(', ')}`,
        ],
  );
}

import type { RuleWhen } from '../config/rule-config.js';
import type { EligibleItems } from '../domain/candidate.js';
import type { Catalogue } from '../domain/catalogue.js';
import type { ContextField } from '../domain/context.js';
import { ShortlistError } from '../domain/errors.js';
import { splitNamedValue, toAttributeFilter } from '../domain/named-value.js';
import { parseIsoTime } from '../domain/parse-iso-time.js';
import { attemptAll } from './attempt-all.js';
import { checkFilters } from './check-filters.js';
import { filterMask } from './filter-masks.js';
import type { RuleFacts, RuleMoment } from './rule-facts.js';

/** Says whether a rule is in force at a moment. */
export interface RuleCondition {
  holds(moment: RuleMoment): boolean;
  /** Whether the time is within `from` and `until`; undefined where neither is said. */
  readonly isWithin?: ((now: number) => boolean) | undefined;
}

/** When a rule is in force, as its settings say it. */
export interface RuleTimes {
  readonly when?: RuleWhen | undefined;
  /** ISO 8601 with a zone: the first second. */
  readonly from?: string | undefined;
  /** The first second after it. */
  readonly until?: string | undefined;
}

/**
 * Binds the conditions about a request.
 * @throws ShortlistError INVALID_BUNDLE for a field of the context that the bundle does not have
 */
export function bindCondition({ when = {}, from, until }: RuleTimes, facts: RuleFacts): RuleCondition {
  const { scenario: scenarios, context: texts = [] } = when;
  const first = from === undefined ? Number.NEGATIVE_INFINITY : parseIsoTime(from);
  const end = until === undefined ? Number.POSITIVE_INFINITY : parseIsoTime(until);
  const isWithin = (now: number): boolean => now >= first && now < end;
  const fields = bindContext(texts, facts);
  return {
    ...((from !== undefined || until !== undefined) && { isWithin }),
    holds: ({ scenario, context, now }) =>
      isWithin(now) &&
      (scenarios === undefined || scenarios.includes(scenario)) &&
      fields.every(({ index, values }) => values.includes(context[index]!)),
  };
}

interface BoundField {
  readonly index: number;
  /** Values as a context has them. */
  readonly values: readonly number[];
}

/** Values of one field widen, another field narrows. A category that training did not see is as good as none: it is never met. */
function bindContext(texts: readonly string[], { context }: RuleFacts): BoundField[] {
  const fields = context?.fields ?? [];
  const valuesOf = new Map<number, number[]>();
  for (const { index, value } of attemptAll(texts.map((text) => () => bindField(text, fields))))
    valuesOf.set(index, [...(valuesOf.get(index) ?? []), value]);
  return [...valuesOf].map(([index, values]) => ({ index, values }));
}

function bindField(text: string, fields: readonly ContextField[]): { index: number; value: number } {
  const [name, value] = splitNamedValue(text);
  const index = fields.findIndex((field) => field.name === name);
  if (index >= 0) return { index, value: readValue(fields[index]!, value) };
  const known = fields.map((field) => field.name).join(', ') || 'none';
  throw new ShortlistError(
    'INVALID_BUNDLE',
    `when.context names ${name}, and the bundle has no such field of the context; it has ${known}`,
  );
}

function readValue({ name, type, values = [] }: ContextField, text: string): number {
  if (type === 'categorical') return values.includes(text) ? values.indexOf(text) : Number.NEGATIVE_INFINITY;
  const number = Math.fround(Number(text));
  if (Number.isFinite(number)) return number;
  throw new ShortlistError('INVALID_BUNDLE', `when.context says ${name}:${text}, and ${name} is a number`);
}

/** The items that a rule is about. */
export interface MeantItems {
  has(item: number): boolean;
  /** Makes none of them eligible. */
  clear(eligible: EligibleItems): void;
}

/**
 * Binds the items that a rule is about: those of a list that pass the filters, or all that pass them. Ids that the bundle does not have are
 * ignored.
 * @throws ShortlistError UNKNOWN_ATTRIBUTE, INVALID_REQUEST for filters that the bundle cannot answer
 */
export function bindItems(
  { items: ids, when = {} }: { items?: readonly string[] | undefined; when?: RuleWhen | undefined },
  catalogue: Catalogue,
): MeantItems {
  const filters = (when.filter ?? []).map(toAttributeFilter);
  attemptAll(filters.map((filter) => () => checkFilters([filter], catalogue)));
  const passing = filters.length === 0 ? undefined : filterMask(catalogue, filters);
  if (ids === undefined) return meanMask(passing!);
  const listed = ids
    .map((id) => catalogue.entities.find(id))
    .filter((item) => item >= 0 && passing?.[item] !== 0);
  const items = new Set(listed);
  return {
    has: (item) => items.has(item),
    clear: (eligible) => {
      for (const item of items) eligible[item] = 0;
    },
  };
}

function meanMask(mask: Uint8Array): MeantItems {
  return {
    has: (item) => mask[item] === 1,
    clear: (eligible) => {
      for (let item = 0; item < mask.length; item++) if (mask[item] === 1) eligible[item] = 0;
    },
  };
}

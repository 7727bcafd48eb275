import type { EligibleItems } from '../domain/candidate.js';
import { toAttributeFilter } from '../domain/named-value.js';
import type { EligibilityRule, RuleInput } from './eligibility-rule.js';
import { excludeRequested, excludeSeen } from './exclude-items.js';
import { filterAttributes } from './filter-attributes.js';
import { filterMask, intersectMask } from './filter-masks.js';

/** Every rule a scenario can name. */
export const RULES: ReadonlyMap<string, EligibilityRule> = new Map(
  [excludeSeen, excludeRequested, filterAttributes].map((rule) => [rule.name, rule]),
);

/**
 * The items that a request may be answered with, after the named rules and the filters of the scenarios, and, whatever those say, without
 * what the subject does not want and what earlier pages showed. Names were checked when the scenario was read.
 */
export function findEligibleItems(ruleNames: readonly string[], context: RuleInput): EligibleItems {
  const eligible = new Uint8Array(context.catalogue.entities.size).fill(1);
  for (const name of ruleNames) RULES.get(name)!.apply(eligible, context);
  for (const filters of context.placements ?? []) {
    if (filters === undefined || filters.length === 0) continue;
    intersectMask(eligible, filterMask(context.catalogue, filters.map(toAttributeFilter)));
  }
  for (const item of context.unwanted) eligible[item] = 0;
  for (const item of context.shown) eligible[item] = 0;
  return eligible;
}

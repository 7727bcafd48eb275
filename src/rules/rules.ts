import type { RuleSettings } from '../config/rule-config.js';
import type { EligibleItems } from '../domain/candidate.js';
import { toAttributeFilter } from '../domain/named-value.js';
import type { EligibilityRule, RuleInput } from './eligibility-rule.js';
import { filterMask, intersectMask } from './filter-masks.js';
import type { SlateRule } from './slate-rule.js';

/** The rules of a scenario, bound to a bundle. */
export interface ScenarioRules {
  /** Before retrieval: who may not appear. */
  readonly eligibility: readonly EligibilityRule[];
  /** Between ranking and slate, in the order of the scenario. */
  readonly slate: readonly SlateRule[];
  /** Whether a rule asks for the types of what the subject did. */
  readonly readsTypes: boolean;
  /** When an item counts as shown too often; absent where no rule asks. */
  readonly fatigue?: Pick<RuleSettings['fatigue'], 'shown' | 'days'> | undefined;
  /** Says which of the rules that begin or end are in force at a time (Unix seconds): the same text while nothing changes. */
  phaseAt(now: number): string;
}

/**
 * The items that a request may be answered with: after the rules of its scenario and the filters of the scenarios, and, whatever those say,
 * only what passes the filters of the request, without what it excludes, what the subject does not want, and what earlier pages showed.
 */
export function findEligibleItems(rules: readonly EligibilityRule[], context: RuleInput): EligibleItems {
  const eligible = new Uint8Array(context.catalogue.entities.size).fill(1);
  for (const rule of rules) rule.apply(eligible, context);
  for (const filters of context.placements ?? []) {
    if (filters === undefined || filters.length === 0) continue;
    intersectMask(eligible, filterMask(context.catalogue, filters.map(toAttributeFilter)));
  }
  if (context.filters.length > 0) intersectMask(eligible, filterMask(context.catalogue, context.filters));
  for (const item of context.excluded) eligible[item] = 0;
  for (const item of context.unwanted) eligible[item] = 0;
  for (const item of context.shown) eligible[item] = 0;
  return eligible;
}

import type { RuleSettings } from '../config/rule-config.js';
import type { EligibleItems } from '../domain/candidate.js';
import { toAttributeFilter } from '../domain/named-value.js';
import type { EligibilityRule, RemovalKind, RemovalListener, RuleInput } from './eligibility-rule.js';
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
 * @param options.onRemoval is told of each step, for those who ask why an item is not there
 * @param options.mask of the catalogue, all 1, to clear bytes of; by default a new one
 */
export function findEligibleItems(
  rules: readonly EligibilityRule[],
  context: RuleInput,
  {
    onRemoval,
    mask: eligible = new Uint8Array(context.catalogue.entities.size).fill(1),
  }: { onRemoval?: RemovalListener | undefined; mask?: EligibleItems | undefined } = {},
): EligibleItems {
  for (const rule of rules) {
    rule.apply(eligible, context);
    onRemoval?.(
      { name: rule.name, kind: 'rule', explain: (item) => rule.explain?.(item, context) },
      eligible,
    );
  }
  for (const filters of context.placements ?? []) {
    if (filters === undefined || filters.length === 0) continue;
    intersectMask(eligible, filterMask(context.catalogue, filters.map(toAttributeFilter)));
    onRemoval?.({ name: 'scenario filters', kind: 'filter', explain: () => filters.join(', ') }, eligible);
  }
  if (context.filters.length > 0) {
    intersectMask(eligible, filterMask(context.catalogue, context.filters));
    onRemoval?.({ name: 'filter', kind: 'filter' }, eligible);
  }
  for (const [name, kind, items] of listNamed(context)) {
    for (let at = 0; at < items.length; at++) eligible[items[at]!] = 0;
    if (items.length > 0) onRemoval?.({ name, kind }, eligible);
  }
  return eligible;
}

/** Items that the request or its subject name to be left out. */
function listNamed({
  excluded,
  unwanted,
  shown,
}: RuleInput): [string, RemovalKind, Int32Array | readonly number[]][] {
  return [
    ['exclude', 'exclude', excluded],
    ['unwanted', 'rule', unwanted],
    ['earlier pages', 'exclude', shown],
  ];
}

import type { OverridesDocument } from '../config/override-config.js';
import { bindOverrides, type BoundOverrides } from './bind-overrides.js';
import { NO_OVERRIDES, type OverrideCheck, type Overrides, type OverridesInForce } from './overrides.js';
import type { RuleFacts } from './rule-facts.js';
import type { ScenarioRules } from './rules.js';

/** The rules of every scenario that are in force now, bound to a bundle. */
export interface RuleBook {
  /** Those of a scenario, with the overrides before its own. */
  get(scenario: string): ScenarioRules | undefined;
  /** The overrides that are in force: the same object until others are. */
  overrides(): Overrides;
  /** What the bundle has to say of a document, in force or not. */
  check(document: OverridesDocument): OverrideCheck;
}

/**
 * Makes a book of rules that are bound already, with overrides that are bound when they are first asked for, once for each document.
 * @param own of each scenario
 * @param inForce absent where nothing is overridden
 */
export function createRuleBook(
  own: ReadonlyMap<string, ScenarioRules>,
  facts: RuleFacts,
  inForce?: OverridesInForce,
): RuleBook {
  let bound: BoundOverrides | undefined;
  let boundOf: Overrides = NO_OVERRIDES;
  let combined = new Map<string, ScenarioRules>();
  const current = (): Overrides => inForce?.current() ?? NO_OVERRIDES;

  function bind(overrides: Overrides): void {
    boundOf = overrides;
    combined = new Map();
    bound = overrides.document.overrides.length === 0 ? undefined : bindOverrides(overrides.document, facts);
    if (bound !== undefined && bound.ineffective.length > 0)
      inForce?.onIneffective?.(bound.ineffective, overrides.version);
  }

  function combine(scenario: string, rules: ScenarioRules): ScenarioRules {
    const { version } = boundOf;
    const both = bound!.before(scenario, rules);
    return { ...both, phaseAt: (now) => `${version} ${both.phaseAt(now)}` };
  }

  return {
    overrides: current,
    check: ({ overrides }) => bindOverrides({ overrides }, facts),
    get: (scenario) => {
      const overrides = current();
      if (overrides !== boundOf) bind(overrides);
      const rules = own.get(scenario);
      if (bound === undefined || rules === undefined) return rules;
      let found = combined.get(scenario);
      if (found === undefined) combined.set(scenario, (found = combine(scenario, rules)));
      return found;
    },
  };
}

import type { EligibilityRule } from './eligibility-rule.js';
import type { MeantItems, RuleCondition } from './rule-condition.js';

/** Takes items out, whatever else is said of them: who hides an item wins over who pins it. */
export function createHide(condition: RuleCondition, meant: MeantItems): EligibilityRule {
  return {
    name: 'hide',
    apply: (eligible, { moment }) => {
      if (condition.holds(moment)) meant.clear(eligible);
    },
  };
}

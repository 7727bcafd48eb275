import type { RuleSettings } from '../../config/rule-config.js';
import type { MeantItems, RuleCondition } from '../rule-condition.js';
import type { SlateRule } from '../slate-rule.js';

/**
 * Lifts items, or lets them sink: `strength` is added to their worth, which goes from 0 for the worst candidate to 1 for the best. A strength
 * of 0 changes nothing.
 */
export function createBoost(
  { strength }: Pick<RuleSettings['boost'], 'strength'>,
  { condition, meant }: { condition: RuleCondition; meant: MeantItems },
): SlateRule {
  return {
    name: 'boost',
    begin: ({ items, moment }) => {
      if (strength === 0 || !condition.holds(moment)) return undefined;
      return {
        kind: 'worth',
        name: 'boost',
        change: (worth) => {
          for (let rank = 0; rank < worth.length; rank++) {
            if (meant.has(items[rank]!)) worth[rank]! += strength;
          }
        },
        explain: (rank) => (meant.has(items[rank]!) ? `strength ${strength}` : undefined),
      };
    },
  };
}

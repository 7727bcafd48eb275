import type { RuleSettings } from '../../config/rule-config.js';
import type { SlateRule } from '../slate-rule.js';

/**
 * What the subject was answered with again and again sinks: worth is (1 − strength) · worth. A strength of 0 changes nothing.
 */
export function createFatigue({ shown, days, strength }: RuleSettings['fatigue']): SlateRule {
  return {
    name: 'fatigue',
    begin: ({ items, moment: { tired = NONE } }) => {
      if (strength === 0 || tired.length === 0) return undefined;
      const isTired = new Set(tired);
      return {
        kind: 'worth',
        name: 'fatigue',
        change: (worth) => {
          for (let rank = 0; rank < worth.length; rank++)
            if (isTired.has(items[rank]!)) worth[rank]! *= 1 - strength;
        },
        explain: (rank) =>
          isTired.has(items[rank]!) ? `shown ${shown} times or more in ${days} days` : undefined,
      };
    },
  };
}

const NONE = new Int32Array(0);

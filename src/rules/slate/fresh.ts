import type { RuleSettings } from '../../config/rule-config.js';
import type { SlateRule } from '../slate-rule.js';

/**
 * New items first: worth is (1 − strength) · worth + strength · 2^(−age / half-life). A strength of 0 changes nothing.
 * @param ageDaysOf the age of an item, as features have it
 */
export function createFresh(
  { halfLifeDays, strength }: RuleSettings['fresh'],
  ageDaysOf: (item: number) => number,
): SlateRule {
  return {
    name: 'fresh',
    begin: ({ items }) => {
      if (strength === 0) return undefined;
      return {
        kind: 'worth',
        name: 'fresh',
        change: (worth) => {
          for (let rank = 0; rank < worth.length; rank++) {
            const freshness = 2 ** (-ageDaysOf(items[rank]!) / halfLifeDays);
            worth[rank] = (1 - strength) * worth[rank]! + strength * freshness;
          }
        },
        explain: (rank) => `${describeDays(ageDaysOf(items[rank]!))} old`,
      };
    },
  };
}

function describeDays(days: number): string {
  const whole = Math.floor(days);
  return whole === 1 ? '1 day' : `${whole} days`;
}

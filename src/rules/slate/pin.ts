import type { RuleCondition } from '../rule-condition.js';
import type { RuleMoment } from '../rule-facts.js';
import type { SlatePlaces, SlateRule } from '../slate-rule.js';

/**
 * Puts an item at a place of the list, which goes on over its pages. It needs no source to find it, but it must be eligible: what is hidden,
 * seen (where the scenario excludes that), excluded or filtered out is not put there, and the next best stands in its place.
 * @param item index; -1 for an item that the bundle does not have, for which nothing is done
 * @param position from 1
 */
export function createPin(
  { item, position }: { item: number; position: number },
  condition: RuleCondition,
): SlateRule {
  const findPlace = (moment: RuleMoment, { before }: SlatePlaces): number | undefined => {
    const place = position - 1 - before;
    return item >= 0 && place >= 0 && condition.holds(moment) ? place : undefined;
  };
  return {
    name: 'pin',
    findWanted: (moment, places) => {
      const place = findPlace(moment, places);
      return place === undefined || place >= places.limit ? [] : [{ item, place }];
    },
    begin: (slate) => {
      const place = findPlace(slate.moment, slate);
      const rank = place === undefined ? -1 : slate.rankOf(item);
      if (place === undefined || rank < 0) return undefined;
      return {
        kind: 'pin',
        name: 'pin',
        rank,
        place,
        explain: (other) => (other === rank ? `place ${position}` : undefined),
      };
    },
  };
}

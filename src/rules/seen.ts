import type { RuleSettings } from '../config/rule-config.js';
import type { EligibleItems } from '../domain/candidate.js';
import type { TypedEntries } from '../domain/history.js';
import { SECONDS_PER_DAY } from '../domain/time.js';
import type { EligibilityRule } from './eligibility-rule.js';

/**
 * Takes out what the subject did something with: of some types, within some days, by the times that were said and the clock of the request.
 * Something of no known type counts as of any; what the request says of this moment counts where all types do.
 */
export function createSeen({
  types,
  days = Number.POSITIVE_INFINITY,
}: RuleSettings['seen']): EligibilityRule {
  return {
    name: 'seen',
    apply: (eligible, { typed, touched, moment }) => {
      const first = moment.now - days * SECONDS_PER_DAY;
      for (const entries of typed()) clearSince(eligible, entries, { first, types });
      if (types === undefined) for (const item of touched) eligible[item] = 0;
    },
  };
}

function clearSince(
  eligible: EligibleItems,
  { items, timestamps, types: codes, names }: TypedEntries,
  { first, types }: { first: number; types: readonly string[] | undefined },
): void {
  const counts = names.map((name) => types === undefined || types.includes(name));
  for (let at = 0; at < items.length; at++) {
    if (timestamps[at]! >= first && counts[codes[at]!] !== false) eligible[items[at]!] = 0;
  }
}

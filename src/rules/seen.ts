import type { RuleSettings } from '../config/rule-config.js';
import type { TypedEntries } from '../domain/history.js';
import { showDay } from '../domain/show-day.js';
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
  const isCounted = ({ timestamps, types: codes, names }: TypedEntries, now: number) => {
    const first = now - days * SECONDS_PER_DAY;
    const counts = names.map((name) => types === undefined || types.includes(name));
    return (at: number): boolean => timestamps[at]! >= first && counts[codes[at]!] !== false;
  };
  return {
    name: 'seen',
    apply: (eligible, { typed, touched, moment }) => {
      for (const entries of typed()) {
        const counts = isCounted(entries, moment.now);
        for (let at = 0; at < entries.items.length; at++) if (counts(at)) eligible[entries.items[at]!] = 0;
      }
      if (types === undefined) for (const item of touched) eligible[item] = 0;
    },
    explain: (item, { typed, moment }) => {
      for (const entries of typed()) {
        const counts = isCounted(entries, moment.now);
        const at = entries.items.findLastIndex((found, place) => found === item && counts(place));
        if (at < 0) continue;
        return `${entries.names[entries.types[at]!] ?? 'seen'} on ${showDay(entries.timestamps[at]!)}`;
      }
      return undefined;
    },
  };
}

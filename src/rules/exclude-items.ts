import { showValue } from '../config/show-value.js';
import type { Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { EligibilityRule } from './eligibility-rule.js';
import { createSeen } from './seen.js';

/** Excludes the items of the history. */
export const excludeSeen: EligibilityRule = {
  name: 'exclude-seen',
  apply: (eligible, { history }) => {
    for (const item of history.items) eligible[item] = 0;
  },
};

/**
 * Excludes what the subject need not be asked about again where a bundle predicts some types: what it did of these, and of no known
 * type, and what the request says was touched in this moment. What was viewed and not bought stays.
 * @param types that the bundle predicts
 */
export function createExcludeSettled(types: readonly string[]): EligibilityRule {
  const settled = createSeen({ types: [...types] });
  return {
    ...settled,
    name: excludeSeen.name,
    apply: (eligible, input) => {
      settled.apply(eligible, input);
      for (const item of input.touched) eligible[item] = 0;
    },
  };
}

/**
 * Refuses several ids given as one, `i1,i2`, where each would be left out unless the client had joined them: one text that is no item, while
 * all of its parts are. Other ids that nobody knows do no harm.
 * @throws ShortlistError INVALID_REQUEST with every such text
 */
export function checkExcluded(ids: readonly string[], { entities }: Catalogue): void {
  const isItem = (id: string): boolean => entities.find(id.trim()) >= 0;
  const joined = ids.filter(
    (id) => id.includes(',') && entities.find(id) < 0 && id.split(',').every((part) => isItem(part)),
  );
  if (joined.length === 0) return;
  throw new ShortlistError(
    'INVALID_REQUEST',
    `exclude is ${joined.map(showValue).join(', ')}, which is no item, while its parts are. Give each id by itself: exclude=a&exclude=b, in a body ["a", "b"].`,
  );
}

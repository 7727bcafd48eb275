import type { EligibleItems } from '../domain/candidate.js';
import type { EligibilityRule } from './eligibility-rule.js';

/** Excludes the items of the history. */
export const excludeSeen: EligibilityRule = {
  name: 'exclude-seen',
  apply: (eligible, { history }) => clear(eligible, history.items),
};

/** Excludes the items that the client named in `exclude`. */
export const excludeRequested: EligibilityRule = {
  name: 'exclude-requested',
  apply: (eligible, { excluded }) => clear(eligible, excluded),
};

function clear(eligible: EligibleItems, items: Int32Array): void {
  for (const item of items) eligible[item] = 0;
}

import type { EligibleItems } from '../domain/candidate.js';
import type { EligibilityRule } from './eligibility-rule.js';

/** What the history already holds is not recommended again. */
export const excludeSeen: EligibilityRule = {
  name: 'exclude-seen',
  apply: (eligible, { history }) => clear(eligible, history.items),
};

/** What the client named in `exclude` is not recommended. */
export const excludeRequested: EligibilityRule = {
  name: 'exclude-requested',
  apply: (eligible, { excluded }) => clear(eligible, excluded),
};

function clear(eligible: EligibleItems, items: Int32Array): void {
  for (const item of items) eligible[item] = 0;
}

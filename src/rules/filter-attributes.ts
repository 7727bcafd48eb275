import type { Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { AttributeFilter } from '../domain/slate.js';
import type { EligibilityRule } from './eligibility-rule.js';
import { filterMask, findFilterMasks, intersectMask } from './filter-masks.js';

/** Only items that pass the filters of the request. */
export const filterAttributes: EligibilityRule = {
  name: 'filter-attributes',
  apply: (eligible, { catalogue, filters }) => {
    if (filters.length > 0) intersectMask(eligible, filterMask(catalogue, filters));
  },
};

/**
 * @throws ShortlistError UNKNOWN_ATTRIBUTE when a filter names an attribute that is not declared filterable; INVALID_REQUEST when one asks
 * for a value that its attribute cannot have, with all such values
 */
export function checkFilters(filters: readonly AttributeFilter[], catalogue: Catalogue): void {
  const { refuse } = findFilterMasks(catalogue);
  const refusals = filters.map(refuse).filter((refusal) => refusal !== undefined);
  const unknown = refusals.find(({ code }) => code === 'UNKNOWN_ATTRIBUTE');
  if (unknown !== undefined) throw unknown;
  if (refusals.length === 0) return;
  throw new ShortlistError('INVALID_REQUEST', refusals.map(({ message }) => message).join(' '));
}

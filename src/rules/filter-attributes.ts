import type { Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { AttributeFilter } from '../domain/slate.js';
import type { EligibilityRule } from './eligibility-rule.js';
import { filterMask } from './filter-masks.js';

/** Only items that have one of the asked values, for every attribute asked for (OR within one, AND between attributes). */
export const filterAttributes: EligibilityRule = {
  name: 'filter-attributes',
  apply: (eligible, { catalogue, filters }) => {
    if (filters.length === 0) return;
    const mask = filterMask(catalogue, filters);
    for (let item = 0; item < eligible.length; item++) eligible[item]! &= mask[item]!;
  },
};

/** @throws ShortlistError UNKNOWN_ATTRIBUTE when a filter names an attribute that is not declared filterable */
export function checkFilters(filters: readonly AttributeFilter[], catalogue: Catalogue): void {
  const filterable = catalogue.attributes.filter((attribute) => attribute.filterable);
  for (const { attribute } of filters) {
    if (filterable.some(({ name }) => name === attribute)) continue;
    const known = filterable.map(({ name }) => name).join(', ') || 'none';
    throw new ShortlistError(
      'UNKNOWN_ATTRIBUTE',
      `Cannot filter on '${attribute}'. Attributes to filter on: ${known}.`,
    );
  }
}

import type { Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { AttributeFilter } from '../domain/slate.js';
import { findFilterMasks } from './filter-masks.js';

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

import type { AttributeColumn, Catalogue } from '../domain/catalogue.js';
import { ShortlistError } from '../domain/errors.js';
import type { AttributeFilter } from '../domain/slate.js';
import type { EligibilityRule } from './eligibility-rule.js';

/** Only items that have one of the asked values, for every attribute asked for (OR within one, AND between attributes). */
export const filterAttributes: EligibilityRule = {
  name: 'filter-attributes',
  apply: (eligible, { catalogue, filters }) => {
    for (const [name, values] of groupByAttribute(filters)) {
      const matches = createMatcher(findFilterable(catalogue, name), values);
      for (let item = 0; item < eligible.length; item++) if (!matches(item)) eligible[item] = 0;
    }
  },
};

/** @throws ShortlistError UNKNOWN_ATTRIBUTE when a filter names an attribute that is not declared filterable */
export function checkFilters(filters: readonly AttributeFilter[], catalogue: Catalogue): void {
  for (const { attribute } of filters) findFilterable(catalogue, attribute);
}

function groupByAttribute(filters: readonly AttributeFilter[]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const { attribute, value } of filters) {
    groups.set(attribute, (groups.get(attribute) ?? new Set()).add(value));
  }
  return groups;
}

function findFilterable(catalogue: Catalogue, name: string): AttributeColumn {
  const filterable = catalogue.attributes.filter((attribute) => attribute.filterable);
  const found = filterable.find((attribute) => attribute.name === name);
  if (found !== undefined) return found;
  const known = filterable.map((attribute) => attribute.name).join(', ') || 'none';
  throw new ShortlistError(
    'UNKNOWN_ATTRIBUTE',
    `Cannot filter on '${name}'. Attributes to filter on: ${known}.`,
  );
}

function createMatcher(attribute: AttributeColumn, wanted: ReadonlySet<string>): (item: number) => boolean {
  const { coded, values } = attribute;
  if (coded === undefined) return (item) => values[item] !== undefined && wanted.has(String(values[item]));
  const codes = new Set([...wanted].map((value) => coded.vocabulary.indexOf(value)));
  return (item) => {
    for (let at = coded.offsets[item]!; at < coded.offsets[item + 1]!; at++) {
      if (codes.has(coded.codes[at]!)) return true;
    }
    return false;
  };
}

import type { AttributeColumn, Catalogue } from '../domain/catalogue.js';
import type { AttributeFilter } from '../domain/slate.js';

/**
 * The items of a catalogue that pass all of these filters, 1 or 0 per item index: values of one attribute widen the choice, another attribute
 * narrows it. The filters are checked.
 */
export function filterMask(catalogue: Catalogue, filters: readonly AttributeFilter[]): Uint8Array {
  const mask = new Uint8Array(catalogue.entities.size).fill(1);
  for (const [name, values] of groupByAttribute(filters)) {
    const matches = createMatcher(
      catalogue.attributes.find((each) => each.name === name)!,
      values,
    );
    for (let item = 0; item < mask.length; item++) if (!matches(item)) mask[item] = 0;
  }
  return mask;
}

function groupByAttribute(filters: readonly AttributeFilter[]): Map<string, Set<string>> {
  const groups = new Map<string, Set<string>>();
  for (const { attribute, value } of filters) {
    groups.set(attribute, (groups.get(attribute) ?? new Set()).add(value));
  }
  return groups;
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

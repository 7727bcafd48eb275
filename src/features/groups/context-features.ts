import type { FeatureGroup } from '../feature-group.js';
import { writeConstant } from '../write-column.js';
import { countParts, partOf, type ItemContexts, type PartCounts } from '../item-contexts.js';

/** What a context that is not known is to the ranker, as a category that nobody has; of a number it is the mean. */
const NO_VALUE = -1;

/** Interactions with the shares of everybody that stand beside those of an item: what few say counts little. */
const PRIOR_INTERACTIONS = 10;

/**
 * The context of the request, the same for every candidate, and per field the lift of a candidate in it: the log ratio of
 * the share that its part of the field (a category, four hours, a day, a quarter of the numbers) has among the item's
 * interactions, drawn towards that among all, to that among all. 0 where the context is not known, nobody ever took
 * anything in it, or nothing is known of the item.
 */
export function createContextFeatures(contexts: ItemContexts): FeatureGroup {
  const { fields } = contexts;
  const lifts = fields.map((field, index) =>
    createLift(contexts.counts[index]!, { parts: countParts(field) }),
  );
  return {
    name: 'context',
    features: fields.flatMap(({ name }) => [`context.${name}`, `context.${name}.lift`]),
    fill: ({ candidates: { items }, context }, columnOf) => {
      fields.forEach((field, index) => {
        const value = context?.[index] ?? Number.NaN;
        const raw = Number.isNaN(value) ? (field.default ?? NO_VALUE) : value;
        const liftOf = lifts[index]!(partOf(field, value));
        writeConstant(columnOf(2 * index), items.length, raw);
        const { data, start, step } = columnOf(2 * index + 1);
        for (let row = 0, at = start; row < items.length; row++, at += step) data[at] = liftOf(items[row]!);
      });
    },
  };
}

/** The lift of every item in a part. */
function createLift(
  { offsets, parts, counts }: PartCounts,
  options: { parts: number },
): (part: number) => (item: number) => number {
  const totals = new Float64Array(options.parts);
  const itemTotals = new Float64Array(offsets.length - 1);
  for (let item = 0; item < itemTotals.length; item++) {
    for (let entry = offsets[item]!; entry < offsets[item + 1]!; entry++) {
      totals[parts[entry]!]! += counts[entry]!;
      itemTotals[item]! += counts[entry]!;
    }
  }
  const total = totals.reduce((sum, count) => sum + count, 0);
  return (part) => {
    const inPart = totals[part] ?? 0;
    if (inPart === 0) return () => 0;
    const share = inPart / total;
    return (item) => {
      const entry = findEntry(parts, part, { from: offsets[item]!, to: offsets[item + 1]! });
      const count = entry < 0 ? 0 : counts[entry]!;
      const itemShare = (count + PRIOR_INTERACTIONS * share) / (itemTotals[item]! + PRIOR_INTERACTIONS);
      return Math.log(itemShare / share);
    };
  };
}

/** Binary search: an item may have a thousand parts. */
function findEntry(parts: Int32Array, part: number, range: { from: number; to: number }): number {
  let { from, to } = range;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (parts[middle]! < part) from = middle + 1;
    else to = middle;
  }
  return from < range.to && parts[from] === part ? from : -1;
}

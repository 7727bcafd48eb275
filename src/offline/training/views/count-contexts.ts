import type { ContextField, ContextTable } from '../../../domain/context.js';
import {
  countParts,
  partOf,
  type ItemContexts,
  type KnownContextField,
  type PartCounts,
} from '../../../features/item-contexts.js';

/** Parts that the values of a numeric field are divided into, each with as many interactions. */
const NUMERIC_PARTS = 4;

/**
 * In which contexts each item was taken.
 *
 * @param context of the interactions; none of them may lie after the time that is known
 * @param options.item the item of each of them
 */
export function countContexts(
  context: ContextTable,
  options: { item: Int32Array; itemCount: number },
): ItemContexts {
  const fields = context.fields.map((field, index) => describeField(field, context.columns[index]!));
  const counts = fields.map((field, index) => {
    const parts = Int32Array.from(context.columns[index]!, (value) => partOf(field, value));
    return countEntries(parts, { ...options, partCount: countParts(field) });
  });
  return { timeZone: context.timeZone, fields, counts };
}

function describeField(field: ContextField, values: Float32Array): KnownContextField {
  if (field.type !== 'numeric') return field;
  const known = values.filter((value) => !Number.isNaN(value)).sort();
  const mean = known.reduce((sum, value) => sum + value, 0) / Math.max(1, known.length);
  return { ...field, default: Math.fround(mean), bounds: divide(known) };
}

/** Where the parts of ascending values meet; fewer where many values are the same. */
function divide(values: Float32Array): number[] {
  const bounds = Array.from(
    { length: NUMERIC_PARTS - 1 },
    (_, index) => values[Math.floor(((index + 1) * values.length) / NUMERIC_PARTS)]!,
  );
  return [...new Set(bounds)].filter((bound) => bound > values[0]!);
}

function countEntries(
  parts: Int32Array,
  { item, itemCount, partCount }: { item: Int32Array; itemCount: number; partCount: number },
): PartCounts {
  const keys = Float64Array.from(parts, (part, row) => (part < 0 ? -1 : item[row]! * partCount + part));
  const sorted = keys.filter((key) => key >= 0).sort();
  const distinct = sorted.filter((key, at) => key !== sorted[at - 1]);
  const offsets = new Uint32Array(itemCount + 1);
  for (const key of distinct) offsets[Math.floor(key / partCount) + 1]!++;
  for (let item = 0; item < itemCount; item++) offsets[item + 1]! += offsets[item]!;
  const counts = new Uint32Array(distinct.length);
  let entry = -1;
  sorted.forEach((key, at) => {
    if (key !== sorted[at - 1]) entry++;
    counts[entry]!++;
  });
  return { offsets, parts: Int32Array.from(distinct, (key) => key % partCount), counts };
}

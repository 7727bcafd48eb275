import { bisect } from '../domain/bisect.js';
import type { AttributeColumn } from '../domain/catalogue.js';
import { parseIsoTime } from '../domain/parse-iso-time.js';
import type { Condition, FilterKind, Interval, ParsedFilter } from './parse-filter.js';

/** An attribute as filters read it. */
export interface FilterColumn {
  readonly name: string;
  readonly kind: FilterKind;
  /** Writes 1 where an item passes; `mask` has one byte per item, all 0. */
  mark(mask: Uint8Array, filter: ParsedFilter): void;
}

/** Prepares an attribute for filters. Times of a text attribute are read once, which takes a look at every value. */
export function createFilterColumn(column: AttributeColumn): FilterColumn {
  const times = isTextual(column) ? readTimes(column) : undefined;
  return {
    name: column.name,
    kind: kindOf(column, times),
    mark: (mask, { condition, isNegated }) => {
      markCondition(mask, condition, column, times);
      if (isNegated) for (let item = 0; item < mask.length; item++) mask[item]! ^= 1;
    },
  };
}

function isTextual({ role }: AttributeColumn): boolean {
  return role === 'categorical' || role === 'text';
}

function kindOf({ role }: AttributeColumn, times: Float64Array | undefined): FilterKind {
  if (times !== undefined) return 'date';
  if (role === 'numeric') return 'number';
  return role === 'boolean' ? 'boolean' : 'text';
}

/** Unix seconds per item, NaN where there is no value; undefined where a value is no ISO 8601 time, or none is there. */
function readTimes({ values }: AttributeColumn): Float64Array | undefined {
  // Many items share a day.
  const known = new Map<string, number>();
  const times = new Float64Array(values.length).fill(Number.NaN);
  for (let item = 0; item < values.length; item++) {
    const text = values[item] as string | undefined;
    if (text === undefined) continue;
    const time = known.get(text) ?? parseIsoTime(text);
    if (Number.isNaN(time)) return undefined;
    known.set(text, time);
    times[item] = time;
  }
  return known.size === 0 ? undefined : times;
}

function markCondition(
  mask: Uint8Array,
  condition: Condition,
  column: AttributeColumn,
  times: Float64Array | undefined,
): void {
  if (condition.test === 'within') markWithin(mask, times ?? column.values, condition);
  else if (condition.test === 'present') markPresent(mask, column);
  else markEqual(mask, condition.text, column);
}

function markWithin(
  mask: Uint8Array,
  values: ArrayLike<unknown>,
  { least, most, isAbove, isBelow }: Interval,
): void {
  for (let item = 0; item < mask.length; item++) {
    const value = values[item];
    if (typeof value !== 'number' || !(value >= least && value <= most)) continue;
    if ((isAbove && value === least) || (isBelow && value === most)) continue;
    mask[item] = 1;
  }
}

function markPresent(mask: Uint8Array, { values, coded }: AttributeColumn): void {
  for (let item = 0; item < mask.length; item++) {
    const isThere = coded ? coded.offsets[item + 1]! > coded.offsets[item]! : isValue(values[item]);
    if (isThere) mask[item] = 1;
  }
}

function isValue(value: unknown): boolean {
  return value !== undefined && !Number.isNaN(value);
}

function markEqual(mask: Uint8Array, text: string, { values, coded }: AttributeColumn): void {
  if (coded === undefined) {
    for (let item = 0; item < mask.length; item++) if (values[item] === text) mask[item] = 1;
    return;
  }
  const code = findCode(coded.vocabulary, text);
  if (code < 0) return;
  const { codes, offsets } = coded;
  for (let item = 0; item < mask.length; item++) {
    for (let at = offsets[item]!; at < offsets[item + 1]!; at++) if (codes[at] === code) mask[item] = 1;
  }
}

/** A vocabulary is sorted as `sort` sorts texts, and as `<` compares them. */
function findCode(vocabulary: readonly string[], text: string): number {
  const code = bisect(vocabulary.length, (at) => vocabulary[at]! < text);
  return vocabulary[code] === text ? code : -1;
}

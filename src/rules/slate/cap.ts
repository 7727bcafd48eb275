import type { RuleSettings } from '../../config/rule-config.js';
import type { EligibleItems } from '../../domain/candidate.js';
import type { AttributeColumn, CodedValues } from '../../domain/catalogue.js';
import type { CapStep, RankedSlate, SlateRule } from '../slate-rule.js';

/**
 * At most `most` items of one value in any `in` places in a row, those of earlier pages and pinned ones counted. Each value of a multi-valued
 * attribute counts; an item without a value is never held back.
 * @param attribute has a vocabulary
 */
export function createCap({ most, in: places }: RuleSettings['cap'], attribute: AttributeColumn): SlateRule {
  const coded = attribute.coded!;
  // Of one slate at a time: nothing waits between its first place and its last.
  const counts = new Uint16Array(coded.vocabulary.length);
  const ahead = new Uint16Array(coded.vocabulary.length);
  return {
    name: 'cap',
    begin: (slate) => beginCap(slate, { most, places, attribute, counts, ahead }),
    clearPlentiful: (eligible, items) => clearPlentiful(eligible, items, { most, coded, counts }),
  };
}

/** Items of which a value has as many as the cap lets through. */
function clearPlentiful(
  eligible: EligibleItems,
  items: Int32Array,
  { most, coded, counts }: { most: number; coded: CodedValues; counts: Uint16Array },
): void {
  const { offsets, codes } = coded;
  counts.fill(0);
  for (const item of items) {
    for (let at = offsets[item]!; at < offsets[item + 1]!; at++) counts[codes[at]!]!++;
  }
  for (let item = 0; item < eligible.length; item++) {
    for (let at = offsets[item]!; at < offsets[item + 1]!; at++)
      if (counts[codes[at]!]! >= most) eligible[item] = 0;
  }
}

interface CapOptions {
  readonly most: number;
  readonly places: number;
  readonly attribute: AttributeColumn;
  /** Per value: its items in the window that ends before the next place. */
  readonly counts: Uint16Array;
  /** Per value: its items at reserved places that are still to come. */
  readonly ahead: Uint16Array;
}

function beginCap(slate: RankedSlate, { most, places, attribute, counts, ahead }: CapOptions): CapStep {
  const { offsets, codes, vocabulary } = attribute.coded!;
  const { items } = slate;
  counts.fill(0);
  ahead.fill(0);
  /** Item index by place, from those of earlier pages that still count. */
  const standing = slate.shown.slice(1 - places);
  const before = standing.length;
  const reserved = new Map<number, number>();
  const blockedBy = new Int32Array(items.length).fill(-1);
  for (const item of standing) count(counts, item, 1);

  function count(tally: Uint16Array, item: number, by: number): void {
    if (item < 0) return;
    for (let at = offsets[item]!; at < offsets[item + 1]!; at++) tally[codes[at]!]! += by;
  }

  function has(item: number | undefined, code: number): boolean {
    if (item === undefined || item < 0) return false;
    for (let at = offsets[item]!; at < offsets[item + 1]!; at++) if (codes[at] === code) return true;
    return false;
  }

  /** Whether a window that has the next place and reserved ones behind it is full. */
  function isFullAhead(code: number): boolean {
    const next = standing.length;
    for (let first = next - places + 1; first <= next; first++) {
      let found = 0;
      for (let place = Math.max(0, first); place < first + places; place++) {
        if (has(place < next ? standing[place] : reserved.get(place), code)) found++;
      }
      if (found >= most) return true;
    }
    return false;
  }

  return {
    kind: 'cap',
    name: 'cap',
    reserve: (rank, place) => {
      reserved.set(before + place, items[rank]!);
      count(ahead, items[rank]!, 1);
    },
    allows: (rank) => {
      const item = items[rank]!;
      for (let at = offsets[item]!; at < offsets[item + 1]!; at++) {
        const code = codes[at]!;
        if (counts[code]! < most && (ahead[code] === 0 || !isFullAhead(code))) continue;
        if (blockedBy[rank]! < 0) blockedBy[rank] = code;
        return false;
      }
      return true;
    },
    take: (rank) => {
      const item = items[rank]!;
      if (reserved.delete(standing.length)) count(ahead, item, -1);
      standing.push(item);
      count(counts, item, 1);
      const left = standing.length - places;
      if (left >= 0) count(counts, standing[left]!, -1);
    },
    explain: (rank) => {
      const code = blockedBy[rank]!;
      return code < 0 ? undefined : `${attribute.name}: ${ordinal(most + 1)} of ${vocabulary[code]}`;
    },
  };
}

const ORDINALS = [
  '',
  'first',
  'second',
  'third',
  'fourth',
  'fifth',
  'sixth',
  'seventh',
  'eighth',
  'ninth',
  'tenth',
];

function ordinal(number: number): string {
  return ORDINALS[number] ?? `${number}th`;
}

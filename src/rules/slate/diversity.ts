import type { RuleSettings } from '../../config/rule-config.js';
import type { CodedValues } from '../../domain/catalogue.js';
import type { IdIndex } from '../../domain/id-index.js';
import type { ItemVectors } from '../rule-facts.js';
import type { SlateRule } from '../slate-rule.js';

/** How alike two candidates of a slate are, 0–1, by their ranks. */
export type Likeness = (rank: number, other: number) => number;

/** Makes the likeness of the candidates of one slate. @param items item index per rank */
export type LikenessMaker = (items: Int32Array) => Likeness;

/**
 * Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998), see `fillPlaces`: each page begins anew. A strength of 0 changes nothing.
 */
export function createDiversity(
  { strength }: Pick<RuleSettings['diversity'], 'strength'>,
  { compare, entities }: { compare: LikenessMaker; entities: IdIndex },
): SlateRule {
  return {
    name: 'diversity',
    begin: ({ items }) => {
      if (strength === 0) return undefined;
      const nearest = new Int32Array(items.length).fill(-1);
      return {
        kind: 'distance',
        name: 'diversity',
        strength,
        likeness: compare(items),
        near: (rank, other) => {
          nearest[rank] = items[other]!;
        },
        explain: (rank) => (nearest[rank]! < 0 ? undefined : `like ${entities.idAt(nearest[rank]!)}`),
      };
    },
  };
}

/**
 * Cosine, and 0 where it is below, or where an item has no vector or one of zeros. A vector is copied, of length 1, when its candidate is first
 * compared: those of 300 candidates then lie together, while those of a catalogue are far from each other.
 */
export function createVectorLikeness({ values, dimensions, rowOf }: ItemVectors): LikenessMaker {
  // Of one slate at a time: nothing waits between its first place and its last.
  const units: Float64Array[] = [];

  function copy(item: number, unit: Float64Array): void {
    const row = rowOf === undefined ? item : rowOf[item]!;
    const from = row * dimensions;
    let square = 0;
    for (let at = 0; at < dimensions; at++) {
      const value = row < 0 ? 0 : values[from + at]!;
      unit[at] = value;
      square += value * value;
    }
    const scale = square === 0 ? 0 : 1 / Math.sqrt(square);
    for (let at = 0; at < dimensions; at++) unit[at]! *= scale;
  }

  return (items) => {
    while (units.length < items.length) units.push(new Float64Array(dimensions));
    const isCopied = new Uint8Array(items.length);

    function unitOf(rank: number): Float64Array {
      const unit = units[rank]!;
      if (isCopied[rank] === 0) {
        isCopied[rank] = 1;
        copy(items[rank]!, unit);
      }
      return unit;
    }

    return (rank, other) => {
      const product = multiply(unitOf(rank), unitOf(other));
      return product <= 0 ? 0 : product >= 1 ? 1 : product;
    };
  };
}

/** Each vector an array of its own, in float64, with four sums that do not wait for each other: 64 components in 45 ns; in one array of float32 it is 65. */
function multiply(one: Float64Array, other: Float64Array): number {
  let a = 0;
  let b = 0;
  let c = 0;
  let d = 0;
  const whole = one.length - (one.length & 3);
  let at = 0;
  for (; at < whole; at += 4) {
    a += one[at]! * other[at]!;
    b += one[at + 1]! * other[at + 1]!;
    c += one[at + 2]! * other[at + 2]!;
    d += one[at + 3]! * other[at + 3]!;
  }
  for (; at < one.length; at++) a += one[at]! * other[at]!;
  return a + b + (c + d);
}

/** Jaccard: the share of the values of two items that both have, over all attributes together; 0 where neither has one. */
export function createAttributeLikeness(columns: readonly CodedValues[]): LikenessMaker {
  return (items) => (rank, otherRank) => {
    const item = items[rank]!;
    const other = items[otherRank]!;
    let shared = 0;
    let total = 0;
    for (let column = 0; column < columns.length; column++) {
      const { offsets, codes } = columns[column]!;
      const start = offsets[item]!;
      const end = offsets[item + 1]!;
      const otherStart = offsets[other]!;
      const otherEnd = offsets[other + 1]!;
      total += end - start + (otherEnd - otherStart);
      for (let at = start; at < end; at++) {
        for (let otherAt = otherStart; otherAt < otherEnd; otherAt++) {
          if (codes[at] === codes[otherAt]) shared++;
        }
      }
    }
    return total === 0 ? 0 : shared / (total - shared);
  };
}

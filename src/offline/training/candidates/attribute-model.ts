import { bisect } from '../../../domain/bisect.js';
import type { AttributeModel } from '../../../candidates/fresh.js';
import type { AttributeColumn, Catalogue } from '../../../domain/catalogue.js';
import type { InteractionTable } from '../../../domain/interactions.js';

/** Numbers are told apart by this many quantiles of the catalogue at most. */
const MAX_BINS = 64;

/** Added to the counts of every value, so that no value is impossible: half an item offered, little of it taken. */
const OFFERED_PRIOR = 0.5;
const TAKEN_PRIOR = 0.01;

/** The attributes that say what an item is like. */
export function listDescriptiveAttributes({ attributes }: Catalogue): AttributeColumn[] {
  return attributes.filter(({ feature, role }) => feature && role !== 'text');
}

/**
 * Counts attribute values over the catalogue and over the interactions. Categories and lists count by value, numbers by
 * quantile of the catalogue; an item that has no value of an attribute says nothing by it.
 */
export function countAttributeValues(
  interactions: InteractionTable,
  catalogue: Catalogue,
  options: { priorInteractions: number },
): AttributeModel {
  const columns = listDescriptiveAttributes(catalogue).map(codeColumn);
  const entries = joinColumns(columns, catalogue.entities.size);
  const touches = new Uint32Array(catalogue.entities.size);
  for (const item of interactions.item) touches[item]!++;
  return {
    ...entries,
    taken: shareOut(entries, (item) => touches[item]!, TAKEN_PRIOR),
    offered: shareOut(entries, () => 1, OFFERED_PRIOR),
    untouched: Int32Array.from(touches, (_, item) => item).filter((item) => touches[item] === 0),
    priorInteractions: options.priorInteractions,
  };
}

/** The values of one attribute, numbered from 0. */
interface CodedColumn {
  readonly size: number;
  readonly codesOf: (item: number) => ArrayLike<number>;
}

function codeColumn({ values, coded }: AttributeColumn): CodedColumn {
  if (coded !== undefined) {
    const { vocabulary, offsets, codes } = coded;
    return {
      size: vocabulary.length,
      codesOf: (item) => codes.subarray(offsets[item], offsets[item + 1]),
    };
  }
  const edges = findQuantiles(values.filter((value) => typeof value === 'number'));
  return {
    size: edges.length + 1,
    codesOf: (item) => {
      const value = values[item];
      return typeof value === 'number' ? [countBelow(edges, value)] : [];
    },
  };
}

/** Upper edges (exclusive) of all bins but the last, ascending. */
function findQuantiles(numbers: number[]): number[] {
  const sorted = Float64Array.from(numbers).sort();
  const edges = Array.from(
    { length: MAX_BINS - 1 },
    (_, bin) => sorted[Math.floor(((bin + 1) * sorted.length) / MAX_BINS)],
  );
  return [...new Set(edges)].filter((edge) => edge !== undefined && edge > sorted[0]!) as number[];
}

/** How many edges are at or below a value. */
function countBelow(edges: readonly number[], value: number): number {
  return bisect(edges.length, (at) => edges[at]! <= value);
}

type Entries = Pick<AttributeModel, 'offsets' | 'values' | 'shares' | 'attributes'>;

function joinColumns(columns: readonly CodedColumn[], itemCount: number): Entries {
  const attributes = new Uint32Array(columns.length + 1);
  columns.forEach(({ size }, column) => (attributes[column + 1] = attributes[column]! + size));
  const offsets = new Uint32Array(itemCount + 1);
  const values: number[] = [];
  const shares: number[] = [];
  for (let item = 0; item < itemCount; item++) {
    columns.forEach(({ codesOf }, column) => {
      const codes = codesOf(item);
      for (let at = 0; at < codes.length; at++) {
        values.push(attributes[column]! + codes[at]!);
        shares.push(1 / codes.length);
      }
    });
    offsets[item + 1] = values.length;
  }
  return { offsets, values: Int32Array.from(values), shares: Float32Array.from(shares), attributes };
}

/** Each value's share of its attribute, over items that count by `weightOf`. */
function shareOut(
  { offsets, values, shares, attributes }: Entries,
  weightOf: (item: number) => number,
  prior: number,
): Float32Array {
  const counts = new Float64Array(attributes.at(-1)!).fill(prior);
  for (let item = 0; item + 1 < offsets.length; item++) {
    for (let entry = offsets[item]!; entry < offsets[item + 1]!; entry++)
      counts[values[entry]!]! += weightOf(item) * shares[entry]!;
  }
  for (let attribute = 0; attribute + 1 < attributes.length; attribute++) {
    const own = counts.subarray(attributes[attribute], attributes[attribute + 1]);
    const total = own.reduce((sum, count) => sum + count, 0);
    own.forEach((count, at) => (own[at] = count / total));
  }
  return Float32Array.from(counts);
}

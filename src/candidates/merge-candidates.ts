import type { CandidateSet, Retrieval } from '../domain/candidate.js';
import { orderByScore, pickItems, pickScores } from '../domain/top-k.js';

/** Options of `mergeCandidates`. */
export interface MergeOptions {
  /** At most this many candidates. */
  readonly limit: number;
  /**
   * Per retrieval: this many of its best items are sure of a place, before fusion scores decide on the rest, in which a
   * retrieval has a voice in proportion to its quota (the largest counts 1). Without quotas, fusion scores alone decide,
   * and all voices count 1. Where quotas promise more than `limit`, the best of the promised by fusion score are kept.
   */
  readonly quotas?: readonly number[];
  /**
   * Items, each once, that make up the set in place of the best; one that no retrieval has is in it with a fusion score and ranks of 0. The
   * set that the best make up is its `population`.
   */
  readonly only?: Int32Array | undefined;
  /**
   * Items, each once or more often, that are in the set beside the best, whatever the limit. Where one of them is none of the best, these are
   * the `population`, as with `only`.
   */
  readonly also?: readonly number[] | undefined;
  /** The constant of reciprocal-rank fusion: the larger, the less the very first ranks stand out; default 60. */
  readonly rankConstant?: number;
}

/**
 * Merges what the sources answered into one set without duplicates, in the order of reciprocal-rank fusion (Cormack,
 * Clarke and Büttcher, 2009): an item's score is the sum of voice / (rankConstant + rank) over the lists that hold it;
 * equal scores stand by ascending item index.
 *
 * Nothing shortens the set while something is left to fill it, provided that each source was asked for `limit` items, not
 * for its quota alone: places that a quota leaves free (its items were retrieved by another source too, or the source had
 * fewer) go to the next best of all lists. So one source that knows every item, as `popular` does, gives min(limit, eligible).
 */
export function mergeRetrievals(retrievals: readonly Retrieval[], options: MergeOptions): CandidateSet {
  const { limit, quotas = [], rankConstant = 60, also = [] } = options;
  const fusing = { rankConstant, voices: findVoices(retrievals, quotas) };
  const union = fuse(listDistinct(retrievals), retrievals, fusing);
  const best = pickRows(
    union,
    selectRows(union.fusionScores, limit, markPromised(union, quotas)),
    retrievals,
  );
  const { only = addTo(best.items, also) } = options;
  if (only === undefined) return best;
  const named = fuse(only.toSorted(), retrievals, fusing);
  return { ...pickRows(named, orderByScore(named.fusionScores), retrievals), population: best };
}

/** Undefined where nothing is to be added. */
function addTo(items: Int32Array, also: readonly number[]): Int32Array | undefined {
  if (also.length === 0) return undefined;
  const all = new Set([...items, ...also]);
  return all.size === items.length ? undefined : Int32Array.from(all);
}

function pickRows(union: Union, rows: Int32Array, retrievals: readonly Retrieval[]): CandidateSet {
  return {
    items: pickItems(union.items, rows),
    fusionScores: pickScores(union.fusionScores, rows),
    retrievals,
    ranks: copyRows(union.ranks, rows, retrievals.length),
  };
}

/** Distinct items, ascending, with what the retrievals say of them. */
interface Union {
  readonly items: Int32Array;
  readonly fusionScores: Float32Array;
  /** [items × retrievals] */
  readonly ranks: Int32Array;
}

/**
 * A source with a small quota must not fill the places that others leave: with equal voices, each list that says little of
 * the relevant items cost a percent of their recall.
 */
function findVoices(retrievals: readonly Retrieval[], quotas: readonly number[]): Float64Array {
  const largest = Math.max(...quotas);
  return Float64Array.from(retrievals, (_, at) => (quotas[at] === undefined ? 1 : quotas[at] / largest));
}

/** Where each item stands in the union at work, row + 1, or 0: memory that the next merge uses again. */
let placeOf = new Int32Array(0);

/** @param items each once, ascending */
function fuse(
  items: Int32Array,
  retrievals: readonly Retrieval[],
  { rankConstant, voices }: { rankConstant: number; voices: Float64Array },
): Union {
  const width = retrievals.length;
  const sums = new Float64Array(items.length);
  const ranks = new Int32Array(items.length * width);
  makeRoom(items.at(-1) ?? 0);
  for (let row = 0; row < items.length; row++) placeOf[items[row]!] = row + 1;
  for (let column = 0; column < width; column++) {
    const found = retrievals[column]!.items;
    const voice = voices[column]!;
    for (let position = 0; position < found.length; position++) {
      const row = (placeOf[found[position]!] ?? 0) - 1;
      if (row < 0) continue;
      sums[row]! += voice / (rankConstant + position + 1);
      ranks[row * width + column] = position + 1;
    }
  }
  for (let row = 0; row < items.length; row++) placeOf[items[row]!] = 0;
  // Rounded before anything is compared: sums of the same terms in another order are then equal.
  return { items, fusionScores: new Float32Array(sums), ranks };
}

/** Ascending. Most items are in several lists: a sort of all that are in any took four times as long as one of those that are told apart first. */
function listDistinct(retrievals: readonly Retrieval[]): Int32Array {
  const all = new Int32Array(retrievals.reduce((sum, { items }) => sum + items.length, 0));
  let size = 0;
  for (const { items } of retrievals) {
    makeRoom(items.reduce((largest, item) => Math.max(largest, item), 0));
    for (let position = 0; position < items.length; position++) {
      const item = items[position]!;
      all[size] = item;
      size += placeOf[item] === 0 ? 1 : 0;
      placeOf[item] = 1;
    }
  }
  const distinct = all.subarray(0, size);
  for (let at = 0; at < size; at++) placeOf[distinct[at]!] = 0;
  return distinct.sort();
}

function makeRoom(item: number): void {
  if (item >= placeOf.length) placeOf = new Int32Array(2 * item + 1);
}

/** 1 for each row that stands within the quota of a source that retrieved it. */
function markPromised({ items, ranks }: Union, quotas: readonly number[]): Uint8Array {
  const promised = new Uint8Array(items.length);
  for (let row = 0, entry = 0; row < promised.length; row++) {
    for (let column = 0; column < quotas.length; column++, entry++) {
      if (ranks[entry]! > 0 && ranks[entry]! <= quotas[column]!) promised[row] = 1;
    }
  }
  return promised;
}

/** The rows that get a place, promised ones first, in fusion order. Rows ascend by item, so equal scores stand by item. */
function selectRows(fusionScores: Float32Array, limit: number, promised: Uint8Array): Int32Array {
  const order = orderByScore(fusionScores);
  if (order.length <= limit) return order;
  const kept = new Uint8Array(promised.length);
  let places = limit;
  for (const wanted of [1, 0]) {
    for (let at = 0; at < order.length && places > 0; at++) {
      if (promised[order[at]!] !== wanted) continue;
      kept[order[at]!] = 1;
      places--;
    }
  }
  const rows = new Int32Array(limit - places);
  for (let at = 0, size = 0; size < rows.length; at++) {
    rows[size] = order[at]!;
    size += kept[order[at]!]!;
  }
  return rows;
}

function copyRows(ranks: Int32Array, rows: Int32Array, width: number): Int32Array {
  const copy = new Int32Array(rows.length * width);
  for (let at = 0, to = 0; at < rows.length; at++) {
    for (let from = rows[at]! * width, end = from + width; from < end; from++) copy[to++] = ranks[from]!;
  }
  return copy;
}

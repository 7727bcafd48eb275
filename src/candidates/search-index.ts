import type { ScoredItems } from '../domain/top-k.js';
import type { ItemVectors, SearchOptions } from './item-search.js';
import { selectByScore } from './select-by-score.js';

/** An approximate index of items, which knows nothing of eligibility. */
export interface NearestItems {
  /** Items in the index. */
  readonly size: number;
  /** How many times as many items as are wanted it is asked for at first; 1 or more. */
  readonly oversampling: number;
  /** The indexes of about `count` items with the largest inner products, each once, in any order. */
  ask(count: number): Int32Array | Promise<Int32Array>;
}

/** An index that is to name more than this share of its items does more work than scoring them does. */
const EXACT_FROM_SHARE = 1 / 16;

/**
 * Searches an index for eligible items: asks for more until enough of those it names are eligible. Where that would take
 * too many, because few items are eligible or the catalogue is small, every eligible item is scored instead.
 */
export async function searchIndex(
  user: Float64Array,
  { limit, eligible }: SearchOptions,
  { index, factors }: { index: NearestItems } & Pick<ItemVectors, 'factors'>,
): Promise<ScoredItems> {
  let count = Math.ceil(limit * index.oversampling);
  while (count <= index.size * EXACT_FROM_SHARE) {
    const named = await index.ask(count);
    const found = named.filter((item) => eligible[item] === 1);
    if (found.length >= limit) return selectByScore(found, user, { factors, limit });
    const share = Math.max(1, found.length) / count;
    count = Math.max(2 * count, Math.ceil((limit * index.oversampling) / share));
  }
  return selectByScore(listEligible(eligible), user, { factors, limit });
}

function listEligible(eligible: Uint8Array): Int32Array {
  const items = new Int32Array(eligible.length);
  let size = 0;
  for (let item = 0; item < eligible.length; item++) if (eligible[item] === 1) items[size++] = item;
  return items.subarray(0, size);
}

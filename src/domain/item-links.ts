/**
 * Weighted links from item to item, stored row after row (compressed sparse rows): row i holds the items that i speaks for,
 * or against, with the weight of its word.
 */
export interface ItemLinks {
  /** `offsets[i] .. offsets[i + 1]` are the links of item i; length items + 1. */
  readonly offsets: Uint32Array;
  /** Item indexes that a link leads to, ascending within a row. */
  readonly neighbours: Int32Array;
  /** Weight per link, finite and not 0. */
  readonly similarities: Float32Array;
}

/** The links of one item: neighbours, ascending, and the weight of each. */
export interface LinkRow {
  readonly items: Int32Array;
  readonly weights: Float32Array;
}

/** Stores the rows of all items, in their order. */
export function joinLinkRows(rows: readonly LinkRow[]): ItemLinks {
  const offsets = new Uint32Array(rows.length + 1);
  rows.forEach(({ items }, row) => (offsets[row + 1] = offsets[row]! + items.length));
  const neighbours = new Int32Array(offsets.at(-1)!);
  const similarities = new Float32Array(neighbours.length);
  rows.forEach(({ items, weights }, row) => {
    neighbours.set(items, offsets[row]);
    similarities.set(weights, offsets[row]);
  });
  return { offsets, neighbours, similarities };
}

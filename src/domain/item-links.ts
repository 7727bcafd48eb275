/** Weighted links from item to item, stored row after row (compressed sparse rows). */
export interface ItemLinks {
  /** `offsets[i] .. offsets[i + 1]` are the links of item i; length items + 1. */
  readonly offsets: Uint32Array;
  /** Item indexes that a link leads to, ascending within a row. */
  readonly neighbours: Int32Array;
  /** Weight per link, above 0. */
  readonly similarities: Float32Array;
}

import { type ScoredItems, selectTopK } from '../domain/top-k.js';
import { createBatchScorer } from './batch-scorer.js';
import { scoreAll } from './inner-product.js';
import { isScanPossible } from './int8-kernel.js';
import { type Int8Rows, quantiseItems } from './int8-rows.js';
import type { ItemSearch, ItemVectors, SearchOptions } from './item-search.js';
import { createTwoPassSearch } from './two-pass-search.js';

/** Values of the factors from which on two passes are faster than one: 1,000 items of 64 dimensions. */
const TWO_PASS_FROM = 1 << 16;

/** Values from which on a matrix product for several users is faster than a loop for each. */
const BATCHED_FROM = 1 << 20;

/** How an exact search goes over the items: by bounds in int8 first, by a matrix product, or by a loop. */
export type ExactPasses = 'two-pass' | 'product' | 'loop';

/** Options of `createExactSearch`. */
export interface ExactOptions {
  /** What `prepareRows` made of the same vectors; made here when not said. */
  readonly rows?: Int8Rows | undefined;
  /** For tests: whether the engine can scan rows. */
  readonly isScanPossible?: boolean;
}

/** Finds the best by the scores of `scoreOne`: the fastest way for so many items is chosen, and each gives the same. */
export function createExactSearch(items: ItemVectors, options: ExactOptions = {}): ItemSearch {
  const rows = options.rows ?? prepareRows(items, options);
  if (rows !== undefined) return createTwoPassSearch(items, rows);
  const { factors, dimensions } = items;
  if (choosePasses(items) === 'product') return createBatchScorer(factors, dimensions);
  return createDirectSearch(items);
}

/** The rows that an exact search of these items scans first; undefined where it scans none. Threads may share them. */
export function prepareRows(
  items: ItemVectors,
  { isScanPossible: isPossible = isScanPossible() }: ExactOptions = {},
): Int8Rows | undefined {
  if (items.factors.length < TWO_PASS_FROM || !isPossible) return undefined;
  return quantiseItems(items);
}

/** What an exact search of items is, by its rows. */
export function choosePasses({ factors }: ItemVectors, rows?: Int8Rows): ExactPasses {
  if (rows !== undefined) return 'two-pass';
  return factors.length >= BATCHED_FROM ? 'product' : 'loop';
}

function createDirectSearch({ factors, dimensions }: ItemVectors): ItemSearch {
  // Scratch, overwritten by each search: what is handed out is a copy.
  const scores = new Float32Array(factors.length / dimensions);
  return {
    findBest: (user: Float64Array, options: SearchOptions): ScoredItems => {
      scoreAll(factors, user, scores);
      return selectTopK(scores, options);
    },
    close: async () => undefined,
  };
}

import { type ScoredItems, selectTopK } from '../domain/top-k.js';
import { createBatchScorer } from './batch-scorer.js';
import { scoreAll } from './inner-product.js';
import type { ItemSearch, ItemVectors, SearchOptions } from './item-search.js';

/** Values of the factors from which on one matrix product for several users is faster than a loop for each. */
const BATCHED_FROM = 1 << 20;

/** Scores every item in float32. Few items are scored at once, many by a matrix product for all who ask together. */
export function createExactSearch({ factors, dimensions }: ItemVectors): ItemSearch {
  if (factors.length >= BATCHED_FROM) return createBatchScorer(factors, dimensions);
  return createDirectSearch({ factors, dimensions });
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

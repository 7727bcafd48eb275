import { pickItems, type ScoredItems, selectTopK } from '../domain/top-k.js';
import { scoreSome } from './inner-product.js';
import type { ItemVectors } from './item-search.js';

/**
 * The `limit` best of some items, by the scores of `scoreOne`: what found them need not have scored them alike.
 * @param items unique item indexes
 */
export function selectByScore(
  items: Int32Array,
  user: Float64Array,
  { factors, limit }: Pick<ItemVectors, 'factors'> & { limit: number },
): ScoredItems {
  const ascending = items.toSorted();
  const scores = scoreSome(factors, user, ascending);
  const best = selectTopK(scores, { limit });
  return { items: pickItems(ascending, best.items), scores: best.scores };
}

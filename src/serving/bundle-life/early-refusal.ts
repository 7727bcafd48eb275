import type { SlateCache } from '../cache/slate-cache.js';
import type { Compute } from '../compute/compute.js';

/** Below this share of hits, looking an answer up is no reason to read a request that would be refused. */
const WORTH_LOOKING = 0.05;

/** Of the requests that would be refused, one in so many is looked up all the same: hits may be frequent by now. */
const LOOKED_UP = 16;

/** Says whether a request would be refused before it is read: no thread can compute it, and its answer is hardly kept. */
export function createEarlyRefusal(
  findCompute: () => Pick<Compute, 'refuses'> | undefined,
  cache: Pick<SlateCache, 'hitShare'> | undefined,
): (budgetMs: number) => boolean {
  let refused = 0;
  return (budgetMs) => {
    if (findCompute()?.refuses?.(budgetMs) !== true) return false;
    return cache === undefined || (cache.hitShare() < WORTH_LOOKING && ++refused % LOOKED_UP !== 0);
  };
}

import { createFoldIn, type AlsModel } from '../../../candidates/als.js';
import { createExactSearch } from '../../../candidates/exact-search.js';
import type { ItemSearch } from '../../../candidates/item-search.js';
import { historyOf, type Histories } from '../../../domain/history.js';
import { createSeededRandom } from '../../../domain/seeded-random.js';

/** Users that are drawn: their mean recall is known to a standard error of a fifteenth of its spread. */
const SAMPLED_USERS = 200;

/** The recall of a search against an exact one. */
export interface SearchRecall {
  /** Mean over users of the share of the best items that were found; 1 where there is nobody to ask for. */
  readonly mean: number;
  /** How many best items that is of. */
  readonly items: number;
  readonly users: number;
}

/**
 * Asks a search, and an exact one beside it, for the items of a seeded draw of users; what they have taken is not eligible. An item
 * that scores as high as the last one of the exact answer counts as found.
 */
export async function measureRecall(
  search: ItemSearch,
  model: AlsModel,
  { histories, limit, seed }: { histories: Histories; limit: number; seed: number | string },
): Promise<SearchRecall> {
  const exact = createExactSearch(model);
  const foldIn = createFoldIn(model);
  const shares: number[] = [];
  for (const user of drawUsers(histories, seed)) {
    const history = historyOf(histories, user);
    const vector = foldIn(history);
    if (vector.every((value) => value === 0)) continue;
    const eligible = new Uint8Array(model.factors.length / model.dimensions).fill(1);
    for (const item of history.items) eligible[item] = 0;
    const best = await exact.findBest(vector, { limit, eligible });
    if (best.items.length === 0) continue;
    const found = await search.findBest(vector, { limit, eligible });
    const last = best.scores.at(-1)!;
    shares.push(found.scores.filter((score) => score >= last).length / best.items.length);
    if (shares.length === SAMPLED_USERS) break;
  }
  await exact.close();
  const sum = shares.reduce((total, share) => total + share, 0);
  return { mean: shares.length === 0 ? 1 : sum / shares.length, items: limit, users: shares.length };
}

function drawUsers({ offsets }: Histories, seed: number | string): Int32Array {
  const users = Int32Array.from({ length: offsets.length - 1 }, (_, user) => user);
  return createSeededRandom(`${seed} recall`).shuffle(users);
}

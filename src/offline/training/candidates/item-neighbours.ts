import { DEFAULT_MAX_HISTORY, type Histories } from '../../../domain/history.js';
import type { ItemLinks } from '../../../domain/item-links.js';
import { selectTopK, type ScoredItems } from '../../../domain/top-k.js';
import { SILENT_PROGRESS, type ProgressReporter } from '../../progress/progress.js';
import { rowOf, toUserRows, transpose, type SparseRows } from './sparse-rows.js';

/** Options of `findItemNeighbours`. */
export interface ItemNeighboursOptions {
  readonly itemCount: number;
  /** How many of its most similar items each item keeps; default 200. */
  readonly neighbours?: number;
  /** Added to the denominator: draws the similarity of rarely seen items towards 0; default 5. */
  readonly shrink?: number;
  /**
   * How much the popularity of the target counts against it, of 1 that is shared with the item it starts from; default 0.5,
   * the cosine. 0 is the share of the item's users who took the target too, which lets popular items win.
   */
  readonly popularityExponent?: number;
  /**
   * Only the latest so many items of a history count; default 1,000. The work is the sum of squared history lengths, so
   * without a bound one robot with 100,000 interactions would cost as much as a million users with 100 each.
   */
  readonly maxHistory?: number;
  readonly progress?: ProgressReporter;
}

/**
 * Item-to-item similarities over binary interactions, the asymmetric cosine (Aiolli, 2013) with shrinkage: common users /
 * (users of the target^p × users of the other^(1 − p) + shrink). Each target item keeps its most similar items (equal ones by ascending index); the lists are by the item they
 * start from, so they are the transpose of that. Memory is proportional to the pairs kept and to the catalogue.
 */
export function findItemNeighbours(histories: Histories, options: ItemNeighboursOptions): ItemLinks {
  const {
    itemCount,
    neighbours = 200,
    shrink = 5,
    popularityExponent = 0.5,
    progress = SILENT_PROGRESS,
  } = options;
  const itemsOfUsers = toUserRows(histories, { maxHistory: options.maxHistory ?? DEFAULT_MAX_HISTORY });
  const usersOfItems = transpose(itemsOfUsers, itemCount);
  const countCommonUsers = createCommonUserCounter(itemsOfUsers, usersOfItems);
  const norms = normaliseBy(usersOfItems, popularityExponent);

  const step = progress.start('item neighbours', itemCount);
  const mostSimilar = Array.from({ length: itemCount }, (_, target) => {
    step.advance();
    return selectMostSimilar(target, countCommonUsers(target), { norms, neighbours, shrink });
  });
  const lists = transposeLists(mostSimilar);
  step.finish(`${lists.neighbours.length} pairs`);
  return lists;
}

/** Items that share users with one item, ascending, and how many users they share with it. */
interface CommonUsers {
  readonly items: Int32Array;
  readonly counts: Uint32Array;
}

/** Counts over users of the item → items of those users, without ever forming items × items. */
function createCommonUserCounter(
  itemsOfUsers: SparseRows,
  usersOfItems: SparseRows,
): (target: number) => CommonUsers {
  const itemCount = usersOfItems.offsets.length - 1;
  const counts = new Uint32Array(itemCount);
  const met = new Int32Array(itemCount);

  return (target) => {
    let size = 0;
    for (const user of rowOf(usersOfItems, target)) {
      const end = itemsOfUsers.offsets[user + 1]!;
      for (let entry = itemsOfUsers.offsets[user]!; entry < end; entry++) {
        const item = itemsOfUsers.columns[entry]!;
        if (counts[item]!++ === 0) met[size++] = item;
      }
    }
    const items = met.slice(0, size).sort();
    const common: CommonUsers = { items, counts: Uint32Array.from(items, (item) => counts[item]!) };
    for (const item of items) counts[item] = 0;
    return common;
  };
}

/** What each item divides by: as the target, and as the item it starts from. */
interface Norms {
  readonly asTarget: Float64Array;
  readonly asOrigin: Float64Array;
}

function normaliseBy({ offsets }: SparseRows, popularityExponent: number): Norms {
  const userCounts = Float64Array.from(
    { length: offsets.length - 1 },
    (_, i) => offsets[i + 1]! - offsets[i]!,
  );
  return {
    asTarget: userCounts.map((count) => count ** popularityExponent),
    asOrigin: userCounts.map((count) => count ** (1 - popularityExponent)),
  };
}

function selectMostSimilar(
  target: number,
  { items, counts }: CommonUsers,
  options: { norms: Norms; neighbours: number; shrink: number },
): ScoredItems {
  const { asTarget, asOrigin } = options.norms;
  const similarities = Float32Array.from(items, (item, at) =>
    item === target ? 0 : counts[at]! / (asTarget[target]! * asOrigin[item]! + options.shrink),
  );
  const selected = selectTopK(similarities, { limit: options.neighbours, floor: 0 });
  return { items: selected.items.map((at) => items[at]!), scores: selected.scores };
}

/** From what each target keeps to, for each item, the targets that keep it; targets ascend within a row. */
function transposeLists(keptByTarget: readonly ScoredItems[]): ItemLinks {
  const offsets = new Uint32Array(keptByTarget.length + 1);
  for (const { items } of keptByTarget) for (const item of items) offsets[item + 1]!++;
  for (let item = 0; item < keptByTarget.length; item++) offsets[item + 1]! += offsets[item]!;
  const next = offsets.slice();
  const neighbours = new Int32Array(offsets.at(-1)!);
  const similarities = new Float32Array(neighbours.length);
  keptByTarget.forEach(({ items, scores }, target) => {
    items.forEach((item, rank) => {
      const entry = next[item]!++;
      neighbours[entry] = target;
      similarities[entry] = scores[rank]!;
    });
  });
  return { offsets, neighbours, similarities };
}

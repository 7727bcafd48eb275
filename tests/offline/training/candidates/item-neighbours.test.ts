import * as fc from 'fast-check';
import t from 'tap';
import { createSimilarItemsSource } from '../../../../src/candidates/similar-items.js';
import type { ItemLinks } from '../../../../src/domain/item-links.js';
import type { Retrieval } from '../../../../src/domain/candidate.js';
import { findItemNeighbours } from '../../../../src/offline/training/candidates/item-neighbours.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { history } from '../../../support/small-world.js';
import { createTasteGroups, toHistoriesOfItems } from '../../../candidates/taste-groups.js';

const ITEM_COUNT = 12;
const itemLists = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: ITEM_COUNT - 1 })), { maxLength: 12 });

t.test('lists equal a brute-force computation over all pairs, by source item', async (t) => {
  fc.assert(
    fc.property(
      itemLists,
      fc.integer({ min: 1, max: 6 }),
      fc.constantFrom(0, 5),
      fc.constantFrom(0.5, 0, 1, 0.7),
      (lists, neighbours, shrink, popularityExponent) => {
        const options = { neighbours, shrink, popularityExponent };
        const found = findItemNeighbours(toHistoriesOfItems(lists), { itemCount: ITEM_COUNT, ...options });
        t.same(listEntries(found), bruteForce(lists, options));
      },
    ),
  );
});

t.test('a served score is the sum over the history items that the target item keeps', async () => {
  fc.assert(
    fc.property(itemLists, fc.uniqueArray(fc.integer({ min: 0, max: ITEM_COUNT - 1 })), (lists, items) => {
      const options = { neighbours: 3, shrink: 5 };
      const source = createSimilarItemsSource(
        'similar-items',
        findItemNeighbours(toHistoriesOfItems(lists), { itemCount: ITEM_COUNT, ...options }),
        { lastItems: ITEM_COUNT, recencyExponent: 0 },
      );
      const eligible = new Uint8Array(ITEM_COUNT).fill(1);
      const query = { userId: 'u', history: history(items), eligible, limit: ITEM_COUNT };
      const { scoreOf } = source.retrieve(query) as Retrieval;
      const kept = bruteForce(lists, options);
      return Array.from(eligible, (_, target) => target).every((target) => {
        const expected = kept
          .filter((entry) => entry.target === target && items.includes(entry.item))
          .reduce((sum, entry) => sum + entry.similarity, 0);
        return Math.abs(scoreOf(target) - expected) < 1e-5;
      });
    }),
  );
});

t.test('of equally similar items the first by index are kept', async (t) => {
  const lists = findItemNeighbours(toHistoriesOfItems([[3, 2, 1, 0]]), { itemCount: 4, neighbours: 1 });
  t.same(
    listEntries(lists).map(({ item, target }) => [item, target]),
    [
      [0, 1],
      [0, 2],
      [0, 3],
      [1, 0],
    ],
  );
});

t.test('only the latest items of a history count', async (t) => {
  const options = { itemCount: 4, maxHistory: 2 };
  t.same(
    findItemNeighbours(toHistoriesOfItems([[0, 1, 2, 3]]), options),
    findItemNeighbours(toHistoriesOfItems([[2, 3]]), options),
  );
});

t.test(
  '200 neighbours are kept, with a shrinkage of 5 and the cosine, when nothing else is said',
  async (t) => {
    const everything = [Array.from({ length: 300 }, (_, item) => item)];
    const { neighbours, similarities } = findItemNeighbours(toHistoriesOfItems(everything), {
      itemCount: 300,
    });
    t.equal(neighbours.length, 300 * 200);
    t.ok(similarities.every((similarity) => similarity === Math.fround(1 / 6)));
  },
);

t.test('neighbours of an item are of its group', async (t) => {
  const found = findItemNeighbours(createTasteGroups({ users: 400 }), { itemCount: 40, neighbours: 3 });
  t.ok(listEntries(found).every(({ item, target }) => item % 4 === target % 4));
});

t.test('progress goes forward once per item', async (t) => {
  let advanced = 0;
  const progress = { start: () => ({ ...SILENT_PROGRESS.start(''), advance: () => advanced++ }) };
  findItemNeighbours(toHistoriesOfItems([[0, 1]]), { itemCount: 7, progress });
  t.equal(advanced, 7);
});

interface Entry {
  readonly item: number;
  readonly target: number;
  readonly similarity: number;
}

function listEntries({ offsets, neighbours, similarities }: ItemLinks): Entry[] {
  return Array.from(offsets.subarray(0, -1), (start, item) =>
    Array.from(neighbours.subarray(start, offsets[item + 1]), (target, at) => ({
      item,
      target,
      similarity: similarities[start + at]!,
    })),
  ).flat();
}

/** For each target its most similar items, then by item. */
function bruteForce(
  lists: number[][],
  options: { neighbours: number; shrink: number; popularityExponent?: number },
): Entry[] {
  const { popularityExponent = 0.5 } = options;
  const usersOf = (...items: number[]): number =>
    lists.filter((list) => items.every((item) => list.includes(item))).length;
  const items = Array.from({ length: ITEM_COUNT }, (_, item) => item);
  return items
    .flatMap((target) =>
      items
        .filter((item) => item !== target && usersOf(item, target) > 0)
        .map((item) => ({ item, target, similarity: similarityOf(item, target) }))
        .sort((a, b) => b.similarity - a.similarity || a.item - b.item)
        .slice(0, options.neighbours),
    )
    .sort((a, b) => a.item - b.item || a.target - b.target);

  function similarityOf(item: number, target: number): number {
    const norm = usersOf(target) ** popularityExponent * usersOf(item) ** (1 - popularityExponent);
    return Math.fround(usersOf(item, target) / (norm + options.shrink));
  }
}

import * as fc from 'fast-check';
import t from 'tap';
import { mergeRetrievals } from '../../src/candidates/merge-candidates.js';
import type { Retrieval } from '../../src/domain/candidate.js';
import { retrieval } from '../support/small-world.js';

/** A retrieval of these items in this order. */
function listOf(source: string, items: number[]): Retrieval {
  return retrieval(
    source,
    items.map((item, position) => [item, 100 - position]),
  );
}

const itemLists = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 20 }), {
  minLength: 1,
  maxLength: 4,
});
const toRetrievals = (lists: number[][]): Retrieval[] =>
  lists.map((list, at) => listOf(`source ${at}`, list));

t.test('an item that several sources retrieved is one candidate, with its rank in each', async (t) => {
  const retrievals = [listOf('a', [7, 3]), listOf('b', [3, 5])];
  const merged = mergeRetrievals(retrievals, { limit: 10 });
  t.same([...merged.items], [3, 7, 5]);
  t.same([...merged.ranks], [2, 1, 1, 0, 0, 2]);
  t.same(
    [...merged.fusionScores],
    [1 / 62 + 1 / 61, 1 / 61, 1 / 62].map((score) => Math.fround(score)),
  );
  t.equal(merged.retrievals, retrievals);
});

t.test('candidates of equal fusion score stand by item index', async (t) => {
  t.same(
    [...mergeRetrievals([listOf('a', [9]), listOf('b', [2]), listOf('c', [5])], { limit: 3 }).items],
    [2, 5, 9],
  );
});

t.test('sums of the same ranks are equal, whichever source gave which rank', async (t) => {
  // As float64, 1/61 + 1/69 + 1/70 is less than the same terms added in another order.
  const between = (start: number): number[] => Array.from({ length: 7 }, (_, at) => start + at);
  const merged = mergeRetrievals(
    [
      listOf('a', [1, ...between(10), 2, 3]),
      listOf('b', [3, ...between(20), 1, 2]),
      listOf('c', [2, ...between(30), 3, 1]),
    ],
    { limit: 3 },
  );
  t.same([...merged.items], [1, 2, 3]);
  t.equal(new Set(merged.fusionScores).size, 1);
});

t.test('a larger rank constant makes two middling ranks worth more than one first rank', async (t) => {
  const retrievals = [listOf('a', [1, 8, 2]), listOf('b', [9, 6, 2])];
  t.equal(mergeRetrievals(retrievals, { limit: 9, rankConstant: 0.1 }).items[0], 1);
  t.equal(mergeRetrievals(retrievals, { limit: 9, rankConstant: 60 }).items[0], 2);
});

t.test('a quota keeps a place for a source that fusion alone would drop', async (t) => {
  const retrievals = [listOf('a', [1, 2, 3]), listOf('b', [1, 2, 3]), listOf('c', [8, 9])];
  t.same([...mergeRetrievals(retrievals, { limit: 3 }).items], [1, 2, 3]);
  t.same([...mergeRetrievals(retrievals, { limit: 3, quotas: [1, 1, 1] }).items], [1, 2, 8]);
});

t.test('a source has a voice in fusion by its quota', async (t) => {
  const retrievals = [listOf('a', [1, 2, 3, 4]), listOf('b', [9, 8, 7, 6])];
  const merged = mergeRetrievals(retrievals, { limit: 6, quotas: [3, 1] });
  t.same([...merged.items], [1, 2, 3, 4, 9, 8], 'places beyond the quotas go to the louder source');
  t.same([...merged.fusionScores.slice(3, 5)], [1 / 64, 1 / 3 / 61].map(Math.fround));
  const equal = mergeRetrievals(retrievals, { limit: 6, quotas: [2, 2] });
  t.same([...equal.fusionScores], [...mergeRetrievals(retrievals, { limit: 6 }).fusionScores]);
});

t.test('a place that a quota leaves free goes to the next best', async (t) => {
  const retrievals = [listOf('a', [1, 2, 3, 4]), listOf('b', [1, 2]), listOf('c', [])];
  t.same([...mergeRetrievals(retrievals, { limit: 4, quotas: [2, 2, 2] }).items], [1, 2, 3, 4]);
});

t.test('of quotas that promise more than there is room for, the best by fusion stay', async (t) => {
  const retrievals = [listOf('a', [1, 2]), listOf('b', [3, 2])];
  t.same([...mergeRetrievals(retrievals, { limit: 2, quotas: [2, 2] }).items], [2, 1]);
});

t.test('without retrievals there are no candidates', async (t) => {
  const merged = mergeRetrievals([], { limit: 5 });
  t.same([...merged.items, ...merged.fusionScores, ...merged.ranks], []);
});

t.test('the set is never shorter than the room and the union of all lists allow', async () => {
  fc.assert(
    fc.property(
      itemLists,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 9 }),
      (lists, limit, quota) => {
        const union = new Set(lists.flat());
        const merged = mergeRetrievals(toRetrievals(lists), { limit, quotas: lists.map(() => quota) });
        return (
          merged.items.length === Math.min(limit, union.size) && merged.items.every((item) => union.has(item))
        );
      },
    ),
  );
});

t.test('candidates are unique and in fusion order, whatever the quotas', async () => {
  fc.assert(
    fc.property(
      itemLists,
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 9 }),
      (lists, limit, quota) => {
        const { items, fusionScores } = mergeRetrievals(toRetrievals(lists), {
          limit,
          quotas: lists.map(() => quota),
        });
        const isInOrder = (at: number): boolean =>
          fusionScores[at - 1]! > fusionScores[at]! ||
          (fusionScores[at - 1] === fusionScores[at] && items[at - 1]! < items[at]!);
        return new Set(items).size === items.length && items.every((_, at) => at === 0 || isInOrder(at));
      },
    ),
  );
});

t.test('quotas that fit together are all kept', async () => {
  fc.assert(
    fc.property(itemLists, fc.integer({ min: 1, max: 9 }), (lists, quota) => {
      const limit = quota * lists.length;
      const kept = new Set(
        mergeRetrievals(toRetrievals(lists), { limit, quotas: lists.map(() => quota) }).items,
      );
      return lists.every((list) => list.slice(0, quota).every((item) => kept.has(item)));
    }),
  );
});

t.test('ranks are the 1-based positions in each list, 0 where a list has no such item', async () => {
  fc.assert(
    fc.property(itemLists, fc.integer({ min: 1, max: 40 }), (lists, limit) => {
      const { items, ranks } = mergeRetrievals(toRetrievals(lists), { limit });
      const expected = [...items].flatMap((item) => lists.map((list) => list.indexOf(item) + 1));
      return String([...ranks]) === String(expected);
    }),
  );
});

t.test('a fusion score is the sum of 1 / (60 + rank), rounded once', async () => {
  fc.assert(
    fc.property(itemLists, (lists) => {
      const { items, fusionScores, ranks } = mergeRetrievals(toRetrievals(lists), { limit: 40 });
      return items.every((_, row) => {
        const own = ranks.subarray(row * lists.length, (row + 1) * lists.length);
        const sum = own.reduce((total, rank) => (rank === 0 ? total : total + 1 / (60 + rank)), 0);
        return fusionScores[row] === Math.fround(sum);
      });
    }),
  );
});

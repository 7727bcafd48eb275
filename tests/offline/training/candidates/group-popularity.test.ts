import * as fc from 'fast-check';
import t from 'tap';
import type { GroupPopularity } from '../../../../src/candidates/popular-in-group.js';
import type { AttributeColumn, EntityTable } from '../../../../src/domain/catalogue.js';
import { IdIndex } from '../../../../src/domain/id-index.js';
import {
  countGroupPopularity,
  hasGroups,
} from '../../../../src/offline/training/candidates/group-popularity.js';
import { toHistoriesOfItems } from '../../../candidates/taste-groups.js';
import { attribute } from '../../../support/small-world.js';

const options = { itemCount: 4, priorUsers: 2, itemsPerGroup: 4, minimumUsers: 1 };

function users(...attributes: AttributeColumn[]): EntityTable {
  return { entities: new IdIndex(attributes[0]!.values.map((_, user) => `u${user}`)), attributes };
}

/** The lists of all groups, as [item, score] pairs. */
function listsOf({ groupOffsets, items, scores }: GroupPopularity): [number, number][][] {
  return Array.from({ length: groupOffsets.length - 1 }, (_, group) =>
    Array.from(items.subarray(groupOffsets[group], groupOffsets[group + 1]), (item, at) => [
      item,
      scores[groupOffsets[group]! + at]!,
    ]),
  );
}

const colours = users(
  attribute('colour', 'categorical', ['red', 'red', 'blue', undefined]),
  attribute('member', 'boolean', [true, false, true, undefined]),
  attribute('age', 'numeric', [10, 20, 30, 40]),
  attribute('tags', 'multi-valued', [['a'], ['a'], ['a'], ['a']]),
  { ...attribute('secret', 'categorical', ['x', 'x', 'x', 'x']), feature: false },
);

t.test('categories and booleans that features may read make groups, nothing else does', async (t) => {
  const { userOffsets, userGroups, groupOffsets } = countGroupPopularity(
    toHistoriesOfItems([[], [], [], []]),
    colours,
    options,
  );
  // blue, red, false, true
  t.same([...userOffsets], [0, 2, 4, 6, 6]);
  t.same([...userGroups], [1, 3, 1, 2, 0, 3]);
  t.same([...groupOffsets], [0, 0, 0, 0, 0]);
});

t.test('a score is the share of the active users of a group, drawn towards that of all', async (t) => {
  const histories = toHistoriesOfItems([[0, 1], [0], [2], []]);
  const [blue, red] = listsOf(countGroupPopularity(histories, colours, options));
  const third = (takers: number, takersInGroup: number, active: number): number =>
    Math.fround((takersInGroup + 2 * Math.fround(takers / 3)) / (active + 2));
  t.same(red, [
    [0, third(2, 2, 2)],
    [1, third(1, 1, 2)],
    [2, third(1, 0, 2)],
  ]);
  t.same(blue, [
    [2, third(1, 1, 1)],
    [0, third(2, 0, 1)],
    [1, third(1, 0, 1)],
  ]);
});

t.test('values of too few users make no group', async (t) => {
  const table = { minimumUsers: 2 };
  const { userGroups, groupOffsets } = countGroupPopularity(toHistoriesOfItems([[0], [], [], []]), colours, {
    ...options,
    ...table,
  });
  t.same([...userGroups], [0, 1, 0, 1], 'red and true');
  t.equal(groupOffsets.length, 3);
  t.equal(hasGroups(colours, table), true);
  t.equal(hasGroups(colours, { minimumUsers: 3 }), false);
  t.equal(hasGroups(users(attribute('age', 'numeric', [1, 2])), { minimumUsers: 1 }), false);
});

t.test('each group keeps its best items, those of all among them, as a full count finds them', async () => {
  const lists = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 11 }), { maxLength: 6 }), {
    minLength: 1,
    maxLength: 12,
  });
  fc.assert(
    fc.property(lists, fc.integer({ min: 1, max: 12 }), (lists, itemsPerGroup) => {
      const groupOf = lists.map((_, user) => (user % 3 === 0 ? 'a' : 'b'));
      const histories = toHistoriesOfItems(lists);
      const table = users(attribute('group', 'categorical', groupOf));
      const count = (kept: number): [number, number][][] =>
        listsOf(countGroupPopularity(histories, table, { ...options, itemCount: 12, itemsPerGroup: kept }));
      const all = count(12);
      return String(count(itemsPerGroup)) === String(all.map((list) => list.slice(0, itemsPerGroup)));
    }),
  );
});

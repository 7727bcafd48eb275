import * as fc from 'fast-check';
import t from 'tap';
import type { ItemLinks } from '../../../../src/domain/item-links.js';
import { estimateEase, trainEase } from '../../../../src/offline/training/candidates/ease.js';
import { createTasteGroups, toHistoriesOfItems } from '../../../candidates/taste-groups.js';

const ITEM_COUNT = 9;
const itemLists = (maxUsers: number): fc.Arbitrary<number[][]> =>
  fc.array(fc.uniqueArray(fc.integer({ min: 0, max: ITEM_COUNT - 1 })), { maxLength: maxUsers });

for (const [system, maxUsers] of [
  ['users', 4],
  ['items', 60],
] as const) {
  t.test(`weights equal the closed form, where ${system} are fewer`, async (t) => {
    await fc.assert(
      fc.asyncProperty(itemLists(maxUsers), fc.constantFrom(0.5, 20), async (lists, regularisation) => {
        const found = toDense(
          await trainEase(toHistoriesOfItems(lists), { itemCount: ITEM_COUNT, regularisation }),
        );
        const expected = closedForm(lists, regularisation);
        found.forEach((row, item) =>
          row.forEach((weight, target) => {
            if (Math.abs(weight - expected[item]![target]!) > 1e-6) t.fail(`${item} → ${target}: ${weight}`);
          }),
        );
      }),
      { numRuns: 60 },
    );
    t.pass('all within 1e-6');
  });
}

t.test('each row keeps its largest weights, of either sign, in ascending order of items', async (t) => {
  const histories = createTasteGroups({ items: 40 });
  const all = toDense(await trainEase(histories, { itemCount: 40, regularisation: 5 }));
  const kept = await trainEase(histories, { itemCount: 40, regularisation: 5, weightsPerItem: 6 });
  toDense(kept).forEach((row, item) => {
    const sizes = all[item]!.map(Math.abs).sort((a, b) => b - a);
    t.same(
      row,
      all[item]!.map((weight) => (Math.abs(weight) >= sizes[5]! ? weight : 0)),
    );
  });
  t.ok(kept.similarities.some((weight) => weight < 0));
});

t.test('the same histories give the same weights, and a history counts by its latest items', async (t) => {
  const lists = [
    [0, 1, 2],
    [1, 2, 3],
    [3, 4],
  ];
  const options = { itemCount: 5, regularisation: 1 };
  t.same(
    await trainEase(toHistoriesOfItems(lists), options),
    await trainEase(toHistoriesOfItems(lists), options),
  );
  t.same(
    await trainEase(toHistoriesOfItems(lists), { ...options, maxHistory: 2 }),
    await trainEase(toHistoriesOfItems(lists.map((items) => items.slice(-2))), options),
  );
});

t.test('nobody and nothing give no weights', async (t) => {
  t.same((await trainEase(toHistoriesOfItems([]), { itemCount: 2 })).offsets, Uint32Array.of(0, 0, 0));
  t.equal((await trainEase(toHistoriesOfItems([[1]]), { itemCount: 2 })).neighbours.length, 0);
});

t.test('a negative λ is refused, not served', async (t) => {
  await t.rejects(trainEase(toHistoriesOfItems([[0, 1]]), { itemCount: 2, regularisation: -3 }), {
    code: 'TRAINING_FAILED',
    message: /regularisation is -3, set it above 0/,
  });
});

t.test('the cost is that of the system that takes less time', async (t) => {
  const options = { weightsPerItem: 400 };
  const byItems = estimateEase({ users: 1e6, items: 5000, interactions: 2e6 }, options);
  t.same(estimateEase({ users: 2e6, items: 5000, interactions: 2e6 }, options), byItems);
  const byUsers = estimateEase({ users: 100, items: 5000, interactions: 1e4 }, options);
  t.ok(byUsers.seconds < byItems.seconds);
  t.ok(byUsers.megabytes < byItems.megabytes);
});

t.test('memory is reckoned with the squared system and the lists', async (t) => {
  const { megabytes } = estimateEase(
    { users: 1e6, items: 10_000, interactions: 1e6 },
    { weightsPerItem: 100 },
  );
  t.ok(megabytes > 400 + 16);
  t.ok(megabytes < 500 + 16);
});

for (const [system, group] of [
  ['items', { items: 2, users: 3 }],
  ['users', { items: 3, users: 2 }],
] as const) {
  t.test(`a system of 2,100 ${system} gives the weights of each of its groups`, async (t) => {
    const groups = 1050;
    const itemCount = groups * group.items;
    const lists = Array.from({ length: groups * group.users }, (_, user) => {
      const first = Math.floor(user / group.users) * group.items;
      return Array.from({ length: group.items }, (_, at) => first + at);
    });
    const links = await trainEase(toHistoriesOfItems(lists), { itemCount, regularisation: 2 });
    // Of m items that the same c users take: c / (λ + c (m − 1)) each.
    const expected = group.users / (2 + group.users * (group.items - 1));
    t.equal(links.neighbours.length, itemCount * (group.items - 1));
    t.ok(links.similarities.every((weight) => Math.abs(weight - expected) < 1e-6));
    t.ok(
      links.neighbours.every((neighbour, entry) => {
        const item = Math.floor(entry / (group.items - 1));
        return neighbour !== item && Math.floor(neighbour / group.items) === Math.floor(item / group.items);
      }),
    );
  });
}

function toDense({ offsets, neighbours, similarities }: ItemLinks): number[][] {
  return Array.from({ length: offsets.length - 1 }, (_, item) => {
    const row = Array.from({ length: offsets.length - 1 }, () => 0);
    for (let entry = offsets[item]!; entry < offsets[item + 1]!; entry++)
      row[neighbours[entry]!] = similarities[entry]!;
    return row;
  });
}

/** B = I − P / diag(P) with P = (XᵀX + λI)⁻¹, by elimination over all items. */
function closedForm(lists: number[][], regularisation: number): number[][] {
  const gram = Array.from({ length: ITEM_COUNT }, (_, row) =>
    Array.from(
      { length: ITEM_COUNT },
      (_, column) =>
        lists.filter((items) => items.includes(row) && items.includes(column)).length +
        (row === column ? regularisation : 0),
    ),
  );
  const inverse = invert(gram);
  return inverse.map((row, item) =>
    row.map((value, target) => (item === target ? 0 : -value / inverse[target]![target]!)),
  );
}

function invert(matrix: number[][]): number[][] {
  const size = matrix.length;
  const rows = matrix.map((row, at) => [...row, ...row.map((_, column) => (column === at ? 1 : 0))]);
  for (let pivot = 0; pivot < size; pivot++) {
    const scale = rows[pivot]![pivot]!;
    rows[pivot] = rows[pivot]!.map((value) => value / scale);
    for (let row = 0; row < size; row++) {
      if (row === pivot) continue;
      const factor = rows[row]![pivot]!;
      rows[row] = rows[row]!.map((value, column) => value - factor * rows[pivot]![column]!);
    }
  }
  return rows.map((row) => row.slice(size));
}

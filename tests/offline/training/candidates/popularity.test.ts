import t from 'tap';
import { IdIndex } from '../../../../src/domain/id-index.js';
import { countPopularity } from '../../../../src/offline/training/candidates/popularity.js';
import { interactionTable } from '../../../support/small-world.js';

const items = new IdIndex(['a', 'b', 'c']);
const table = interactionTable(
  [
    [0, 0, 100],
    [0, 1, 150],
    [0, 0, 200],
    [1, 0, 120],
    [2, 1, 300],
    [2, 0, 310],
  ],
  { users: 3, items },
);

t.test('an item counts each of its users once', async (t) => {
  t.same([...countPopularity(table, { itemCount: 3 })], [3, 2, 0]);
});

t.test('with a half-life a user counts by the age of their latest interaction with the item', async (t) => {
  const decay = { halfLifeDays: 10 / 86_400, knownUntil: 310 };
  t.same(
    [...countPopularity(table, { itemCount: 3, decay })],
    [2 ** -11 + 2 ** -19 + 1, 2 ** -16 + 2 ** -1, 0].map(Math.fround),
  );
});

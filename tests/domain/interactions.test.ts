import t from 'tap';
import { historyOf, latestOf, typedOf } from '../../src/domain/history.js';
import { IdIndex } from '../../src/domain/id-index.js';
import { filterInteractions, toHistories } from '../../src/domain/interactions.js';
import { interactionTable } from '../support/small-world.js';

const items = new IdIndex(['a', 'b', 'c']);

t.test('a history has each item once, at its latest interaction, oldest first', async (t) => {
  const table = interactionTable(
    [
      [0, 1, 10],
      [0, 2, 20],
      [0, 1, 30, 5],
      [2, 0, 5],
    ],
    { users: 3, items },
  );
  const histories = toHistories(table);
  t.same([...historyOf(histories, 0).items], [2, 1]);
  t.same([...historyOf(histories, 0).timestamps], [20, 30]);
  t.same([...historyOf(histories, 0).values], [1, 5]);
  t.same([...historyOf(histories, 1).items], [], 'a user without rows has an empty history');
  t.same([...historyOf(histories, 2).items], [0]);
});

t.test('where values are weights, an item weighs what its heaviest interaction does', async (t) => {
  const table = interactionTable(
    [
      [0, 1, 10, 5],
      [0, 2, 20, 2],
      [0, 1, 30, 1],
      [1, 1, 10, 1],
      [1, 1, 20, 3],
    ],
    { users: 2, items },
  );
  const weighted = toHistories({ ...table, weighted: true });
  t.same([...weighted.items], [2, 1, 1]);
  t.same([...weighted.timestamps], [20, 30, 20]);
  t.same([...weighted.values], [2, 5, 3]);
  t.same([...toHistories(table).values], [2, 1, 3]);
});

t.test('the same item of two users is kept for both', async (t) => {
  const table = interactionTable(
    [
      [0, 1, 10],
      [1, 1, 10],
    ],
    { users: 2, items },
  );
  t.same([...toHistories(table).items], [1, 1]);
});

t.test('the latest entries are a view of the end of a history', async (t) => {
  const table = interactionTable(
    [
      [0, 0, 1],
      [0, 1, 2],
      [0, 2, 3],
    ],
    { users: 1, items },
  );
  const history = historyOf(toHistories(table), 0);
  t.same([...latestOf(history, 2).items], [1, 2]);
  t.equal(latestOf(history, 3), history);
  t.same(latestOf(history, 2).items.buffer, history.items.buffer);
});

t.test('a filtered table keeps the users, the items and the order', async (t) => {
  const table = interactionTable(
    [
      [0, 0, 1],
      [0, 1, 2, 4],
      [1, 2, 3],
    ],
    { users: 2, items },
  );
  const late = filterInteractions(table, (row) => table.timestamp[row]! >= 2);
  t.same([...late.item], [1, 2]);
  t.same([...late.value], [4, 1]);
  t.equal(late.users, table.users);
});

t.test('the latest interaction of each type is kept beside a history', async (t) => {
  const table = interactionTable(
    [
      [0, 1, 10],
      [0, 1, 20],
      [0, 2, 25],
      [0, 1, 30],
      [1, 1, 5],
    ],
    { users: 2, items },
  );
  const types = { names: ['click', 'purchase'], codes: Int32Array.of(1, 0, -1, 0, 1) };
  const histories = toHistories({ ...table, types });
  t.same(typedOf(histories, 0), {
    items: Int32Array.of(1, 2, 1),
    timestamps: Float64Array.of(10, 25, 30),
    types: Int32Array.of(1, -1, 0),
    names: types.names,
  });
  t.same(typedOf(histories, 1).types, Int32Array.of(1));
  const some = toHistories(filterInteractions({ ...table, types }, (row) => row !== 3));
  t.same(typedOf(some, 0).timestamps, Float64Array.of(10, 20, 25), 'filtered as rows are');
});

t.test('without types, entries by type are the history, of no known type', async (t) => {
  const table = interactionTable([[0, 1, 10]], { users: 1, items });
  t.same(typedOf(toHistories(table), 0), {
    items: Int32Array.of(1),
    timestamps: Float64Array.of(10),
    types: Int32Array.of(-1),
    names: [],
  });
});

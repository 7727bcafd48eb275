import * as fc from 'fast-check';
import t from 'tap';
import {
  countFilledRows,
  rowOf,
  toUserRows,
  transpose,
  valuesOf,
} from '../../../../src/offline/training/candidates/sparse-rows.js';
import { toHistoriesOfItems } from '../../../candidates/taste-groups.js';

const itemLists = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 9 })), { maxLength: 10 });

t.test('user rows are the histories, each cut to its latest items', async () => {
  fc.assert(
    fc.property(itemLists, fc.integer({ min: 1, max: 10 }), (lists, maxHistory) => {
      const rows = toUserRows(toHistoriesOfItems(lists), { maxHistory });
      return lists.every((list, user) => String([...rowOf(rows, user)]) === String(list.slice(-maxHistory)));
    }),
  );
});

t.test('a transposed matrix holds row r in column c where the matrix holds c in r, ascending', async () => {
  fc.assert(
    fc.property(itemLists, (lists) => {
      const columns = transpose(toUserRows(toHistoriesOfItems(lists), { maxHistory: 10 }), 10);
      return Array.from({ length: 10 }, (_, item) => item).every((item) => {
        const users = lists.flatMap((list, user) => (list.includes(item) ? [user] : []));
        return String([...rowOf(columns, item)]) === String(users);
      });
    }),
  );
});

t.test('values go with their entries, cut and transposed alike', async (t) => {
  const histories = {
    ...toHistoriesOfItems([
      [0, 1, 2],
      [2, 0],
    ]),
    values: Float32Array.of(1, 2, 3, 4, 5),
  };
  const rows = toUserRows(histories, { maxHistory: 2, withValues: true });
  t.same([...valuesOf(rows, 0)!], [2, 3]);
  t.same([...valuesOf(rows, 1)!], [4, 5]);
  const columns = transpose(rows, 3);
  t.same(
    [0, 1, 2].map((item) => [...valuesOf(columns, item)!]),
    [[5], [2], [3, 4]],
  );
  t.equal(valuesOf(transpose(toUserRows(histories, { maxHistory: 2 }), 3), 0), undefined);
});

t.test('filled rows are those with a column', async (t) => {
  t.equal(countFilledRows(toUserRows(toHistoriesOfItems([[1], [], [0, 2], []]), { maxHistory: 5 })), 2);
});

import t from 'tap';
import { IdIndex } from '../../src/domain/id-index.js';
import type { Histories } from '../../src/domain/history.js';
import { createMemoryHistories } from '../../src/features/memory-histories.js';
import { type HistoryTruth, testHistoryStore } from './history-store-contract.js';

function toTable(truth: HistoryTruth): Histories {
  const histories = [...truth.values()];
  const offsets = new Uint32Array(histories.length + 1);
  histories.forEach(({ items }, user) => (offsets[user + 1] = offsets[user]! + items.length));
  return {
    offsets,
    items: Int32Array.from(histories.flatMap(({ items }) => [...items])),
    timestamps: Float64Array.from(histories.flatMap(({ timestamps }) => [...timestamps])),
    values: Float32Array.from(histories.flatMap(({ values }) => [...values])),
  };
}

testHistoryStore(t, (truth) => createMemoryHistories(new IdIndex([...truth.keys()]), toTable(truth)));

t.test(
  'what a user does not want is a view of the table too; without it, and for others, there is nothing',
  async (t) => {
    const nothing = {
      offsets: new Uint32Array(3),
      items: new Int32Array(0),
      timestamps: new Float64Array(0),
      values: new Float32Array(0),
    };
    const users = new IdIndex(['ann', 'bob']);
    const unwanted = {
      offsets: Uint32Array.of(0, 0, 2),
      items: Int32Array.of(4, 1),
      timestamps: Float64Array.of(5, 6),
    };
    const store = createMemoryHistories(users, { ...nothing, unwanted });
    t.same(store.findUnwanted('bob'), { items: Int32Array.of(4, 1), timestamps: Float64Array.of(5, 6) });
    t.equal(store.findUnwanted('bob').items.buffer, unwanted.items.buffer);
    for (const user of ['ann', 'nobody']) t.equal(store.findUnwanted(user).items.length, 0, user);
    t.equal(createMemoryHistories(users, nothing).findUnwanted('bob').items.length, 0);
  },
);

t.test('a history is a view of the table, not a copy', async (t) => {
  const table = toTable(
    new Map([
      ['ann', { items: Int32Array.of(1), timestamps: Float64Array.of(2), values: Float32Array.of(3) }],
    ]),
  );
  const store = createMemoryHistories(new IdIndex(['ann']), table);
  t.equal(store.find('ann').items.buffer, table.items.buffer);
});

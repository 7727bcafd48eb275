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

t.test('a history is a view of the table, not a copy', async (t) => {
  const table = toTable(
    new Map([
      ['ann', { items: Int32Array.of(1), timestamps: Float64Array.of(2), values: Float32Array.of(3) }],
    ]),
  );
  const store = createMemoryHistories(new IdIndex(['ann']), table);
  t.equal(store.find('ann').items.buffer, table.items.buffer);
});

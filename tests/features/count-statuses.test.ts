import t from 'tap';
import { countStatuses } from '../../src/features/count-statuses.js';
import { featureTable } from '../support/small-world.js';

t.test('values count by status: present, defaulted, or of an entity that is not known', async (t) => {
  const table = featureTable('item', ['a', 'b', 'c'], { x: { values: [1, 0, 3] }, y: { values: [4, 5, 6] } });
  table.defaulted[0]!.add(1);
  t.strictSame(countStatuses(table, Int32Array.of(0, 1, 1, -1)), {
    view: 'items',
    present: 4,
    defaulted: 2,
    unknownEntity: 2,
  });
  t.strictSame(countStatuses(table, []), { view: 'items', present: 0, defaulted: 0, unknownEntity: 0 });
});

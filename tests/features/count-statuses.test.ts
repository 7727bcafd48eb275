import t from 'tap';
import { countStatuses } from '../../src/features/count-statuses.js';
import { VALUE_STATUS } from '../../src/features/feature-store.js';
import { featureTable } from '../support/feature-tables.js';

t.test('values of the rows that were read count by status', async (t) => {
  const { view } = featureTable('item', [], { x: { values: [] }, y: { values: [] } });
  const { PRESENT, DEFAULTED, STALE, UNKNOWN_ENTITY } = VALUE_STATUS;
  const statuses = Uint8Array.of(PRESENT, DEFAULTED, PRESENT, STALE, UNKNOWN_ENTITY, UNKNOWN_ENTITY);
  const rows = { values: new Float32Array(6), statuses };
  t.strictSame(countStatuses(view, rows, { count: 3 }), {
    view: 'items',
    present: 2,
    defaulted: 1,
    stale: 1,
    unknownEntity: 2,
  });
  t.strictSame(countStatuses(view, rows, { count: 1 }), {
    view: 'items',
    present: 1,
    defaulted: 1,
    stale: 0,
    unknownEntity: 0,
  });
});

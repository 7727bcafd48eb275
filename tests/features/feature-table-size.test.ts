import t from 'tap';
import { estimateTableBytes } from '../../src/features/feature-table-size.js';
import type { FeatureField, FeatureView } from '../../src/features/feature-view.js';
import { readFeatureTable } from '../../src/features/read-feature-table.js';
import { encodeFeatureTable } from '../../src/offline/training/bundle/encode-feature-table.js';
import { KNOWN_UNTIL, tableOf } from '../support/feature-tables.js';

function viewOf(fields: readonly FeatureField[], eventTime?: string): FeatureView {
  const view = { name: 'users', entity: 'user', key: 'user_id', file: 'users.parquet', fields } as const;
  return eventTime === undefined ? view : { ...view, eventTime };
}

function floats(count: number): FeatureField[] {
  return Array.from({ length: count }, (_, field) => ({ name: `f${field}`, type: 'float32', default: 0 }));
}

t.test('the bytes per entity are those of the formula, within a tenth', async (t) => {
  const vector: FeatureField = { name: 'embedding', type: 'vector', length: 64, default: 0 };
  const views = [
    viewOf([]),
    viewOf(floats(1)),
    viewOf(floats(32)),
    viewOf(floats(1), 'since'),
    viewOf([vector]),
    viewOf([...floats(9), vector, { ...vector, name: 'other', length: 3 }], 'since'),
  ];
  for (const view of views) {
    const rows = 3000;
    const ids = Array.from({ length: rows }, (_, row) => `user-${row * 7919}-é`);
    const values = view.fields.map(({ length }) =>
      length === undefined ? 1 : Array<number>(length).fill(1),
    );
    const eventTimes = view.eventTime === undefined ? {} : { eventTimes: ids.map((_, row) => row) };
    const source = tableOf(
      view,
      ids.map((id) => [id, values]),
      eventTimes,
    );
    const options = { file: view.file, knownUntil: KNOWN_UNTIL };
    const table = await readFeatureTable(encodeFeatureTable(source), view, options);
    const idBytes = Buffer.byteLength(ids.join('')) / rows;
    const ratio = table.sizeBytes / estimateTableBytes(view, { rows, idBytes });
    t.ok(ratio > 0.9 && ratio < 1.1, `${view.fields.map(({ name }) => name).join()}: ${ratio}`);
  }
});

t.test('ids that nobody has read yet are taken for UUIDs', async (t) => {
  t.equal(estimateTableBytes(viewOf(floats(8)), { rows: 10 }), 10 * (33 + 36 + 10));
});

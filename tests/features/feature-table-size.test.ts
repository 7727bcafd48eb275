import t from 'tap';
import { estimateTableBytes, tableBytes } from '../../src/features/feature-table-size.js';
import { readFeatureTable } from '../../src/features/read-feature-table.js';
import { encodeFeatureTable } from '../../src/offline/bundle-writing/encode-feature-table.js';
import { featureTable } from '../support/small-world.js';

t.test('the bytes per entity are those of the formula, within a tenth', async (t) => {
  for (const { rows, fields } of [
    { rows: 5000, fields: 0 },
    { rows: 5000, fields: 1 },
    { rows: 3000, fields: 32 },
  ]) {
    const ids = Array.from({ length: rows }, (_, row) => `user-${row * 7919}-é`);
    const columns = Array.from({ length: fields }, (_, field) => [
      `f${field}`,
      { values: ids.map((_, row) => row) },
    ]);
    const source = featureTable('user', ids, Object.fromEntries(columns));
    const table = await readFeatureTable(encodeFeatureTable(source), source.view, { file: 'users.parquet' });
    const idBytes = Buffer.byteLength(ids.join('')) / rows;
    const ratio = tableBytes(table) / estimateTableBytes({ rows, fields, idBytes });
    t.ok(ratio > 0.9 && ratio < 1.1, `${fields} fields: ${ratio}`);
  }
});

t.test('ids that nobody has read yet are taken for UUIDs', async (t) => {
  t.equal(estimateTableBytes({ rows: 10, fields: 8 }), 10 * (33 + 36 + 10));
});

import t from 'tap';
import { IdIndex } from '../../src/domain/id-index.js';
import type { FeatureTable } from '../../src/features/feature-table.js';
import { createMemoryStore } from '../../src/features/memory-store.js';
import { readFeatureTable } from '../../src/features/read-feature-table.js';
import { RowSet } from '../../src/features/row-set.js';
import { encodeFeatureTable } from '../../src/offline/bundle-writing/encode-feature-table.js';
import { type FeatureTruth, testFeatureStore } from './feature-store-contract.js';

t.test('a store over columns in memory', async (t) => {
  testFeatureStore(t, (truth) => createMemoryStore(toTable(truth)));
});

t.test('a store over columns that were written to parquet and read again', async (t) => {
  testFeatureStore(t, async (truth) => {
    const bytes = encodeFeatureTable(toTable(truth));
    return createMemoryStore(await readFeatureTable(bytes, truth.view, { file: truth.view.file }));
  });
});

function toTable({ view, rows }: FeatureTruth): FeatureTable {
  const truth = [...rows.values()];
  const defaulted = view.fields.map(() => new RowSet(truth.length));
  const columns = view.fields.map((field, index) =>
    Float32Array.from(truth, (values, row) => {
      if (values[index] === undefined) defaulted[index]!.add(row);
      return values[index] ?? field.default;
    }),
  );
  return { view, entities: new IdIndex([...rows.keys()]), columns, defaulted };
}

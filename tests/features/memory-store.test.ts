import t from 'tap';
import type { FeatureTable } from '../../src/features/feature-table.js';
import { createMemoryStore } from '../../src/features/memory-store.js';
import { readFeatureTable } from '../../src/features/read-feature-table.js';
import { encodeFeatureTable } from '../../src/offline/training/bundle/encode-feature-table.js';
import { KNOWN_UNTIL, tableOf } from '../support/feature-tables.js';
import {
  type FeatureTruth,
  testFeatureStore,
  testTimeToLive,
  testTypedValues,
} from './feature-store-contract.js';

const SUITES = [testFeatureStore, testTypedValues, testTimeToLive];

t.test('a store over a table in memory', async (t) => {
  for (const test of SUITES) test(t, (truth) => createMemoryStore(toTable(truth)));
});

t.test('a store over a table that was written to parquet and read again', async (t) => {
  for (const test of SUITES) {
    test(t, async (truth) => {
      const bytes = encodeFeatureTable(toTable(truth));
      const options = { file: truth.view.file, knownUntil: KNOWN_UNTIL };
      return createMemoryStore(await readFeatureTable(bytes, truth.view, options));
    });
  }
});

t.test('a store in memory has answered when it returns, any number of ids', async (t) => {
  const store = createMemoryStore(toTable(LETTERS));
  const ids = Array.from({ length: 700 }, (_, at) => (at % 2 === 0 ? 'b' : 'x'));
  const rows = { values: new Float32Array(700), statuses: new Uint8Array(700) };
  t.equal(store.getMany(ids, rows, { now: 0 }), undefined);
  t.same([...rows.values.subarray(698)], [2, 9]);
});

const LETTERS: FeatureTruth = {
  view: {
    name: 'items',
    entity: 'item',
    key: 'item_id',
    file: 'features/letters.parquet',
    fields: [{ name: 'number', type: 'float32', default: 9 }],
  },
  rows: new Map([
    ['a', [1]],
    ['b', [2]],
  ]),
};

function toTable({ view, rows, eventTimes }: FeatureTruth): FeatureTable {
  return tableOf(view, rows, eventTimes === undefined ? {} : { eventTimes: [...eventTimes.values()] });
}

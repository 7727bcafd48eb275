import t from 'tap';
import { IdIndex } from '../../../../src/domain/id-index.js';
import type { PreparedView } from '../../../../src/offline/data/prepared-views.js';
import { buildDeclaredView } from '../../../../src/offline/training/views/declared-view.js';
import { columnsOf, defaultedRowsOf } from '../../../support/feature-tables.js';

/** Three keys: `a` at 100, 200 and 300, `b` at 200, `c` at 250. */
const PRICES: PreparedView = {
  spec: {
    name: 'prices',
    entity: 'item',
    key: 'sku',
    eventTime: 'since',
    timeToLiveSeconds: 60,
    whenStale: 'use',
    rows: 5,
    fields: [
      { name: 'price', type: 'float32', timeToLiveSeconds: 30 },
      { name: 'stock', type: 'int32' },
      { name: 'brand', type: 'category', input: false },
      { name: 'shop', type: 'category', default: ' none ' },
      { name: 'on_sale', type: 'boolean' },
      { name: 'taste', type: 'vector', length: 2 },
    ],
  },
  keys: new IdIndex(['a', 'b', 'c']),
  offsets: Uint32Array.of(0, 3, 4, 5),
  eventTimes: Float64Array.of(100, 200, 300, 200, 250),
  columns: [
    { values: Float32Array.of(1, 2, 9, 0, 5), missing: Uint8Array.of(0, 0, 0, 1, 0) },
    { values: Int32Array.of(1, 2, 2 ** 31 - 1, 0, 5), missing: Uint8Array.of(0, 0, 0, 1, 0) },
    {
      values: Int32Array.of(0, 1, 0, 0, 0),
      missing: Uint8Array.of(0, 0, 0, 1, 0),
      dictionary: ['x', 'y'],
    },
    {
      values: Int32Array.of(1, 1, 1, 0, 1),
      missing: Uint8Array.of(0, 0, 0, 1, 0),
      dictionary: ['none', 'oslo'],
    },
    { values: Float32Array.of(0, 1, 1, 0, 1), missing: Uint8Array.of(0, 0, 0, 1, 0) },
    {
      values: Float32Array.of(1, 2, 3, 4, 5, 6, 0, 0, 9, 10),
      missing: Uint8Array.of(0, 0, 0, 1, 0),
    },
  ],
};

t.test('of each key the latest row up to the cut is taken, that of the cut itself too', async (t) => {
  const table = buildDeclaredView(PRICES, { knownUntil: 250 });
  t.same(table.entities.ids, ['a', 'b', 'c']);
  t.same(columnsOf(table), [
    [2, 3.5, 5],
    [2, 4, 5],
    [1, -1, 0],
    [1, 0, 1],
    [1, -1, 1],
    [3, 4, 0, 0, 9, 10],
  ]);
  t.same(
    defaultedRowsOf(table),
    PRICES.columns.map(() => [1]),
  );
  t.same(
    [0, 1, 2].map((row) => table.eventTimeOf(row)),
    [200, 200, 250],
  );
});

t.test(
  'a key whose rows are all later than the cut is not there, and does not count for the mean',
  async (t) => {
    const table = buildDeclaredView(PRICES, { knownUntil: 249.5 });
    t.same(table.entities.ids, ['a', 'b']);
    t.same(columnsOf(table)[0], [2, 2]);
    const empty = buildDeclaredView(PRICES, { knownUntil: 99 });
    t.equal(empty.entities.size, 0);
    t.equal(empty.view.fields[0]!.default, 0, 'no mean of nothing');
  },
);

t.test('the latest values keep all their digits', async (t) => {
  const table = buildDeclaredView(PRICES, { knownUntil: 1000 });
  t.same(columnsOf(table)[1], [2 ** 31 - 1, 1_073_741_826, 5]);
});

t.test('the view of the manifest says what was declared', async (t) => {
  t.same(buildDeclaredView(PRICES, { knownUntil: 250 }).view, {
    name: 'prices',
    entity: 'item',
    key: 'sku',
    eventTime: 'since',
    timeToLiveSeconds: 60,
    whenStale: 'use',
    file: 'features/prices.parquet',
    fields: [
      { name: 'price', type: 'float32', timeToLiveSeconds: 30, default: 3.5 },
      { name: 'stock', type: 'int32', default: 4 },
      { name: 'brand', type: 'category', input: false, default: -1, dictionary: ['x', 'y'] },
      { name: 'shop', type: 'category', default: 0, dictionary: ['none', 'oslo'] },
      { name: 'on_sale', type: 'boolean', default: -1 },
      { name: 'taste', type: 'vector', length: 2, default: 0 },
    ],
  });
});

t.test('declared defaults go over the mean', async (t) => {
  const { spec } = PRICES;
  const defaults = [0.1, -7, undefined, 'oslo', true, 0.5];
  const fields = spec.fields.map((field, index) => {
    const standIn = defaults[index];
    return standIn === undefined ? field : { ...field, default: standIn };
  });
  const { view } = buildDeclaredView({ ...PRICES, spec: { ...spec, fields } }, { knownUntil: 250 });
  t.same(
    view.fields.map((field) => field.default),
    [Math.fround(0.1), -7, -1, 1, 1, 0.5],
  );
});

t.test('without event times there is one row per key, of whatever time is asked for', async (t) => {
  const { eventTimes: _, ...columns } = PRICES;
  const { eventTime: __, ...spec } = PRICES.spec;
  const snapshot = { ...columns, spec, keys: new IdIndex(['a', 'b']), offsets: Uint32Array.of(0, 1, 2) };
  const table = buildDeclaredView(snapshot, { knownUntil: 50 });
  t.same(table.entities.ids, ['a', 'b']);
  t.same(columnsOf(table)[0], [1, 2]);
  t.equal(table.eventTimeOf(1), 50);
});

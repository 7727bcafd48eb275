import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import type { FeatureTable } from '../../src/features/feature-table.js';
import type { FeatureField } from '../../src/features/feature-view.js';
import { loadFeatureTable } from '../../src/features/load-feature-table.js';
import { readFeatureTable } from '../../src/features/read-feature-table.js';
import { encodeFeatureTable } from '../../src/offline/bundle-writing/encode-feature-table.js';
import { KNOWN_UNTIL, tableOfColumns } from '../support/feature-tables.js';

const FILE = { file: 'features/items.parquet', knownUntil: KNOWN_UNTIL };
const SMALL = encodeFeatureTable(makeTable(100));
const LARGE = encodeFeatureTable(makeTable(100_000));

function makeTable(rows: number): FeatureTable {
  const random = createSeededRandom('load feature table');
  const fields = Array.from({ length: 12 }, (_, field): FeatureField => ({
    name: `f${field}`,
    type: 'float32',
    default: field === 5 ? 7 : 0,
  }));
  const columns = fields.map((_, field) =>
    Float32Array.from({ length: rows }, (__, row) =>
      field === 5 && row % 3 === 0 ? Number.NaN : random.normal(),
    ),
  );
  return tableOfColumns(
    { name: 'items', entity: 'item', key: 'item_id', file: FILE.file, fields },
    Array.from({ length: rows }, (_, row) => `item ${row} 日本`),
    columns,
  );
}

t.test('a large table that a thread loads is the table that is read in place', async (t) => {
  const { view } = makeTable(0);
  const read = await readFeatureTable(LARGE, view, FILE);
  const loaded = await loadFeatureTable(LARGE, view, FILE);
  t.ok(isDeepStrictEqual(loaded.parts, read.parts));
  t.ok(isDeepStrictEqual(loaded.entities.ids, read.entities.ids));
  t.equal(loaded.entities.find('item 99999 日本'), 99_999);
  t.ok(loaded.isDefaulted(99_999, 5));
  t.notOk(loaded.isDefaulted(99_998, 5));
});

t.test('what is loaded lies in memory that threads share, large or small', async (t) => {
  for (const bytes of [SMALL, LARGE]) {
    const { parts, entities } = await loadFeatureTable(bytes, makeTable(0).view, FILE);
    const arrays = [parts.values, parts.defaulted, ...Object.values(entities.table)];
    t.ok(arrays.every((array) => array.buffer instanceof SharedArrayBuffer));
  }
});

t.test('other work of the process goes on while a large table is loaded', async (t) => {
  let turns = 0;
  const loading = loadFeatureTable(LARGE, makeTable(0).view, FILE).finally(() => (turns += 1e9));
  while (turns < 1e9) {
    await setImmediate();
    turns++;
  }
  await loading;
  t.ok(turns - 1e9 > 100, `${turns - 1e9} turns`);
});

t.test('what is wrong with a table is told alike, wherever it is read', async (t) => {
  const { view } = makeTable(0);
  const wrong = { ...view, key: 'user_id', fields: [...view.fields, { ...view.fields[0]!, name: 'gone' }] };
  for (const bytes of [LARGE, LARGE.subarray(0, LARGE.length - 9)]) {
    const expected = await readFeatureTable(bytes, wrong, FILE).catch((error: unknown) => error as Error);
    const found = await loadFeatureTable(bytes, wrong, FILE).catch((error: unknown) => error as Error);
    t.match(found, { code: 'INVALID_BUNDLE', message: (expected as Error).message });
  }
});

t.test('a mistake of our own in the thread is not taken for a bad bundle', async (t) => {
  const broken = { ...makeTable(0).view, fields: undefined } as unknown as FeatureTable['view'];
  await t.rejects(loadFeatureTable(LARGE, broken, FILE), TypeError);
});

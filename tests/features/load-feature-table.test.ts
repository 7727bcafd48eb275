import { rename, rm, truncate, writeFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { FeatureTable } from '../../src/features/feature-table.js';
import type { FeatureField } from '../../src/features/feature-view.js';
import { loadFeatureTable } from '../../src/features/load-feature-table.js';
import { readFeatureTable } from '../../src/features/read-feature-table.js';
import { encodeFeatureTable } from '../../src/offline/training/bundle/encode-feature-table.js';
import { listFile } from '../support/listed-file.js';
import { KNOWN_UNTIL, tableOfColumns } from '../support/feature-tables.js';

const FILE = { file: 'features/items.parquet', knownUntil: KNOWN_UNTIL };
const { view: VIEW } = makeTable(0);
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

/** Loads a table from a file of these bytes. */
async function load(t: Test, bytes: Uint8Array, view = VIEW): Promise<FeatureTable> {
  return loadFeatureTable({ file: await listFile(t, bytes, FILE.file), view, knownUntil: KNOWN_UNTIL });
}

t.test('a large table that a thread loads is the table that is read in place', async (t) => {
  const read = await readFeatureTable(LARGE, VIEW, FILE);
  const loaded = await load(t, LARGE);
  t.ok(isDeepStrictEqual(loaded.parts, read.parts));
  t.ok(isDeepStrictEqual(loaded.entities.ids, read.entities.ids));
  t.equal(loaded.entities.find('item 99999 日本'), 99_999);
  t.ok(loaded.isDefaulted(99_999, 5));
  t.notOk(loaded.isDefaulted(99_998, 5));
});

t.test('what is loaded lies in memory that threads share, large or small', async (t) => {
  for (const bytes of [SMALL, LARGE]) {
    const { parts, entities } = await load(t, bytes);
    const arrays = [parts.values, parts.defaulted, ...Object.values(entities.table)];
    t.ok(arrays.every((array) => array.buffer instanceof SharedArrayBuffer));
  }
});

t.test('other work of the process goes on while a large table is loaded', async (t) => {
  let turns = 0;
  const loading = load(t, LARGE).finally(() => (turns += 1e9));
  while (turns < 1e9) {
    await setImmediate();
    turns++;
  }
  await loading;
  t.ok(turns - 1e9 > 100, `${turns - 1e9} turns`);
});

t.test('what is wrong with a table is told alike, wherever it is read', async (t) => {
  const wrong = { ...VIEW, key: 'user_id', fields: [...VIEW.fields, { ...VIEW.fields[0]!, name: 'gone' }] };
  for (const bytes of [LARGE, LARGE.subarray(0, LARGE.length - 9)]) {
    const expected = await readFeatureTable(bytes, wrong, FILE).catch((error: unknown) => error as Error);
    const found = await load(t, bytes, wrong).catch((error: unknown) => error as Error);
    t.match(found, { code: 'INVALID_BUNDLE', message: (expected as Error).message });
  }
});

t.test('a file that is not what the manifest lists has changed, whatever it reads as', async (t) => {
  const changes: Record<string, (bytes: Uint8Array) => Uint8Array> = {
    'a flipped bit in a value': (bytes) => flip(bytes, Math.floor(bytes.length / 2)),
    'a flipped bit in the footer': (bytes) => flip(bytes, bytes.length - 100),
    'a flipped bit in the length of the footer': (bytes) => flip(bytes, bytes.length - 6),
    'another table of the same size': (bytes) => bytes.toReversed(),
    'only zeros': (bytes) => new Uint8Array(bytes.length),
  };
  for (const bytes of [SMALL, LARGE]) {
    for (const [what, change] of Object.entries(changes)) {
      const file = await listFile(t, bytes, FILE.file);
      await writeFile(file.path, change(bytes));
      await t.rejects(
        loadFeatureTable({ file, view: VIEW, knownUntil: KNOWN_UNTIL }),
        {
          code: 'INVALID_BUNDLE',
          message: /^features\/items.parquet has changed: its sha256 is \w{64}, the manifest says \w{64}$/,
        },
        what,
      );
    }
  }
});

t.test('a file that is cut, or gone, when it is to be read is named', async (t) => {
  for (const bytes of [SMALL, LARGE]) {
    const file = await listFile(t, bytes, FILE.file);
    const request = { file, view: VIEW, knownUntil: KNOWN_UNTIL };
    for (const length of [0, 7, Math.floor(bytes.length / 2)]) {
      await truncate(file.path, length);
      await t.rejects(loadFeatureTable(request), {
        code: 'INVALID_BUNDLE',
        message: new RegExp(`^features/items.parquet has ended while it was read, after ${length} bytes$`),
      });
    }
    await rm(file.path);
    await t.rejects(loadFeatureTable(request), { message: 'features/items.parquet is missing' });
  }
});

t.test(
  'a file that is replaced while it is read changes nothing, one that is rewritten is refused',
  async (t) => {
    const file = await listFile(t, LARGE, FILE.file);
    const request = { file, view: VIEW, knownUntil: KNOWN_UNTIL };
    const other = encodeFeatureTable(makeTable(99_999));
    for (let round = 0; round < 3; round++) {
      await writeFile(file.path, LARGE);
      const loading = loadFeatureTable(request);
      await writeFile(`${file.path}.new`, other);
      await rename(`${file.path}.new`, file.path);
      // Whichever came first, it is the listed file or none.
      const outcome = await loading.catch((error: unknown) => error);
      if (outcome instanceof FeatureTable) t.equal(outcome.entities.size, 100_000);
      else t.match(outcome, { code: 'INVALID_BUNDLE' });
    }
  },
);

t.test('a mistake of our own in the thread is not taken for a bad bundle', async (t) => {
  const broken = { ...VIEW, fields: undefined } as unknown as FeatureTable['view'];
  await t.rejects(load(t, LARGE, broken), { name: 'TypeError', code: undefined });
});

function flip(bytes: Uint8Array, at: number): Uint8Array {
  return bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
}

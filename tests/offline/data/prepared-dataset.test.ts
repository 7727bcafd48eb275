import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readPreparedDataset } from '../../../src/offline/data/prepared-dataset.js';
import { tryPrepare } from './prepare/try-prepare.js';

t.beforeEach((t) => void t.testdir({}));

const DATASET = {
  files: { 'log.csv': 'user_id,item_id,timestamp,value\na,x,1700000000.5,2.5\nb,y,1700000100,\n' },
  interactions: "SELECT * FROM '{dir}/log.csv'",
  items: {
    sql: "SELECT 'x' AS item_id, 'X' AS title, ['b', 'a'] AS genres",
    columns: { title: { role: 'text' }, genres: { role: 'multi-valued' } },
  },
} as const;

t.test('a prepared dataset is read into typed columns and coded attributes', async (t) => {
  const { dataset } = await tryPrepare(t, DATASET);
  t.strictSame(dataset.interactions.user, Int32Array.of(0, 1));
  t.strictSame(dataset.interactions.item, Int32Array.of(0, 1));
  t.strictSame(dataset.interactions.timestamp, Float64Array.of(1_700_000_000.5, 1_700_000_100));
  t.strictSame(dataset.interactions.value, Float32Array.of(2.5, 1));
  t.equal(dataset.interactions.items, dataset.catalogue.entities);
  t.equal(dataset.interactions.users, dataset.users.entities);
  t.strictSame(dataset.catalogue.attributes, [
    { name: 'title', role: 'text', shown: true, filterable: false, feature: false, values: ['X', undefined] },
    {
      name: 'genres',
      role: 'multi-valued',
      shown: true,
      filterable: true,
      feature: true,
      values: [['b', 'a'], undefined],
      coded: { vocabulary: ['a', 'b'], offsets: Uint32Array.of(0, 2, 2), codes: Uint32Array.of(1, 0) },
    },
  ]);
  t.strictSame(dataset.users.attributes, []);
  t.match(dataset, {
    name: 'tried',
    evaluation: { protocol: 'chronological' },
    window: { from: 1_700_000_000.5 },
  });
});

t.test('a folder without a prepared dataset says what to do', async (t) => {
  await t.rejects(readPreparedDataset(t.testdirName), {
    code: 'INVALID_DATASET',
    message: /holds no prepared dataset .*; run prepare$/,
  });
});

t.test('a manifest of another version is refused with what is wrong', async (t) => {
  const { outDir } = await tryPrepare(t, DATASET);
  const file = join(outDir, 'prepared.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"formatVersion": 1', '"formatVersion": 2'));
  await t.rejects(readPreparedDataset(outDir), {
    code: 'INVALID_DATASET',
    message: /is not of this version; run prepare again/,
    problems: [/formatVersion is 2/],
  });
});

t.test(
  'what the config says of how interactions count is kept, and nothing where it says nothing',
  async (t) => {
    const silent = await tryPrepare(t, DATASET);
    t.notOk('counting' in silent.dataset);
    const counting = { weights: { view: 2 }, minimumValue: 0.5, negative: ['dislike'] };
    const wanted = { ...DATASET, interactions: `SELECT *, 'view' AS type FROM (${DATASET.interactions})` };
    const { dataset, outDir } = await tryPrepare(t, { ...wanted, ...counting });
    t.strictSame(dataset.counting, counting);
    const file = join(outDir, 'prepared.json');
    const { counting: _, ...earlier } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    writeFileSync(file, JSON.stringify(earlier));
    await t.rejects(readPreparedDataset(outDir), {
      code: 'INVALID_DATASET',
      message: /is not of this version; run prepare again/,
      problems: [/interactions are weighted, and no weights are said$/],
    });
  },
);

t.test('tables that are not those of the manifest are refused by name', async (t) => {
  const { outDir } = await tryPrepare(t, DATASET);
  const other = await tryPrepare(t, {
    ...DATASET,
    files: { 'log.csv': 'user_id,item_id,timestamp,value\na,x,1,1\nb,y,1,\nb,y,2,\n' },
  });
  const file = join(outDir, 'prepared.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"interactions": 3', '"interactions": 4'));
  await t.rejects(readPreparedDataset(other.outDir), {
    code: 'INVALID_DATASET',
    problems: [/interactions\.parquet: 3 rows instead of 4$/],
  });
});

t.test('a missing or damaged table is refused', async (t) => {
  const { outDir } = await tryPrepare(t, DATASET);
  const copy = `${outDir}-copy`;
  cpSync(outDir, copy, { recursive: true });
  rmSync(join(copy, 'users.parquet'));
  await t.rejects(readPreparedDataset(copy), {
    code: 'INVALID_DATASET',
    message: /users\.parquet.*run prepare again/,
  });
  writeFileSync(join(outDir, 'items.parquet'), 'PAR1');
  await t.rejects(readPreparedDataset(outDir), {
    code: 'INVALID_DATASET',
    message: /items\.parquet.*run prepare again/,
  });
});

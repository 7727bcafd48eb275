import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { loadUsearch, openHnswSearch, writeHnswIndex } from '../../src/candidates/hnsw-index.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { drawItems, drawUsers, listIndex, writeIndex } from './item-searches.js';

const ITEM_COUNT = 3000;
const items = drawItems(ITEM_COUNT);
const users = drawUsers(items, 8);
const options = { limit: 20, eligible: new Uint8Array(ITEM_COUNT).fill(1) };

t.test('the same items give the same file', async (t) => {
  const file = await writeIndex(t, items);
  await writeHnswIndex(`${file.path}-again`, items, { connectivity: 16, expansion: 64 });
  t.equal(listIndex(`${file.path}-again`).sha256, file.sha256);
});

t.test('a file that was changed or cut is refused before it is searched', async (t) => {
  const file = await writeIndex(t, items);
  const sound = readFileSync(file.path);
  const random = createSeededRandom('damage');
  for (let time = 0; time < 20; time++) {
    const flipped = Buffer.from(sound);
    flipped[random.integer(sound.length)]! ^= 1 << random.integer(8);
    writeFileSync(file.path, flipped);
    await t.rejects(openHnswSearch(file, items, { oversampling: 2 }), {
      code: 'INVALID_BUNDLE',
      message: /^candidates\/als\.usearch has changed: its sha256 is/,
    });
    writeFileSync(file.path, sound.subarray(0, random.integer(sound.length)));
    await t.rejects(openHnswSearch(file, items, { oversampling: 2 }), {
      code: 'INVALID_BUNDLE',
      message: /^candidates\/als\.usearch has ended while it was read/,
    });
  }
});

t.test('a file that is listed but no index is refused', async (t) => {
  const { path } = await writeIndex(t, items);
  writeFileSync(path, '');
  await t.rejects(openHnswSearch(listIndex(path), items, { oversampling: 2 }), {
    code: 'INVALID_BUNDLE',
    message: /^candidates\/als\.usearch is not an index that usearch reads: /,
  });
});

t.test('an index of other items is refused', async (t) => {
  const file = await writeIndex(t, items);
  const { factors, dimensions } = items;
  const fewer = { dimensions, factors: factors.subarray(0, 100 * dimensions) };
  await t.rejects(openHnswSearch(file, fewer, { oversampling: 2 }), {
    code: 'INVALID_BUNDLE',
    message: 'candidates/als.usearch has 2700 vectors of 13 dimensions, the items are 100 of 12 and one more',
  });
  await t.rejects(openHnswSearch(file, { factors, dimensions: 6 }, { oversampling: 2 }), {
    message: /2700 vectors of 13 dimensions, the items are 6000 of 6/,
  });
});

t.test('an index goes on answering when its file is removed', async (t) => {
  const file = await writeIndex(t, items);
  copyFileSync(file.path, `${file.path}-kept`);
  const search = await openHnswSearch(file, items, { oversampling: 2 });
  rmSync(file.path);
  const kept = await openHnswSearch({ ...file, path: `${file.path}-kept` }, items, { oversampling: 2 });
  for (const user of users) t.same(await search.findBest(user, options), await kept.findBest(user, options));
  await search.close();
});

t.test('without usearch the message says what to install and what goes without', async (t) => {
  const missing = (): Promise<never> => Promise.reject(new Error("Cannot find package 'usearch'"));
  await t.rejects(loadUsearch(missing), {
    code: 'INVALID_CONFIG',
    message:
      'An index of items needs the optional package usearch, which is not installed or has no build for ' +
      `${process.platform}-${process.arch} (Cannot find package 'usearch'): install it, or train with als.index.kind: exact.`,
  });
});

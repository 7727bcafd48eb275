import t from 'tap';
import { readdirSync, readFileSync } from 'node:fs';
import type { ItemLinks } from '../../src/domain/item-links.js';
import { collectFeatureInputs, type FeatureParts } from '../../src/features/collect-feature-inputs.js';
import { listFeatures } from '../../src/features/feature-assembler.js';
import { featureTable, tableOf } from '../support/feature-tables.js';
import { smallCatalogue } from '../support/small-world.js';

const catalogue = smallCatalogue();
const items = featureTable('item', ['a', 'b', 'c', 'd', 'e'], { popularity: { values: [1, 2, 3, 4, 5] } });
const users = featureTable('user', ['u0'], { age: { values: [30] } });
const prices = tableOf(
  { ...items.view, name: 'prices', fields: [{ name: 'amount', type: 'float32', default: 0 }] },
  [
    ['e', [5]],
    ['c', [3]],
  ],
);
const links: ItemLinks = {
  offsets: new Uint32Array(6),
  neighbours: new Int32Array(0),
  similarities: new Float32Array(0),
};
const parts: FeatureParts = {
  catalogue,
  itemTables: [prices, items],
  userViews: [users.view],
  sourceNames: ['als'],
  similarItems: links,
  followers: links,
  contexts: undefined,
  times: undefined,
  target: undefined,
  observer: undefined,
};

t.test('the view of all items comes first, and others are found by item', async (t) => {
  const [first, second] = collectFeatureInputs(parts).items;

  t.same(first, { table: items });
  t.same([...second!.rowOf!], [-1, -1, 1, -1, 0]);
});

t.test('features of links bear the name of what the links say', async (t) => {
  const features = listFeatures(collectFeatureInputs(parts));

  t.ok(features.some((name) => name.startsWith('similar.')));
  t.ok(features.some((name) => name.startsWith('followers.')));
});

t.test('links that a bundle does not have give no features', async (t) => {
  const features = listFeatures(collectFeatureInputs({ ...parts, similarItems: undefined }));

  t.notOk(features.some((name) => name.startsWith('similar.')));
  t.ok(features.some((name) => name.startsWith('followers.')));
});

t.test('whoever assembles features, to train or to serve, has the inputs from here', async (t) => {
  const assembling = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => ({ path, text: readFileSync(`src/${path}`, 'utf8') }))
    .filter(
      ({ text }) => / createFeatureAssembler\(/.test(text) && !/function createFeatureAssembler/.test(text),
    );

  t.ok(assembling.length >= 2);
  for (const { path, text } of assembling) t.match(text, / collectFeatureInputs\(\{/, path);
});

import t from 'tap';
import { IdIndex } from '../../../../src/domain/id-index.js';
import {
  countAttributeValues,
  listDescriptiveAttributes,
} from '../../../../src/offline/training/candidates/attribute-model.js';
import { attribute, interactionTable, smallCatalogue } from '../../../support/small-world.js';

const catalogue = smallCatalogue();
const interactions = interactionTable(
  [
    [0, 0, 1],
    [0, 1, 2],
    [1, 1, 3],
  ],
  { users: 2, items: catalogue.entities },
);

t.test('texts and attributes that are no features say nothing of an item', async (t) => {
  const hidden = { ...attribute('colour', 'boolean', [true]), feature: false };
  const table = { entities: new IdIndex(['a']), attributes: [attribute('title', 'text', ['A']), hidden] };
  t.same(listDescriptiveAttributes(table), []);
  t.same(
    listDescriptiveAttributes(catalogue).map(({ name }) => name),
    ['genres', 'year', 'colour', 'country'],
  );
});

t.test('items have one entry per value, which shares its attribute with the others', async (t) => {
  const model = countAttributeValues(interactions, catalogue, { priorInteractions: 7 });
  // Genres are 0 to 2 (Comedy, Drama, War), years 3 to 6, colours 7 and 8, countries 9 to 11.
  t.same([...model.attributes], [0, 3, 7, 9, 12]);
  const entriesOf = (item: number) =>
    [...model.values.subarray(model.offsets[item], model.offsets[item + 1])].map((value, at) => [
      value,
      model.shares[model.offsets[item]! + at],
    ]);
  t.same(entriesOf(1), [
    [1, 0.5],
    [2, 0.5],
    [4, 1],
    [8, 1],
    [10, 1],
  ]);
  t.same(entriesOf(3), [], 'an item without values has no entries');
  t.equal(model.priorInteractions, 7);
});

t.test('values are counted over the interactions and over the catalogue', async (t) => {
  const { taken, offered, untouched } = countAttributeValues(interactions, catalogue, {
    priorInteractions: 7,
  });
  const near = (found: Float32Array, expected: number[]): boolean =>
    expected.every((value, at) => Math.abs(found[at]! - value) < 1e-6);
  t.ok(near(taken.subarray(0, 3), [0.01 / 3.03, 2.01 / 3.03, 1.01 / 3.03]));
  t.ok(near(offered.subarray(0, 3), [2 / 5.5, 2 / 5.5, 1.5 / 5.5]));
  t.same([...untouched], [2, 3, 4]);
});

t.test('numbers are told apart by quantiles of the catalogue', async (t) => {
  const items = new IdIndex(Array.from({ length: 200 }, (_, item) => `i${item}`));
  const prices = Array.from({ length: 200 }, (_, item) => (item < 150 ? 0 : item));
  const model = countAttributeValues(
    interactionTable([[0, 0, 1]], { users: 1, items }),
    { entities: items, attributes: [attribute('price', 'numeric', prices)] },
    { priorInteractions: 1 },
  );
  t.equal(new Set(model.values.subarray(0, 150)).size, 1, 'equal numbers stand together');
  t.ok(model.values.every((value, item) => item === 0 || value >= model.values[item - 1]!));
  t.ok(new Set(model.values.subarray(150)).size >= 15);
  t.equal(model.taken.length, new Set(model.values).size, 'no bin is empty');
});

t.test('an attribute without any value, or with one, gives a model too', async (t) => {
  const items = new IdIndex(['a', 'b']);
  const attributes = [
    attribute('weight', 'numeric', [undefined, undefined]),
    attribute('kind', 'categorical', ['x', 'x']),
  ];
  const table = interactionTable([[0, 0, 1]], { users: 1, items });
  const model = countAttributeValues(table, { entities: items, attributes }, { priorInteractions: 1 });
  t.same([...model.attributes], [0, 1, 2]);
  t.same([...model.values], [1, 1]);
  t.same([...model.taken], [1, 1]);
});

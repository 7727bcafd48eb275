import t from 'tap';
import { IdIndex } from '../../../src/domain/id-index.js';
import { describeSlates, listItemTraits } from '../../../src/offline/protocol/slate-qualities.js';
import { attribute, smallCatalogue } from '../../support/small-world.js';

const TRAITS = listItemTraits(smallCatalogue());

function answersOf(slates: readonly (readonly number[])[], popularity: readonly number[]) {
  return [
    {
      split: { label: 'test', queries: [], popularity: Uint32Array.from(popularity) },
      slates: slates.map((slate) => Int32Array.from(slate)),
    },
  ];
}

t.test('items share the values of their categories and lists, and nothing else', async (t) => {
  // genres Comedy 0, Drama 1, War 2; countries fr 3, uk 4, us 5; the title, year and colour of an item say nothing
  t.same(
    TRAITS.map((traits) => [...traits]),
    [[1, 3], [1, 2, 4], [0, 3], [], [0, 2, 5]],
  );
});

t.test('novelty is the self-information of what was recommended, in bits', async (t) => {
  // with one row added to each item, of 16 rows item 0 has 8 and item 1 has 2
  const figures = describeSlates(answersOf([[0, 1], [0]], [7, 1, 1, 1, 1]), { k: 10 });
  t.ok(Math.abs(figures.novelty - (1 + 3 + 1) / 3) < 1e-12);
  t.equal(describeSlates(answersOf([[]], [1, 1]), { k: 10 }).novelty, 0);
});

t.test('diversity is one minus the Jaccard similarity of the pairs of a slate', async (t) => {
  const diversityOf = (...slates: number[][]): number | null =>
    describeSlates(answersOf(slates, [1, 1, 1, 1, 1]), { k: 10, traits: TRAITS }).diversity;
  t.equal(diversityOf([0, 2]), 1 - 1 / 3, 'one country of three values');
  t.equal(diversityOf([0, 1, 2]), (1 - 1 / 4 + (1 - 1 / 3) + 1) / 3);
  t.equal(diversityOf([0, 2, 3]), 1 - 1 / 3, 'an item without values is left out');
  t.equal(diversityOf([0, 2], [3], [0, 2]), 1 - 1 / 3, 'so is a slate without a pair');
  t.equal(diversityOf([0], [3, 1]), null);
});

t.test('only the first k places of a slate count', async (t) => {
  const figures = describeSlates(answersOf([[0, 2, 4, 1]], [1, 1, 1, 1, 1]), { k: 2, traits: TRAITS });
  t.equal(figures.coverage, 2 / 5);
  t.equal(figures.diversity, 1 - 1 / 3);
});

t.test('without categories there is no diversity', async (t) => {
  const entities = new IdIndex(['a', 'b']);
  const traits = listItemTraits({ entities, attributes: [attribute('year', 'numeric', [1990, 1991])] });
  t.equal(describeSlates(answersOf([[0, 1]], [1, 1]), { k: 2, traits }).diversity, null);
});

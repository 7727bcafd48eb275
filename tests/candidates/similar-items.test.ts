import t from 'tap';
import type { Tensor, TensorFile } from '../../src/bundle/tensor-file.js';
import {
  createSimilarItemsSource,
  parseSimilarItems,
  similarItemsToTensors,
  type HistoryWeighting,
} from '../../src/candidates/similar-items.js';
import type { ItemLinks } from '../../src/domain/item-links.js';
import type { Retrieval } from '../../src/domain/candidate.js';
import { history } from '../support/small-world.js';

/** Item 0 leads to 1 and 2, item 1 to 2 and 3, item 4 to 0. */
const links: ItemLinks = {
  offsets: Uint32Array.of(0, 2, 4, 4, 4, 5),
  neighbours: Int32Array.of(1, 2, 2, 3, 0),
  similarities: Float32Array.of(0.5, 0.25, 0.5, 0.125, 1),
};

const alike: HistoryWeighting = { lastItems: 10, recencyExponent: 0 };

function retrieve(items: number[], weighting: Partial<HistoryWeighting> = {}): Retrieval {
  const eligible = new Uint8Array(5).fill(1);
  for (const item of items) eligible[item] = 0;
  const query = { userId: 'u', history: history(items), eligible, limit: 5 };
  return createSimilarItemsSource('similar-items', links, { ...alike, ...weighting }).retrieve(
    query,
  ) as Retrieval;
}

function withTensors(changes: Record<string, Tensor['data']>): TensorFile {
  const file = similarItemsToTensors(links, { 'similar-items': alike });
  const changed = Object.entries(changes).map(
    ([name, data]) => [name, { shape: [data.length], data }] as const,
  );
  return { ...file, tensors: new Map([...file.tensors, ...changed]) };
}

t.test('the similarities to the items of a history add up', async (t) => {
  const { items, scores } = retrieve([0, 1]);
  t.same([...items], [2, 3]);
  t.same([...scores], [0.75, 0.125]);
});

t.test('items without any similarity are not retrieved and score 0', async (t) => {
  const { items, scoreOf } = retrieve([0]);
  t.same([...items], [1, 2]);
  t.equal(scoreOf(3), 0);
  t.equal(scoreOf(4), 0);
});

t.test('only the last items of a history are asked for their neighbours', async (t) => {
  t.same([...retrieve([4, 1, 0], { lastItems: 1 }).items], [2]);
  t.same([...retrieve([4, 1, 0], { lastItems: 2 }).items], [2, 3]);
});

t.test('what a later item says weighs more, by its distance from the end of the history', async (t) => {
  const { scoreOf } = retrieve([1, 4, 0], { recencyExponent: 0.5 });
  t.equal(scoreOf(2), Math.fround(0.25 + Math.fround(3 ** -0.5 * 0.5)));
  t.equal(scoreOf(1), 0.5);
  t.equal(scoreOf(3), Math.fround(3 ** -0.5 * 0.125));
});

t.test('an item that more speaks against than for is scored, but not retrieved', async (t) => {
  const signed = { ...links, similarities: Float32Array.of(0.5, -0.75, 0.5, 0.125, 1) };
  const query = { userId: 'u', history: history([0, 1]), eligible: new Uint8Array(5).fill(1), limit: 5 };
  const { items, scoreOf } = createSimilarItemsSource('ease', signed, alike).retrieve(query) as Retrieval;
  t.same([...items], [1, 3]);
  t.equal(scoreOf(2), -0.25);
});

t.test('nothing is retrieved for an empty history', async (t) => {
  t.same([...retrieve([]).items], []);
});

t.test('links survive the way through their artefact, with the weighting of each source', async (t) => {
  const recent = { lastItems: 3, recencyExponent: 0.5 };
  const artefact = similarItemsToTensors(links, { ease: alike, 'ease-recent': recent });
  t.same(parseSimilarItems(artefact, { name: 'ease', itemCount: 5 }), { links, weighting: alike });
  t.same(parseSimilarItems(artefact, { name: 'ease-recent', itemCount: 5 }), { links, weighting: recent });
});

const faults: [what: string, artefact: TensorFile, problems: string[]][] = [
  [
    'parts of other types and lengths',
    withTensors({ offsets: links.offsets.subarray(1), neighbours: Float32Array.from(links.neighbours) }),
    [
      'similar-items: offsets: expected shape [6], found [5]',
      'similar-items: neighbours: expected Int32Array, found Float32Array',
    ],
  ],
  [
    'offsets that start late and fall',
    withTensors({ offsets: Uint32Array.of(1, 2, 4, 3, 4, 5) }),
    ['similar-items: offsets: start at 1, expected 0', 'similar-items: offsets: fall from 4 to 3 at 3'],
  ],
  [
    'offsets that end early',
    withTensors({ offsets: Uint32Array.of(0, 2, 4, 4, 4, 4) }),
    ['similar-items: neighbours: 5 entries, but the offsets end at 4'],
  ],
  [
    'too few similarities',
    withTensors({ similarities: links.similarities.subarray(1) }),
    ['similar-items: similarities: 4 entries for 5 neighbours'],
  ],
  [
    'a neighbour that is no item',
    withTensors({ neighbours: Int32Array.of(1, 2, 2, 5, 0) }),
    ['similar-items: neighbours: item 5 is not one of 5 items'],
  ],
  [
    'a negative neighbour',
    withTensors({ neighbours: Int32Array.of(1, 2, 2, -1, 0) }),
    ['similar-items: neighbours: item -1 is not one of 5 items'],
  ],
  [
    'a row out of order',
    withTensors({ neighbours: Int32Array.of(1, 2, 3, 2, 0) }),
    ['similar-items: neighbours: the row of item 1 is not ascending'],
  ],
  [
    'a row that holds an item twice',
    withTensors({ neighbours: Int32Array.of(2, 2, 2, 3, 0) }),
    ['similar-items: neighbours: the row of item 0 is not ascending'],
  ],
  [
    'a similarity of zero',
    withTensors({ similarities: links.similarities.with(2, 0) }),
    ['similar-items: similarities: entry 2 is 0, which says nothing'],
  ],
  [
    'an infinite similarity',
    withTensors({ similarities: links.similarities.with(2, Infinity) }),
    ['similar-items: similarities: value 2 is Infinity'],
  ],
  [
    'no last items and a weight that grows with age',
    similarItemsToTensors(links, { 'similar-items': { lastItems: 0, recencyExponent: -1 } }),
    [
      'similar-items: metadata similar-items.lastItems: expected a whole number above 0, found "0"',
      'similar-items: metadata similar-items.recencyExponent: expected 0 or more, found "-1"',
    ],
  ],
];

for (const [what, artefact, problems] of faults) {
  t.test(`an artefact with ${what} is refused`, async (t) => {
    t.throws(() => parseSimilarItems(artefact, { name: 'similar-items', itemCount: 5 }), {
      code: 'INVALID_BUNDLE',
      problems,
    });
  });
}

for (const [shape, problem] of [
  [[9], 'similar-items: neighbours: shape [9] needs 9 values, found 5'],
  [[5, 1], 'similar-items: neighbours: expected shape [any], found [5, 1]'],
] as const) {
  t.test(`an artefact with neighbours of shape [${shape.join(', ')}] is refused`, async (t) => {
    const { tensors, metadata } = similarItemsToTensors(links, { 'similar-items': alike });
    const artefact: TensorFile = {
      tensors: new Map([...tensors, ['neighbours', { shape, data: links.neighbours }]]),
      metadata,
    };
    t.throws(() => parseSimilarItems(artefact, { name: 'similar-items', itemCount: 5 }), {
      code: 'INVALID_BUNDLE',
      problems: [problem],
    });
  });
}

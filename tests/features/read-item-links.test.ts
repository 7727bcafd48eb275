import t from 'tap';
import { encodeTensorFile, parseTensorFile, type Tensor } from '../../src/bundle/tensor-file.js';
import type { ItemLinks } from '../../src/domain/item-links.js';
import { itemLinksToTensors, parseItemLinks } from '../../src/features/read-item-links.js';

const links: ItemLinks = {
  offsets: Uint32Array.of(0, 2, 2, 3),
  neighbours: Int32Array.of(1, 2, 0),
  similarities: Float32Array.of(0.5, 0.25, 1),
};

function problemsOf(changes: Partial<ItemLinks>): readonly string[] {
  try {
    parseItemLinks(itemLinksToTensors({ ...links, ...changes }), { itemCount: 3, name: 'links' });
    return [];
  } catch (error) {
    return (error as { problems: string[] }).problems;
  }
}

t.test('links come back from a tensor file as they were written', async (t) => {
  const file = parseTensorFile(encodeTensorFile(itemLinksToTensors(links)), 'links');
  t.same(parseItemLinks(file, { itemCount: 3, name: 'links' }), links);
});

t.test('each thing that is wrong is named', async (t) => {
  t.same(problemsOf({}), []);
  t.same(problemsOf({ offsets: Uint32Array.of(0, 3) }), ['links: offsets: expected shape [4], found [2]']);
  t.same(problemsOf({ neighbours: Int32Array.of(1, 2) }), [
    'links: neighbours: 2 entries, but the offsets end at 3',
    'links: similarities: 3 entries for 2 neighbours',
  ]);
  t.same(problemsOf({ offsets: Uint32Array.of(0, 2, 1, 3) }), ['links: offsets: fall from 2 to 1 at 2']);
  t.same(problemsOf({ neighbours: Int32Array.of(1, 3, 0) }), [
    'links: neighbours: item 3 is not one of 3 items',
  ]);
  t.same(problemsOf({ neighbours: Int32Array.of(2, 1, 0) }), [
    'links: neighbours: the row of item 0 is not ascending',
  ]);
  t.same(problemsOf({ similarities: Float32Array.of(1, 0, 1) }), [
    'links: similarities: entry 1 is 0, which says nothing',
  ]);
  t.same(problemsOf({ similarities: Float32Array.of(1, Number.NaN, 1) }), [
    'links: similarities: value 1 is NaN',
  ]);
});

t.test('tensors that are missing or of another type are named together', async (t) => {
  const tensors = new Map<string, Tensor>([['offsets', { shape: [1], data: Float32Array.of(0) }]]);
  t.throws(() => parseItemLinks({ tensors, metadata: {} }, { itemCount: 3, name: 'links' }), {
    code: 'INVALID_BUNDLE',
    problems: [
      'links: offsets: expected Uint32Array, found Float32Array',
      'links: neighbours: missing',
      'links: similarities: missing',
    ],
  });
});

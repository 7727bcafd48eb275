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
  t.same(problemsOf({ offsets: Uint32Array.of(0, 3) }), ['links: offsets has 2 values, 3 items need 4']);
  t.same(problemsOf({ neighbours: Int32Array.of(1, 2) }), [
    'links: neighbours has 2 values, offsets end at 3',
  ]);
  t.same(problemsOf({ offsets: Uint32Array.of(0, 2, 1, 3) }), ['links: offsets descend at 2']);
  t.same(problemsOf({ neighbours: Int32Array.of(1, 3, 0) }), ['links: item 3 is not one of 3']);
  t.same(problemsOf({ neighbours: Int32Array.of(1, -1, 0) }), ['links: item -1 is not one of 3']);
  t.same(problemsOf({ similarities: Float32Array.of(1, 0, 1) }), ['links: weight 0 is not above 0']);
  t.same(problemsOf({ similarities: Float32Array.of(1, Number.NaN, 1) }), [
    'links: weight NaN is not above 0',
  ]);
});

t.test('tensors that are missing or of another type are named together', async (t) => {
  const tensors = new Map<string, Tensor>([['offsets', { shape: [1], data: Float32Array.of(0) }]]);
  t.throws(() => parseItemLinks({ tensors, metadata: {} }, { itemCount: 3, name: 'links' }), {
    code: 'INVALID_BUNDLE',
    problems: [
      'links: it has no tensor offsets of type Uint32Array',
      'links: it has no tensor neighbours of type Int32Array',
      'links: it has no tensor similarities of type Float32Array',
    ],
  });
});

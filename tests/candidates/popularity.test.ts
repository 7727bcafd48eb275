import t from 'tap';
import {
  createPopularitySource,
  parsePopularity,
  popularityToTensors,
} from '../../src/candidates/popularity.js';
import type { Retrieval } from '../../src/domain/candidate.js';
import { EMPTY_HISTORY } from '../../src/domain/history.js';

const counts = Float32Array.of(0, 5, 0, 9, 5);

function retrieve(options: { onlyPositive?: boolean; eligible?: number[]; limit?: number } = {}): Retrieval {
  const { onlyPositive = false, eligible = [1, 1, 1, 1, 1], limit = 5 } = options;
  const source = createPopularitySource('popular', counts, { onlyPositive });
  const query = { userId: 'u', history: EMPTY_HISTORY, eligible: Uint8Array.from(eligible), limit };
  return source.retrieve(query) as Retrieval;
}

t.test('items come by popularity, those that nobody chose at the end', async (t) => {
  t.same([...retrieve().items], [3, 1, 4, 0, 2]);
  t.same([...retrieve().scores], [9, 5, 5, 0, 0]);
});

t.test('items that nobody chose can be left out', async (t) => {
  t.same([...retrieve({ onlyPositive: true }).items], [3, 1, 4]);
});

t.test('items that are not eligible are passed over without shortening the list', async (t) => {
  t.same([...retrieve({ eligible: [1, 0, 1, 0, 1], limit: 2 }).items], [4, 0]);
});

t.test('any item can be scored, retrieved or not', async (t) => {
  t.equal(retrieve({ limit: 1 }).scoreOf(4), 5);
});

t.test('a source says the name it was given', async (t) => {
  t.equal(createPopularitySource('trending', counts).name, 'trending');
  t.equal(retrieve().source, 'popular');
});

t.test('scores survive the way through their artefact', async (t) => {
  t.same(parsePopularity(popularityToTensors(counts), { name: 'popular', itemCount: 5 }), counts);
});

for (const [what, scores, problem] of [
  ['too few scores', counts.subarray(1), 'popular: scores: expected shape [5], found [4]'],
  ['a negative score', counts.with(2, -1), 'popular: scores: item 2 has -1, expected 0 or more'],
  ['a score that is not a number', counts.with(2, Number.NaN), 'popular: scores: value 2 is NaN'],
] as const) {
  t.test(`an artefact with ${what} is refused`, async (t) => {
    t.throws(() => parsePopularity(popularityToTensors(scores), { name: 'popular', itemCount: 5 }), {
      code: 'INVALID_BUNDLE',
      problems: [problem],
    });
  });
}

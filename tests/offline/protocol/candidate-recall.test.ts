import t from 'tap';

import { createCandidateTally } from '../../../src/offline/protocol/candidate-recall.js';

function query(user: number, relevant: readonly number[]) {
  return { user, relevant: Int32Array.from(relevant) };
}

/** Candidates with the ranks that each source gave them. */
function candidates(ranksOf: Readonly<Record<number, readonly number[]>>) {
  return {
    items: Int32Array.from(Object.keys(ranksOf), Number),
    ranks: Int32Array.from(Object.values(ranksOf).flat()),
  };
}

t.test('each source is credited with what it found, and with what only it found', async (t) => {
  const tally = createCandidateTally(['als', 'trending'], { k: 2 });
  tally.add(query(0, [1, 2, 9, 8]), candidates({ 1: [1, 0], 2: [2, 1], 3: [0, 2] }));
  tally.add(query(1, [5, 6]), candidates({ 5: [0, 3] }));
  const figures = tally.summarise();
  t.equal(figures.meanCount, 2);
  t.equal(figures.recall.mean, (2 / 4 + 1 / 2) / 2);
  t.same(figures.sources, [
    { name: 'als', share: 2 / 4, recall: 2 / 4 / 2, uniqueRecall: 1 / 4 / 2 },
    { name: 'trending', share: 3 / 4, recall: (1 / 4 + 1 / 2) / 2, uniqueRecall: 1 / 2 / 2 },
  ]);
});

t.test('the ceiling is the nDCG of a perfect order of the candidates', async (t) => {
  const tally = createCandidateTally(['als'], { k: 2 });
  tally.add(query(0, [1, 2, 3]), candidates({ 7: [1], 3: [2] }));
  tally.add(query(1, [1, 2, 3]), candidates({ 1: [1], 2: [2], 3: [3] }));
  const oneHitOfTwo = 1 / (1 + 1 / Math.log2(3));
  t.equal(tally.summarise().ndcgCeiling, (oneHitOfTwo + 1) / 2);
});

t.test('queries without candidates count as zero', async (t) => {
  const tally = createCandidateTally(['als']);
  tally.add(query(0, [1]), candidates({}));
  t.match(tally.summarise(), {
    meanCount: 0,
    recall: { mean: 0 },
    ndcgCeiling: 0,
    sources: [{ name: 'als', share: 0, recall: 0, uniqueRecall: 0 }],
  });
});

t.test('a tally without queries is refused', async (t) => {
  t.throws(() => createCandidateTally(['als']).summarise(), {
    message: 'no query was added to the candidate tally',
  });
});

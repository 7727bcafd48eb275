import t from 'tap';

import { estimateMean } from '../../../src/offline/protocol/mean-estimate.js';
import { evaluateSlates, idealGain } from '../../../src/offline/protocol/ranking-metrics.js';

/** One query per list of relevant items, over a catalogue of `popularity.length` items. */
function makeSplit(
  relevant: readonly (readonly number[])[],
  popularity: readonly number[] = Array(20).fill(1),
) {
  return {
    label: 'test',
    queries: relevant.map((items, user) => ({ user, relevant: Int32Array.from(items) })),
    popularity: Uint32Array.from(popularity),
  };
}

function slatesOf(...slates: readonly (readonly number[])[]): Int32Array[] {
  return slates.map((slate) => Int32Array.from(slate));
}

t.test('figures of one query agree with a calculation by hand', async (t) => {
  const split = makeSplit([[3, 7, 9]]);
  const figures = evaluateSlates([{ split, slates: slatesOf([1, 3, 5, 7, 2]) }], { k: 5 });
  // hits at ranks 2 and 4: DCG = 1/log2(3) + 1/log2(5); ideal = 1 + 1/log2(3) + 1/log2(4)
  t.match(figures.ndcg.mean.toFixed(6), '0.498189');
  t.equal(figures.map.mean, (1 / 2 + 2 / 4) / 3);
  t.equal(figures.precision.mean, 2 / 5);
  t.equal(figures.recall.mean, 2 / 3);
  t.equal(figures.mrr.mean, 1 / 2);
  t.equal(figures.hitRate.mean, 1);
  t.equal(figures.coverage, 5 / 20);
  t.equal(figures.queries, 1);
  t.equal(figures.ndcg.standardError, 0);
});

t.test('only the first k places count', async (t) => {
  const split = makeSplit([[1]]);
  const figures = evaluateSlates([{ split, slates: slatesOf([5, 6, 1]) }], { k: 2 });
  t.equal(figures.ndcg.mean, 0);
  t.equal(figures.mrr.mean, 0);
  t.equal(figures.hitRate.mean, 0);
  t.equal(figures.coverage, 2 / 20);
});

t.test('the ideal has no more hits than places', async (t) => {
  const split = makeSplit([[1, 2, 3, 4]]);
  const figures = evaluateSlates([{ split, slates: slatesOf([4, 2]) }], { k: 2 });
  t.equal(figures.ndcg.mean, 1);
  t.equal(figures.recall.mean, 2 / 4);
  t.equal(figures.map.mean, 2 / 4);
});

t.test('a slate shorter than k counts its empty places as misses', async (t) => {
  const split = makeSplit([[1], [1]]);
  const figures = evaluateSlates([{ split, slates: slatesOf([1], []) }]);
  t.equal(figures.precision.mean, 1 / 20);
  t.equal(figures.hitRate.mean, 1 / 2);
});

t.test('means come with the standard error of a sample mean', async (t) => {
  const { mean, standardError } = estimateMean([1, 2, 3, 4]);
  t.equal(mean, 2.5);
  t.equal(standardError, Math.sqrt(5 / 3 / 4));
  t.same(estimateMean([7]), { mean: 7, standardError: 0 });
});

t.test('several splits are judged together, each query weighing the same', async (t) => {
  const first = { split: makeSplit([[1], [2]]), slates: slatesOf([1, 2], [2, 1]) };
  const second = { split: makeSplit([[3]]), slates: slatesOf([4, 5]) };
  const figures = evaluateSlates([first, second], { k: 2 });
  t.equal(figures.ndcg.mean, 2 / 3);
  t.same([...figures.ndcgPerQuery], [1, 1, 0]);
  t.same(
    figures.ndcgBySplit.map(({ mean }) => mean),
    [1, 0],
  );
  t.equal(figures.coverage, 2 / 20, 'the mean of the splits, not their union');
});

t.test('popularity share is what went to the most popular tenth, ties by item index', async (t) => {
  const popularity = [1, 9, 9, 9, ...Array(16).fill(1)];
  const split = makeSplit([[1], [1]], popularity);
  const figures = evaluateSlates([{ split, slates: slatesOf([1, 3, 4], [2, 5]) }]);
  t.equal(figures.popularityShare, 2 / 5, 'items 1 and 2 are the tenth of 20');
});

t.test('nothing recommended at all is worth nothing', async (t) => {
  const figures = evaluateSlates([{ split: makeSplit([[1]]), slates: slatesOf([]) }]);
  t.equal(figures.popularityShare, 0);
  t.equal(figures.ndcg.mean, 0);
});

t.test('the ideal gain of no hits is nothing, of one hit one', async (t) => {
  t.equal(idealGain(0), 0);
  t.equal(idealGain(1), 1);
  t.equal(idealGain(3), 1 + 1 / Math.log2(3) + 1 / 2);
});

t.test('slates that do not fit their queries are refused', async (t) => {
  const split = makeSplit([[1], [2]]);
  t.throws(() => evaluateSlates([{ split, slates: slatesOf([1]) }]), {
    message: 'split test: 1 slates for 2 queries',
  });
  t.throws(() => evaluateSlates([{ split: makeSplit([]), slates: [] }]), {
    message: 'split test has no queries',
  });
  t.throws(() => evaluateSlates([{ split, slates: slatesOf([1], [3, 4, 3]) }]), {
    message: 'a slate of user 1 repeats an item',
  });
});

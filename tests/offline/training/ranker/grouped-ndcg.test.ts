import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { createGroupedNdcg } from '../../../../src/offline/training/ranker/grouped-ndcg.js';
import { orderByScore } from '../../../../src/offline/training/ranker/score-order.js';
import { buildRows } from './build-rows.js';

/** Rows without meaningful features, by their grades. */
const grades = (...queries: number[][]) =>
  buildRows(queries.map((query) => query.map((grade) => [grade, 0])));
const ndcg = (rows: ReturnType<typeof grades>, cutoff: number, scores: number[]) =>
  createGroupedNdcg(rows, cutoff).compute(Float64Array.from(scores));
const discount = (rank: number) => 1 / Math.log2(rank + 2);

t.test('the right order has nDCG 1, another what its discounts say', async (t) => {
  const rows = grades([2, 0, 1]);
  t.equal(ndcg(rows, 10, [3, 1, 2]), 1);
  t.equal(ndcg(rows, 10, [1, 2, 3]), (1 * discount(0) + 3 * discount(2)) / (3 + discount(1)));
  t.equal(ndcg(rows, 1, [1, 2, 3]), 1 / 3);
});

t.test('queries count alike whatever their length, those without a positive not at all', async (t) => {
  const rows = grades([1, 0], [0, 0, 0], [], [0, 1, 0, 0]);
  t.equal(createGroupedNdcg(rows, 10).queries, 2);
  t.equal(ndcg(rows, 10, [2, 1, 3, 2, 1, 1, 2, 0, 0]), 1);
  t.equal(ndcg(rows, 10, [2, 1, 3, 2, 1, 2, 1, 0, 0]), (1 + discount(1)) / 2);
});

t.test('rows of one score share the gain of their ranks, wherever they stand in the file', async (t) => {
  const expected = (discount(0) + discount(1) + discount(2)) / 3;
  for (const query of [[1, 0, 0], [0, 1, 0], [0, 0, 1]]) t.equal(ndcg(grades(query), 10, [5, 5, 5]).toFixed(12), expected.toFixed(12)); // prettier-ignore
  t.equal(ndcg(grades([0, 0, 0, 1]), 1, [5, 5, 5, 5]), 0.25, 'a tie across the cut-off');
});

t.test('scores are ordered as float32, ties in row order', async (t) => {
  const scores = Float64Array.of(0.1, -0, 3, 0.1 + 1e-12, -2e30, 0, 1e-40, -1e-40, 5e30, -7);
  const order = new Uint32Array(scores.length);
  orderByScore(scores, order, new Float64Array(scores.length));
  t.same([...order], [8, 2, 0, 3, 6, 1, 5, 7, 9, 4]);
});

t.test('the order is that of a stable sort, whatever the scores', async (t) => {
  const random = createSeededRandom(11);
  const scores = Float64Array.from({ length: 3000 }, () =>
    Math.fround(random.normal() * 10 ** random.integer(20)),
  );
  scores.set(scores.subarray(0, 500), 2000);
  const order = new Uint32Array(scores.length);
  orderByScore(scores, order, new Float64Array(scores.length));
  const expected = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  t.same([...order], expected);
});

import t from 'tap';
import { createGroupedNdcg } from '../../../../src/offline/training/ranker/grouped-ndcg.js';
import { trainGradientBoostedTrees } from '../../../../src/offline/training/ranker/gradient-boosted-trees.js';
import { predictEnsemble } from '../../../../src/offline/training/ranker/tree-ensemble.js';
import { buildRows, drawRows } from './build-rows.js';

const OBJECTIVES = ['logistic', 'lambdarank'] as const;

const rows = drawRows({
  queries: 60,
  rowsPerQuery: 12,
  columns: 4,
  seed: 3,
  grade: ([first = 0], uniform) => Number(first + uniform > 1.2),
});

t.test('weights of 1 change no bit of the trees', async (t) => {
  const weights = new Float32Array(rows.labels.length).fill(1);
  const options = { maxTrees: 12, validation: rows };
  for (const objective of OBJECTIVES)
    t.same(
      trainGradientBoostedTrees(
        { ...rows, weights },
        { ...options, objective, validation: { ...rows, weights } },
      ),
      trainGradientBoostedTrees(rows, { ...options, objective }),
      objective,
    );
});

t.test('of two kinds of relevant rows the heavier comes first', async (t) => {
  // One feature that tells nothing but which of two relevant rows it is: each is relevant in half of the queries.
  const half = [[[1, 1], [0, 2], [0, 0]], [[0, 1], [1, 2], [0, 0]]]; // prettier-ignore
  const queries = Array.from({ length: 40 }, (_, index) => half[index % 2]!);
  const plain = buildRows(queries);
  for (const objective of OBJECTIVES) {
    for (const heavier of [1, 2]) {
      const weights = plain.labels.map((label, row) =>
        label > 0 && plain.matrix.data[row] === heavier ? 5 : 1,
      );
      const ensemble = trainGradientBoostedTrees(
        { ...plain, weights },
        { objective, maxTrees: 20, minRowsPerLeaf: 1, minHessianPerLeaf: 0 },
      );
      const [one, two] = predictEnsemble(ensemble, { data: Float32Array.of(1, 2), rows: 2, columns: 1 });
      t.equal(one! > two!, heavier === 1, `${objective}, ${heavier} is heavier`);
    }
  }
});

t.test('a relevant row is judged by its weight', async (t) => {
  const judged = { ...buildRows([[[1, 0], [1, 0], [0, 0]]]), weights: Float32Array.of(5, 1, 1) }; // prettier-ignore
  const { compute } = createGroupedNdcg(judged, 10);
  const second = 1 / Math.log2(3);
  t.equal(compute(Float64Array.of(3, 2, 1)), 1);
  t.equal(compute(Float64Array.of(2, 3, 1)).toFixed(9), ((1 + 5 * second) / (5 + second)).toFixed(9));
});

t.test('weights that are no numbers above 0, or too few, are refused', async (t) => {
  const train = (weights: Float32Array) => () => trainGradientBoostedTrees({ ...rows, weights }, {});
  const zero = new Float32Array(rows.labels.length).fill(1);
  zero[7] = 0;
  const refused = (problem: string) => ({ code: 'TRAINING_FAILED', problems: [problem] });
  t.throws(train(zero), refused('training weight 0 of row 7 is not a number above 0'));
  t.throws(train(Float32Array.of(1)), refused('training has 1 weights for 720 rows'));
});

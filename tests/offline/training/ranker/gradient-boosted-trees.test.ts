import t from 'tap';
import { findPeak } from '../../../../src/offline/training/ranker/smooth-curve.js';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { createGroupedNdcg } from '../../../../src/offline/training/ranker/grouped-ndcg.js';
import { trainGradientBoostedTrees } from '../../../../src/offline/training/ranker/gradient-boosted-trees.js';
import {
  gainImportance,
  predictEnsemble,
  type TreeEnsemble,
} from '../../../../src/offline/training/ranker/tree-ensemble.js';
import type { RankingRows } from '../../../../src/offline/training/ranker/ranking-rows.js';
import { buildMatrix, buildRows, drawRows } from './build-rows.js';

const TINY = { minRowsPerLeaf: 1, minHessianPerLeaf: 0, l2: 0 };

function ndcgOf(ensemble: TreeEnsemble, rows: RankingRows, cutoff = 10): number {
  return createGroupedNdcg(rows, cutoff).compute(Float64Array.from(predictEnsemble(ensemble, rows.matrix)));
}

t.test('one logistic tree is the one worked out by hand', async (t) => {
  const rows = buildRows([[[0, 1], [0, 2], [1, 3], [1, 4]]]); // prettier-ignore
  const ensemble = trainGradientBoostedTrees(rows, { ...TINY, maxTrees: 1, maxLeaves: 2, learningRate: 0.5 });
  // base score ln(2/2) = 0; gradients ±0.5, hessians 0.25: leaves ∓1 / 0.5 × 0.5; gain 1/0.5 + 1/0.5 − 0
  t.equal(ensemble.baseScore, 0);
  t.same(ensemble.trees, [
    {
      column: Int32Array.of(0, -1, -1),
      threshold: Float32Array.of(2.5, 0, 0),
      left: Int32Array.of(1, -1, -1),
      right: Int32Array.of(2, -1, -1),
      value: Float32Array.of(0, -1, 1),
      gain: Float64Array.of(4, 0, 0),
    },
  ]);
  t.same([...predictEnsemble(ensemble, rows.matrix)], [-1, -1, 1, 1]);
  t.same([...gainImportance(ensemble)], [4]);
});

t.test('one lambdarank tree is the one worked out by hand', async (t) => {
  const rows = buildRows([[[0, 1], [1, 2]]]); // prettier-ignore
  const options = { ...TINY, objective: 'lambdarank', maxTrees: 1, maxLeaves: 2, learningRate: 1 } as const;
  // scores tie, so ranks are row order: |ΔnDCG| = 1 × (1 − 1/log2 3) / 1; λ = ½ of it, h = ¼ of it, so the leaves are ∓2
  const ensemble = trainGradientBoostedTrees(rows, options);
  t.equal(ensemble.baseScore, 0);
  t.same([...ensemble.trees[0]!.value], [0, -2, 2]);
  const l2 = 0.1;
  const delta = 1 - 1 / Math.log2(3);
  const plain = trainGradientBoostedTrees(rows, { ...options, l2, normalise: false });
  t.equal(plain.trees[0]!.value[2], Math.fround(delta / 2 / (delta / 4 + l2)));
  const normalised = trainGradientBoostedTrees(rows, { ...options, l2 });
  const scale = Math.log2(1 + delta) / delta; // the forces of the query sum to delta
  t.equal(normalised.trees[0]!.value[2], Math.fround(((delta / 2) * scale) / ((delta / 4) * scale + l2)));
  const steep = trainGradientBoostedTrees(rows, { ...options, sigmoid: 2 });
  t.same([...steep.trees[0]!.value], [0, -1, 1], 'the sigmoid is a scale of the margin');
});

t.test('the second lambdarank tree divides a pair by its distance in score', async (t) => {
  const rows = buildRows([[[0, 1], [1, 2]]]); // prettier-ignore
  const l2 = 0.1;
  const options = {
    ...TINY,
    l2,
    objective: 'lambdarank',
    maxTrees: 2,
    maxLeaves: 2,
    learningRate: 1,
  } as const;
  const [first, second] = trainGradientBoostedTrees(rows, options).trees;
  const distance = 2 * first!.value[2]!;
  const weight = (1 - 1 / Math.log2(3)) / (0.01 + distance);
  const probability = 1 / (1 + Math.exp(distance));
  const pull = 2 * weight * probability;
  const scale = Math.log2(1 + pull) / pull;
  const expected = (weight * probability * scale) / (weight * probability * (1 - probability) * scale + l2);
  t.ok(Math.abs(second!.value[2]! - expected) < 1e-7, `${second!.value[2]} against ${expected}`);
});

t.test('growth splits the leaf with the largest gain next and stops at maxLeaves', async (t) => {
  // relevant rows of 20 per value: 1 against 2 differ little, 3 against 4 more, 1–2 against 3–4 most
  const relevant = [1, 3, 20, 12];
  const rows = buildRows([
    relevant.flatMap((count, value) =>
      Array.from({ length: 20 }, (_, row) => [row < count ? 1 : 0, value + 1]),
    ),
  ]);
  const thresholds = (maxLeaves: number) => {
    const [tree] = trainGradientBoostedTrees(rows, { ...TINY, maxTrees: 1, maxLeaves }).trees;
    return Array.from(tree!.threshold.filter((_, node) => tree!.column[node] === 0));
  };
  t.same(thresholds(1), []);
  t.same(thresholds(2), [2.5]);
  t.same(thresholds(3), [2.5, 3.5]);
  t.same(thresholds(4), [2.5, 1.5, 3.5], 'by node, in the order the nodes were made');
  t.same(thresholds(31), thresholds(4), 'until nothing is left to split');
});

t.test('logistic trees learn an exclusive or', async (t) => {
  const grade = ([a, b]: readonly number[]) => (a! > 0 === b! > 0 ? 0 : 1);
  const rows = drawRows({ queries: 4, rowsPerQuery: 250, columns: 3, seed: 5, grade });
  const unseen = drawRows({ queries: 2, rowsPerQuery: 250, columns: 3, seed: 6, grade });
  const ensemble = trainGradientBoostedTrees(rows, { maxTrees: 40, maxLeaves: 8 });
  const margins = predictEnsemble(ensemble, unseen.matrix);
  const right = margins.filter((margin, row) => margin > 0 === unseen.labels[row]! > 0).length;
  t.ok(right >= 485, `${right} of 500 right`);
  const importance = gainImportance(ensemble);
  t.ok(importance[2]! < 0.1 * Math.min(importance[0]!, importance[1]!), [...importance].join(' '));
});

t.test(
  'logistic margins are log-odds: their probabilities average to the share of relevant rows',
  async (t) => {
    const rows = drawRows({ queries: 1, rowsPerQuery: 4000, columns: 2, seed: 8, grade: ([a], u) => (u < 1 / (1 + Math.exp(2 - a!)) ? 1 : 0) }); // prettier-ignore
    const margins = predictEnsemble(trainGradientBoostedTrees(rows, { maxTrees: 30 }), rows.matrix);
    const mean = margins.reduce((sum, margin) => sum + 1 / (1 + Math.exp(-margin)), 0) / 4000;
    const share = rows.labels.reduce((sum, label) => sum + label, 0) / 4000;
    t.ok(Math.abs(mean - share) < 0.005, `${mean} against ${share}`);
  },
);

t.test('lambdarank orders grades where logistic and popularity cannot', async (t) => {
  // The first column tells whether a row is relevant at all, the second whether very much: a logistic loss knows only the
  // former. Popularity has a little of the first.
  const draw = (seed: number) =>
    drawRows({
      queries: 150,
      rowsPerQuery: 20,
      columns: 2,
      seed,
      grade: ([relevance, degree]) => (relevance! < 0 ? 0 : degree! > 0.5 ? 4 : 1),
    });
  const [train, test] = [draw(1), draw(2)];
  const options = { maxTrees: 60, maxLeaves: 7 };
  const lambdarank = ndcgOf(trainGradientBoostedTrees(train, { ...options, objective: 'lambdarank' }), test);
  const logistic = ndcgOf(trainGradientBoostedTrees(train, { ...options, objective: 'logistic' }), test);
  const random = createSeededRandom(3);
  const popularity = createGroupedNdcg(test, 10).compute(
    Float64Array.from(
      { length: test.matrix.rows },
      (_, row) => 0.3 * test.matrix.data[row * 2]! + random.normal(),
    ),
  );
  t.ok(lambdarank > logistic + 0.1, `${lambdarank} against logistic ${logistic}`);
  t.ok(lambdarank > popularity + 0.1, `${lambdarank} against popularity ${popularity}`);
});

t.test(
  'early stopping keeps the trees up to the peak of the smoothed curve, and reports the curve as it is',
  async (t) => {
    const grade = ([a]: readonly number[], u: number) => (a! + 3 * u > 2.5 ? 1 : 0);
    const train = drawRows({ queries: 10, rowsPerQuery: 30, columns: 8, seed: 1, grade });
    const validation = drawRows({ queries: 40, rowsPerQuery: 30, columns: 8, seed: 2, grade });
    const options = { maxTrees: 80, minRowsPerLeaf: 3, earlyStoppingRounds: 10, validation };
    const stopped = trainGradientBoostedTrees(train, options);
    const { bestIteration, validationCurve } = stopped;
    t.equal(stopped.trees.length, bestIteration);
    t.equal(validationCurve.length, bestIteration + 10);
    t.equal(findPeak(validationCurve), bestIteration - 1);
    t.ok(Math.abs(ndcgOf(stopped, validation) - validationCurve[bestIteration - 1]!) < 1e-12);

    const unstopped = trainGradientBoostedTrees(train, { ...options, earlyStoppingRounds: 0 });
    t.equal(unstopped.validationCurve.length, 80);
    t.same(unstopped.validationCurve.subarray(0, validationCurve.length), validationCurve);
    t.equal(unstopped.trees.length, unstopped.bestIteration);

    const unvalidated = trainGradientBoostedTrees(train, { maxTrees: 80, minRowsPerLeaf: 3 });
    t.equal(unvalidated.bestIteration, 80);
    t.equal(unvalidated.validationCurve.length, 0);
    t.same(unvalidated.trees.slice(0, bestIteration), stopped.trees, 'validation rows are never trained on');
  },
);

t.test('of iterations that are equally good the first is kept', async (t) => {
  const rows = buildRows([[[0, 1], [1, 2]]]); // prettier-ignore
  const ensemble = trainGradientBoostedTrees(rows, { ...TINY, maxTrees: 9, validation: rows });
  t.same(
    [...ensemble.validationCurve],
    Array.from({ length: 9 }, () => 1),
  );
  t.equal(ensemble.bestIteration, 1);
});

t.test('training ends when no split is left, without a tree that is only a leaf', async (t) => {
  const rows = buildRows([Array.from({ length: 40 }, (_, row) => [row < 20 ? 0 : 1, row])]);
  const { trees } = trainGradientBoostedTrees(rows, {
    maxTrees: 500,
    minRowsPerLeaf: 1,
    minHessianPerLeaf: 0.5,
  });
  t.ok(trees.length > 1 && trees.length < 500, `${trees.length} trees`);
  t.ok(trees.every((tree) => tree.column.length > 1));
});

t.test('of columns that are alike the first is split on, drawn or not', async (t) => {
  const rows = buildRows([Array.from({ length: 40 }, (_, row) => [row % 3 === 0 ? 1 : 0, row, row, row])]);
  for (const featureFraction of [1, 0.99]) {
    const { trees } = trainGradientBoostedTrees(rows, { ...TINY, maxTrees: 10, featureFraction });
    t.ok(trees.every((tree) => tree.column.every((column) => column <= 0)));
  }
});

t.test('the same seed gives the same trees bit for bit, another seed others', async (t) => {
  const rows = drawRows({
    queries: 20,
    rowsPerQuery: 40,
    columns: 6,
    seed: 3,
    grade: ([a], u) => (a! + u > 1 ? 1 : 0),
  });
  const options = {
    objective: 'lambdarank',
    maxTrees: 10,
    rowFraction: 0.6,
    featureFraction: 0.5,
    seed: 9,
  } as const;
  const first = trainGradientBoostedTrees(rows, options);
  t.same(trainGradientBoostedTrees(rows, options), first);
  t.notSame(trainGradientBoostedTrees(rows, { ...options, seed: 10 }).trees, first.trees);
  for (const tree of first.trees) {
    const columns = new Set(tree.column.filter((column) => column >= 0));
    t.ok(columns.size <= 3, `a tree splits on half of 6 columns at most: ${[...columns].join(' ')}`);
  }
});

t.test('constant columns are never split on, and rows alike in all columns get one score', async (t) => {
  const random = createSeededRandom(4);
  const queries = Array.from({ length: 10 }, () =>
    Array.from({ length: 20 }, () => [random.integer(2), 7, random.integer(3), 0]),
  );
  const rows = buildRows(queries);
  const ensemble = trainGradientBoostedTrees(rows, { ...TINY, maxTrees: 20 });
  t.ok(ensemble.trees.every((tree) => tree.column.every((column) => column < 0 || column === 1)));
  t.ok(new Set(predictEnsemble(ensemble, rows.matrix)).size <= 3);
});

t.test('with nothing to split on, the only tree is a leaf and every row has the base score', async (t) => {
  const rows = buildRows([[[1, 7], [0, 7], [0, 7]], [[0, 7]]]); // prettier-ignore
  const logistic = trainGradientBoostedTrees(rows, { maxTrees: 50, minRowsPerLeaf: 1 });
  t.equal(logistic.trees.length, 1);
  t.same([...logistic.trees[0]!.column], [-1]);
  t.same(predictEnsemble(logistic, rows.matrix), new Float32Array(4).fill(Math.log(1 / 3)));
  const lambdarank = trainGradientBoostedTrees(rows, {
    objective: 'lambdarank',
    maxTrees: 50,
    validation: rows,
  });
  t.equal(lambdarank.trees.length, 1);
  t.same(predictEnsemble(lambdarank, rows.matrix), new Float32Array(4));
});

t.test('a sample without rows ends training with a leaf of 0', async (t) => {
  const rows = buildRows([[[1, 1], [0, 2]]]); // prettier-ignore
  const ensemble = trainGradientBoostedTrees(rows, { ...TINY, rowFraction: 1e-9 });
  t.same([...predictEnsemble(ensemble, rows.matrix)], [0, 0]);
});

t.test('one query is enough to learn its order', async (t) => {
  const rows = drawRows({
    queries: 1,
    rowsPerQuery: 100,
    columns: 2,
    seed: 2,
    grade: ([a]) => (a! > 1 ? 2 : a! > 0 ? 1 : 0),
  });
  const lambdarank = trainGradientBoostedTrees(rows, {
    objective: 'lambdarank',
    maxTrees: 30,
    minRowsPerLeaf: 2,
  });
  t.ok(ndcgOf(lambdarank, rows) > 0.999);
  const logistic = trainGradientBoostedTrees(rows, {
    objective: 'logistic',
    maxTrees: 30,
    minRowsPerLeaf: 2,
  });
  const margins = predictEnsemble(logistic, rows.matrix);
  const relevant = margins.filter((_, row) => rows.labels[row]! > 0);
  const others = margins.filter((_, row) => rows.labels[row] === 0);
  t.ok(Math.min(...relevant) > Math.max(...others));
});

t.test('values of ±1e30 and the largest floats are split like any others', async (t) => {
  const rows = buildRows([[[0, -1e30], [0, -3e38], [1, 1e30], [1, 3e38], [0, 0]]]); // prettier-ignore
  const ensemble = trainGradientBoostedTrees(rows, { ...TINY, maxTrees: 20 });
  const margins = predictEnsemble(ensemble, rows.matrix);
  t.ok(margins.every(Number.isFinite));
  t.same([...margins].map((margin) => margin > 0), [false, false, true, true, false]); // prettier-ignore
});

t.test('a row at a threshold goes left, a NaN goes right as in ONNX', async (t) => {
  const rows = buildRows([[[0, 1], [1, 2]]]); // prettier-ignore
  const ensemble = trainGradientBoostedTrees(rows, { ...TINY, maxTrees: 1, maxLeaves: 2 });
  const [left, right, at, nan] = predictEnsemble(ensemble, buildMatrix([[1], [2], [1.5], [Number.NaN]]));
  t.equal(at, left);
  t.equal(nan, right);
});

t.test('progress advances by one per tree', async (t) => {
  const rows = drawRows({
    queries: 2,
    rowsPerQuery: 50,
    columns: 2,
    seed: 2,
    grade: ([a]) => (a! > 0 ? 1 : 0),
  });
  let trees = 0;
  trainGradientBoostedTrees(rows, {
    maxTrees: 7,
    progress: {
      advance: (units = 1) => void (trees += units),
      finish: () => t.fail('the caller ends the step'),
    },
  });
  t.equal(trees, 7);
});

t.test('labels without a difference are refused: there is nothing to learn', async (t) => {
  const alike = buildRows([[[0, 1], [0, 2]], [[0, 3]]]); // prettier-ignore
  t.throws(() => trainGradientBoostedTrees(alike, {}), {
    code: 'TRAINING_FAILED',
    message: /Of 3 training rows 0 are relevant/,
  });
  const allRelevant = { ...alike, labels: new Float32Array(3).fill(1) };
  t.throws(() => trainGradientBoostedTrees(allRelevant, {}), {
    code: 'TRAINING_FAILED',
    message: /3 are relevant/,
  });
  t.throws(() => trainGradientBoostedTrees(allRelevant, { objective: 'lambdarank' }), {
    code: 'TRAINING_FAILED',
    message: /None of 2 training queries/,
  });
  const train = buildRows([[[0, 1], [1, 2]]]); // prettier-ignore
  t.throws(() => trainGradientBoostedTrees(train, { validation: alike }), {
    code: 'TRAINING_FAILED',
    message: /None of 2 validation queries/,
  });
});

t.test('rows that do not fit are refused with every problem at once', async (t) => {
  const rows = buildRows([[[0, 1, 5], [1, 2, 6]]]); // prettier-ignore
  const train = {
    matrix: { ...rows.matrix, data: Float32Array.of(1, 2, 3, Number.NaN, 5) },
    labels: Float32Array.of(0, -1, 2),
    groupOffsets: Uint32Array.of(0, 2, 1),
  };
  const validation = {
    matrix: { data: Float32Array.of(1, Number.POSITIVE_INFINITY), rows: 2, columns: 1 },
    labels: Float32Array.of(31, 0),
    groupOffsets: Uint32Array.of(1, 2),
  };
  t.throws(() => trainGradientBoostedTrees(train, { validation }), {
    code: 'TRAINING_FAILED',
    problems: [
      'training matrix holds 5 values, not 2 rows × 2 columns',
      'training has 3 labels for 2 rows',
      'training label -1 of row 1 is not a grade of 0 to 30',
      'training feature is NaN in row 1, column 1: give missing values a default',
      'training query offsets run from 0 to 1, not from 0 to 2',
      'training query 1 has -1 rows: 0 to 2097152 can be ranked',
      'validation label 31 of row 0 is not a grade of 0 to 30',
      'validation feature is Infinity in row 1, column 0: give missing values a default',
      'validation query offsets run from 1 to 2, not from 0 to 2',
      'validation rows have 1 columns, training rows 2',
    ],
  });
  t.throws(() => trainGradientBoostedTrees(buildRows([]), {}), { message: /training matrix is 0 × 0/ });
});

t.test('options out of their range are refused with every problem at once', async (t) => {
  const rows = buildRows([[[0, 1], [1, 2]]]); // prettier-ignore
  t.throws(
    () => trainGradientBoostedTrees(rows, { maxTrees: 1.5, learningRate: 0, maxBins: 256, l2: Number.NaN }),
    {
      code: 'TRAINING_FAILED',
      problems: [
        'maxTrees is 1.5: give a whole number of 1 to 100000',
        'learningRate is 0: give a number over 0 to 1',
        /^l2 is NaN/,
        'maxBins is 256: give a whole number of 2 to 255',
      ],
    },
  );
});

import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { type BinnedMatrix, binMatrix } from '../../../../src/offline/training/ranker/feature-bins.js';
import {
  type Derivatives,
  openHistogramKernel,
} from '../../../../src/offline/training/ranker/histogram-kernel.js';
import { findBestSplit, subtractHistogram } from '../../../../src/offline/training/ranker/histograms.js';
import { buildMatrix } from './build-rows.js';

const RULES = { l2: 0, minRowsPerLeaf: 1, minHessianPerLeaf: 0 };

/** The sums of these rows, in this order. */
function sumRows(
  binned: BinnedMatrix,
  derivatives: Derivatives,
  options: { rows: Uint32Array; columns?: readonly number[] },
): Float64Array {
  const kernel = openHistogramKernel(binned);
  kernel.rowIndexes.set(options.rows);
  kernel.setDerivatives(derivatives);
  const columns = Uint32Array.from(options.columns ?? binned.bounds.keys());
  kernel.sum({ start: 0, end: options.rows.length }, columns);
  return kernel.histogram.slice();
}

/** One column of values with a gradient each; every hessian is 1. */
function findSplitOf(cells: readonly (readonly [value: number, gradient: number])[], rules = RULES) {
  const binned = binMatrix(buildMatrix(cells.map(([value]) => [value])), 255);
  const gradients = Float64Array.from(cells, ([, gradient]) => gradient);
  const derivatives = { gradients, hessians: new Float64Array(cells.length).fill(1) };
  const histogram = sumRows(binned, derivatives, { rows: Uint32Array.from(cells.keys()) });
  const totals = {
    gradient: gradients.reduce((sum, gradient) => sum + gradient, 0),
    hessian: cells.length,
    rows: cells.length,
  };
  return findBestSplit(histogram, binned, totals, { columns: Uint32Array.of(0), rules });
}

t.test('a kernel sums gradients, hessians and rows per bin, and forgets what it held', async (t) => {
  const kernel = openHistogramKernel(binMatrix(buildMatrix([[1, 5], [2, 5], [1, 6], [9, 9]]), 255)); // prettier-ignore
  kernel.setDerivatives({
    gradients: Float64Array.of(1, 2, 4, 100),
    hessians: Float64Array.of(0.5, 0.25, 0.125, 100),
  });
  kernel.rowIndexes.set([3, 0, 1, 2]);
  kernel.sum({ start: 0, end: 4 }, Uint32Array.of(0, 1));
  kernel.sum({ start: 1, end: 4 }, Uint32Array.of(0, 1));
  t.same([...kernel.histogram.subarray(0, 9)], [5, 0.625, 2, 2, 0.25, 1, 0, 0, 0]);
  t.same([...kernel.histogram.subarray(9)], [3, 0.75, 2, 4, 0.125, 1, 0, 0, 0]);
  kernel.sum({ start: 1, end: 1 }, Uint32Array.of(0, 1));
  t.ok(
    kernel.histogram.every((sum) => sum === 0),
    'no rows, no sums',
  );
});

t.test('a kernel sums any number of columns as adding row by row does, bit for bit', async (t) => {
  const random = createSeededRandom(5);
  const [rows, columns] = [3000, 20];
  const matrix = buildMatrix(
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => random.normal())),
  );
  const binned = binMatrix(matrix, 255);
  const derivatives = {
    gradients: Float64Array.from({ length: rows }, () => random.normal()),
    hessians: Float64Array.from({ length: rows }, () => random.uniform()),
  };
  const order = random.shuffle(Uint32Array.from({ length: rows }, (_, row) => row)).subarray(0, 2000);
  for (let count = 1; count <= columns; count++) {
    const drawn = random
      .shuffle([...Array(columns).keys()])
      .slice(0, count)
      .sort((a, b) => a - b);
    const expected = new Float64Array(binned.slotOffsets.at(-1)!);
    for (const row of order) {
      for (const column of drawn) {
        const slot = binned.slotOffsets[column]! + 3 * binned.bins[column * rows + row]!;
        expected[slot]! += derivatives.gradients[row]!;
        expected[slot + 1]! += derivatives.hessians[row]!;
        expected[slot + 2]!++;
      }
    }
    const summed = sumRows(binned, derivatives, { rows: order, columns: drawn });
    t.ok(Buffer.from(summed.buffer).equals(Buffer.from(expected.buffer)), `${count} columns`);
  }
});

t.test('the histogram of a child is the same by subtraction as by summing its rows', async (t) => {
  const random = createSeededRandom(3);
  const rows = 2000;
  const matrix = buildMatrix(
    Array.from({ length: rows }, () => [random.normal(), random.integer(7), random.uniform()]),
  );
  const binned = binMatrix(matrix, 64);
  const derivatives = {
    gradients: Float64Array.from({ length: rows }, () => random.normal()),
    hessians: Float64Array.from({ length: rows }, () => random.uniform()),
  };
  const shuffled = random.shuffle(Uint32Array.from({ length: rows }, (_, row) => row));
  const [parent, left, right] = [shuffled, shuffled.subarray(0, 700), shuffled.subarray(700)].map((part) => {
    return sumRows(binned, derivatives, { rows: part });
  });
  subtractHistogram(parent!, left!);
  const differences = parent!.map((value, slot) => Math.abs(value - right![slot]!));
  t.ok(Math.max(...differences) < 1e-12, `largest difference ${Math.max(...differences)}`);
  t.ok(
    differences.every((difference, slot) => slot % 3 !== 2 || difference === 0),
    'row counts are exact',
  );
});

t.test('the split is where gradients change sign, with the gain of the formula', async (t) => {
  // left: G = −6, H = 2; right: G = 3, H = 3; whole: G = −3, H = 5
  const split = findSplitOf([[1, -3], [2, -3], [5, 1], [6, 1], [7, 1]]); // prettier-ignore
  t.match(split, { column: 0, threshold: 3.5, left: { gradient: -6, hessian: 2, rows: 2 } });
  t.equal(split!.gain.toFixed(12), (36 / 2 + 9 / 3 - 9 / 5).toFixed(12));
});

t.test('l2 shrinks the gain', async (t) => {
  const split = findSplitOf([[1, -3], [2, -3], [5, 1], [6, 1], [7, 1]], { ...RULES, l2: 1 }); // prettier-ignore
  t.equal(split!.gain.toFixed(12), (36 / 3 + 9 / 4 - 9 / 6).toFixed(12));
});

t.test('a split leaves enough rows on both sides', async (t) => {
  const cells = [[1, -9], [2, 1], [3, 1], [4, 1], [5, 1], [6, 1]] as const; // prettier-ignore
  t.equal(findSplitOf(cells)!.left.rows, 1);
  t.equal(findSplitOf(cells, { ...RULES, minRowsPerLeaf: 2 })!.left.rows, 2);
  t.equal(findSplitOf(cells, { ...RULES, minRowsPerLeaf: 3 })!.left.rows, 3);
  t.equal(findSplitOf(cells, { ...RULES, minRowsPerLeaf: 4 }), undefined);
  t.equal(findSplitOf(cells, { ...RULES, minHessianPerLeaf: 2.5 })!.left.rows, 3);
});

t.test('the right side too keeps enough rows', async (t) => {
  const cells = [[1, 1], [2, 1], [3, 1], [4, 1], [5, 1], [6, -9]] as const; // prettier-ignore
  t.equal(findSplitOf(cells)!.left.rows, 5);
  t.equal(findSplitOf(cells, { ...RULES, minRowsPerLeaf: 2 })!.left.rows, 4);
  t.equal(findSplitOf(cells, { ...RULES, minHessianPerLeaf: 2.5 })!.left.rows, 3);
});

t.test('rows that cannot be told apart, or pull alike, are not split', async (t) => {
  t.equal(findSplitOf([[1, -3], [1, 3], [1, 3]]), undefined); // prettier-ignore
  t.equal(findSplitOf([[1, 2], [2, 2], [3, 2]]), undefined); // prettier-ignore
});

t.test('of equal splits the one on the first column wins', async (t) => {
  const binned = binMatrix(buildMatrix([[3, 1, 1], [3, 2, 2]]), 255); // prettier-ignore
  const derivatives = { gradients: Float64Array.of(-1, 1), hessians: Float64Array.of(1, 1) };
  const histogram = sumRows(binned, derivatives, { rows: Uint32Array.of(0, 1) });
  const totals = { gradient: 0, hessian: 2, rows: 2 };
  const columns = (...indexes: number[]) => ({ columns: Uint32Array.from(indexes), rules: RULES });
  t.equal(findBestSplit(histogram, binned, totals, columns(0, 1, 2))!.column, 1);
  t.equal(findBestSplit(histogram, binned, totals, columns(0, 2))!.column, 2);
});

import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import {
  countSweeps,
  createFloatMatrix,
  invertByBlocks,
  type FloatMatrix,
} from '../../../../src/offline/training/candidates/block-inverse.js';
import {
  createBlockedMatrix,
  invertSymmetric,
} from '../../../../src/offline/training/candidates/symmetric-inverse.js';

const BLOCK = 512;

for (const order of [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7]) {
  t.test(`the inverse of order ${order} is that in float64, full and symmetric`, async (t) => {
    const matrix = createPositiveDefinite(order);
    const expected = invertInFloat64(matrix);
    let sweeps = 0;
    await invertByBlocks(matrix, { threads: 2, onSweep: () => sweeps++ });
    const largest = expected.reduce((so, value) => Math.max(so, Math.abs(value)), 0);
    t.ok(largestDifference(matrix, expected) < 5e-5 * largest);
    t.ok(isSymmetric(matrix));
    t.equal(sweeps, countSweeps(order));
  });
}

t.test('any number of threads gives the same inverse, bit for bit', async (t) => {
  const [one, two] = [createPositiveDefinite(BLOCK + 90), createPositiveDefinite(BLOCK + 90)];
  await invertByBlocks(one, { threads: 1 });
  await invertByBlocks(two, { threads: 2 });
  t.ok(Buffer.from(one.values.buffer).equals(Buffer.from(two.values.buffer)));
});

t.test('rows all alike but for λ are inverted as in float64', async (t) => {
  const matrix = createFloatMatrix(BLOCK + 3);
  matrix.values.fill(1000);
  for (let row = 0; row < matrix.order; row++) matrix.values[row * (matrix.order + 1)]! += 500;
  const expected = invertInFloat64(matrix);
  await invertByBlocks(matrix, { threads: 2 });
  t.ok(largestDifference(matrix, expected) < 5e-5 / 500);
});

t.test('only the lower triangle is read', async (t) => {
  const [one, other] = [createPositiveDefinite(BLOCK + 40), createPositiveDefinite(BLOCK + 40)];
  for (let row = 0; row < other.order; row++)
    other.values.fill(Number.NaN, row * (other.order + 1) + 1, (row + 1) * other.order);
  await invertByBlocks(one, { threads: 1 });
  await invertByBlocks(other, { threads: 1 });
  t.ok(Buffer.from(one.values.buffer).equals(Buffer.from(other.values.buffer)));
});

t.test('a matrix that is not positive definite has no number on the diagonal', async (t) => {
  const matrix = createPositiveDefinite(BLOCK + 20);
  matrix.values[7 * (matrix.order + 1)] = -1;
  await invertByBlocks(matrix, { threads: 1 });
  for (let row = 0; row < matrix.order; row++) {
    if (!Number.isNaN(matrix.values[row * (matrix.order + 1)])) t.fail(`row ${row}`);
  }
  t.pass('none is');
});

/** F Fᵀ + I for random F of 7 columns, in float32. */
function createPositiveDefinite(order: number): FloatMatrix {
  const random = createSeededRandom(order);
  const factors = Float64Array.from({ length: order * 7 }, () => random.normal());
  const matrix = createFloatMatrix(order);
  for (let row = 0; row < order; row++) {
    for (let column = 0; column <= row; column++) {
      let sum = row === column ? 1 : 0;
      for (let k = 0; k < 7; k++) sum += factors[row * 7 + k]! * factors[column * 7 + k]!;
      matrix.values[row * order + column] = sum;
      matrix.values[column * order + row] = sum;
    }
  }
  return matrix;
}

/** [order × order], without what the other inverse is padded with. */
function invertInFloat64({ order, values }: FloatMatrix): Float64Array {
  const matrix = createBlockedMatrix(order);
  for (let row = 0; row < order; row++)
    matrix.values.set(values.subarray(row * order, (row + 1) * order), row * matrix.order);
  invertSymmetric(matrix);
  return Float64Array.from(
    { length: order ** 2 },
    (_, at) => matrix.values[Math.floor(at / order) * matrix.order + (at % order)]!,
  );
}

function largestDifference({ values }: FloatMatrix, expected: Float64Array): number {
  return values.reduce((largest, value, at) => Math.max(largest, Math.abs(value - expected[at]!)), 0);
}

function isSymmetric({ order, values }: FloatMatrix): boolean {
  return values.every((value, at) => value === values[(at % order) * order + Math.floor(at / order)]);
}

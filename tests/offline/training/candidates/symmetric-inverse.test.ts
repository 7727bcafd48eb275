import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import {
  countInversionBlocks,
  createBlockedMatrix,
  invertSymmetric,
  type BlockedMatrix,
} from '../../../../src/offline/training/candidates/symmetric-inverse.js';

for (const order of [1, 63, 64, 65, 200, 330]) {
  t.test(`a matrix of order ${order} times its inverse is the identity`, async (t) => {
    const original = createPositiveDefinite(order);
    const inverse = { ...original, values: original.values.slice() };
    invertSymmetric(inverse);
    t.ok(distanceFromIdentity(original, inverse) < 1e-9);
    t.ok(isSymmetric(inverse));
  });
}

t.test('only the lower triangle is read', async (t) => {
  const one = createPositiveDefinite(100);
  const other = { ...one, values: one.values.slice() };
  for (let row = 0; row < other.order; row++) {
    for (let column = row + 1; column < other.order; column++)
      other.values[row * other.order + column] = Number.NaN;
  }
  invertSymmetric(one);
  invertSymmetric(other);
  t.same(other.values, one.values);
});

t.test('a matrix that is not positive definite gives numbers that are none', async (t) => {
  const matrix = createBlockedMatrix(2);
  matrix.values[0] = -1;
  invertSymmetric(matrix);
  t.notOk(matrix.values.every(Number.isFinite));
});

t.test('each block is reported once it is done', async (t) => {
  const matrix = createPositiveDefinite(130);
  let reported = 0;
  invertSymmetric(matrix, { onBlock: () => reported++ });
  t.equal(reported, countInversionBlocks(matrix));
});

/** F Fᵀ + I for random F, in full. */
function createPositiveDefinite(order: number): BlockedMatrix {
  const random = createSeededRandom(order);
  const factors = Float64Array.from({ length: order * 7 }, () => random.normal());
  const matrix = createBlockedMatrix(order);
  for (let row = 0; row < order; row++) {
    for (let column = 0; column < order; column++) {
      for (let k = 0; k < 7; k++)
        matrix.values[row * matrix.order + column]! += factors[row * 7 + k]! * factors[column * 7 + k]!;
    }
  }
  return matrix;
}

function distanceFromIdentity(a: BlockedMatrix, b: BlockedMatrix): number {
  const { order } = a;
  let distance = 0;
  for (let row = 0; row < order; row++) {
    for (let column = 0; column < order; column++) {
      let sum = row === column ? -1 : 0;
      for (let k = 0; k < order; k++) sum += a.values[row * order + k]! * b.values[k * order + column]!;
      distance = Math.max(distance, Math.abs(sum));
    }
  }
  return distance;
}

function isSymmetric({ order, values }: BlockedMatrix): boolean {
  return values.every((value, at) => value === values[(at % order) * order + Math.floor(at / order)]);
}

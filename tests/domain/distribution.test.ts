import t from 'tap';
import { binOf, fitDistribution, stabilityIndex } from '../../src/domain/distribution.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';

const random = createSeededRandom(3);
const draw = (count: number, shift = 0): Float32Array =>
  Float32Array.from({ length: count }, () => random.uniform() + random.uniform() + shift);

/** Counts of the values in the bins of a distribution. */
function count(values: Float32Array, bounds: readonly number[]): number[] {
  const counts = Array.from({ length: bounds.length + 1 }, () => 0);
  for (const value of values) counts[binOf(value, bounds)]!++;
  return counts;
}

t.test('bins hold about as many values each', async (t) => {
  const { bounds, shares } = fitDistribution(draw(1000), 10);
  t.equal(bounds.length, 9);
  t.ok(shares.every((share) => Math.abs(share - 0.1) < 0.005));
});

t.test('values that repeat share a bin, and one value alone is one', async (t) => {
  t.same(fitDistribution(Float32Array.of(0, 0, 0, 0, 0, 0, 0, 1), 4), {
    bounds: [0],
    shares: [0.875, 0.125],
  });
  t.same(fitDistribution(Float32Array.of(5, 5, 5), 10), { bounds: [], shares: [1] });
});

t.test('a value at a bound is of the bin below it', async (t) => {
  t.same(
    [-1, 0, 0.5, 1, 2].map((value) => binOf(value, [0, 1])),
    [0, 0, 1, 1, 2],
  );
});

t.test('the index is the known sum, 0 for the same shares, and grows with the shift', async (t) => {
  t.equal(stabilityIndex([0.5, 0.5], [50, 50]), 0);
  const [p, q] = [
    [0.5, 0.5],
    [0.8, 0.2],
  ] as const;
  const exact = (q[0] - p[0]) * Math.log(q[0] / p[0]) + (q[1] - p[1]) * Math.log(q[1] / p[1]);
  t.ok(Math.abs(stabilityIndex(p, [800_000, 200_000]) - exact) < 1e-4);
  const { bounds, shares } = fitDistribution(draw(5000), 10);
  const [same, near, far] = [0, 0.1, 0.5].map((shift) =>
    stabilityIndex(shares, count(draw(2000, shift), bounds)),
  );
  t.ok(same! < 0.02 && near! > same! && near! < 0.25 && far! > 0.25, `${same} ${near} ${far}`);
  t.ok(Number.isFinite(stabilityIndex([1, 0], [0, 10])));
});

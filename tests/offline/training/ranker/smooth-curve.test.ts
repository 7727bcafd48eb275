import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { findPeak, smoothCurve } from '../../../../src/offline/training/ranker/smooth-curve.js';

t.test('a point is the mean of its neighbours, as far as there are any', async (t) => {
  const curve = Array.from({ length: 30 }, (_, at) => at);
  const smooth = smoothCurve(curve);
  t.equal(smooth[15], 15);
  t.equal(smooth[0], 5, 'of itself and the ten after it');
  t.equal(smooth[29], 24);
  t.same(smoothCurve([]), new Float64Array(0));
  t.same(smoothCurve([3]), Float64Array.of(3));
});

t.test('the peak is that of the trend, not of the jumps; of equal points it is the first', async (t) => {
  const random = createSeededRandom(1);
  const trend = Array.from({ length: 200 }, (_, at) => 1 - ((at - 150) / 200) ** 2);
  const jumping = trend.map((value) => value + 0.04 * (random.uniform() - 0.5));
  jumping[20] = 1.05;
  t.ok(Math.abs(findPeak(jumping) - 150) < 25, `${findPeak(jumping)}`);
  t.equal(findPeak([1, 1, 1]), 0);
  t.equal(findPeak([]), -1);
});

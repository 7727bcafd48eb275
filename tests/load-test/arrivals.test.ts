import t from 'tap';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { countArrivals, cutStages, planArrivals, planStages, rateAt } from '../../src/load-test/arrivals.js';

t.test('a constant rate is evenly spaced, and as many as rate times duration', async (t) => {
  const arrivals = [...planArrivals(planStages([{ rate: 50, seconds: 2 }]))];
  t.equal(arrivals.length, 100);
  t.ok(arrivals.every(({ second }, position) => Math.abs(second - position / 50) < 1e-9));
});

t.test('a ramp starts from the rate before it, and its requests get denser', async (t) => {
  const stages = planStages([
    { rate: 10, seconds: 10 },
    { rate: 30, seconds: 10, ramp: true },
    { rate: 5, seconds: 2 },
  ]);
  t.equal(countArrivals(stages), 100 + 200 + 10);
  t.same(
    [0, 9.9, 10, 15, 20, 22].map((second) => rateAt(second, stages)),
    [10, 10, 10, 20, 5, 0],
  );
  const arrivals = [...planArrivals(stages)];
  t.equal(arrivals.length, 310);
  t.same(
    [0, 1, 2].map((stage) => arrivals.filter((arrival) => arrival.stage === stage).length),
    [100, 200, 10],
  );
  t.equal(
    arrivals.filter(({ second }) => second >= 10 && second < 15).length,
    75,
    'the area under 10 to 20 per second',
  );
  t.ok(arrivals.every(({ second }, position) => position === 0 || second > arrivals[position - 1]!.second));
});

t.test('a first ramp starts from nothing', async (t) => {
  const arrivals = [...planArrivals(planStages([{ rate: 20, seconds: 10, ramp: true }]))];
  t.equal(arrivals.length, 100);
  t.equal(arrivals.filter(({ second }) => second < 5).length, 25);
});

t.test('Poisson arrivals have the rate, the variance of independence, and a seed', async (t) => {
  const stages = planStages([{ rate: 100, seconds: 100 }]);
  const plan = (seed: number) => [...planArrivals(stages, { random: createSeededRandom(seed) })];
  const arrivals = plan(1);
  t.ok(Math.abs(arrivals.length - 10_000) < 400, `${arrivals.length} arrivals`);
  const perSecond = Array.from({ length: 100 }, (_, second) =>
    arrivals.filter((each) => Math.floor(each.second) === second),
  );
  const variance = perSecond.reduce((sum, { length }) => sum + (length - 100) ** 2, 0) / 100;
  t.ok(variance > 60 && variance < 150, `variance ${variance}, evenly spaced arrivals would have none`);
  const lastOf = (seed: number) => plan(seed).at(-1)!.second;
  t.equal(lastOf(1), lastOf(1));
  t.not(lastOf(1), lastOf(2));
});

t.test('a run that was stopped has the stages until then', async (t) => {
  const stages = planStages([
    { rate: 10, seconds: 10 },
    { rate: 30, seconds: 10, ramp: true },
    { rate: 30, seconds: 10 },
  ]);
  t.same(cutStages(stages, 15), [stages[0], { ...stages[1], toRate: 20, seconds: 5 }]);
  t.same(cutStages(stages, 30), stages);
});

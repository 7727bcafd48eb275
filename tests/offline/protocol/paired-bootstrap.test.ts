import t from 'tap';

import { createSeededRandom } from '../../../src/domain/seeded-random.js';
import { pairedBootstrap, randomisationTest } from '../../../src/offline/protocol/paired-bootstrap.js';

/** `count` paired figures whose differences are normal with the given mean and deviation 1. */
function makePairs(count: number, options: { mean: number; seed: number }): { a: number[]; b: number[] } {
  const random = createSeededRandom(options.seed);
  const b = Array.from({ length: count }, () => 10 * random.normal());
  return { a: b.map((value) => value + options.mean + random.normal()), b };
}

t.test('the interval is as wide as theory says, whatever the spread among queries', async (t) => {
  const { a, b } = makePairs(400, { mean: 0.5, seed: 1 });
  const { difference, low, high } = pairedBootstrap(a, b, { seed: 2 });
  t.ok(Math.abs(difference - 0.5) < 0.15);
  const theory = 1.96 / Math.sqrt(400);
  t.ok(Math.abs(difference - low - theory) < 0.12 * theory, `${difference - low} is near ${theory}`);
  t.ok(Math.abs(high - difference - theory) < 0.12 * theory, `${high - difference} is near ${theory}`);
});

t.test('about 95 of 100 intervals hold the true difference', async (t) => {
  const held = Array.from({ length: 200 }, (_, seed) => {
    const { a, b } = makePairs(60, { mean: 0.3, seed });
    const { low, high } = pairedBootstrap(a, b, { seed, samples: 300 });
    return low <= 0.3 && 0.3 <= high;
  }).filter(Boolean).length;
  t.ok(held >= 180 && held <= 198, `${held} of 200`);
});

t.test('the same seed gives the same interval, another seed nearly the same', async (t) => {
  const { a, b } = makePairs(100, { mean: 0.5, seed: 3 });
  const first = pairedBootstrap(a, b, { seed: 1 });
  t.same(pairedBootstrap(a, b, { seed: 1 }), first);
  t.not(pairedBootstrap(a, b, { seed: 2 }).low, first.low);
});

t.test('less confidence is a narrower interval', async (t) => {
  const { a, b } = makePairs(100, { mean: 0.5, seed: 3 });
  const wide = pairedBootstrap(a, b, { seed: 1 });
  const narrow = pairedBootstrap(a, b, { seed: 1, confidence: 0.5, samples: 500 });
  t.ok(narrow.low > wide.low && narrow.high < wide.high);
  t.match(wide, { confidence: 0.95, samples: 1000 });
  t.match(narrow, { confidence: 0.5, samples: 500 });
});

t.test('equal differences leave no doubt', async (t) => {
  t.match(pairedBootstrap([2, 3, 4], [1, 2, 3], { seed: 1 }), { difference: 1, low: 1, high: 1 });
});

t.test('figures that do not pair are refused', async (t) => {
  t.throws(() => pairedBootstrap([1, 2], [1], { seed: 1 }), { message: 'cannot pair 2 queries with 1' });
  t.throws(() => pairedBootstrap([], [], { seed: 1 }), { message: 'cannot pair 0 queries with 0' });
});

t.test(
  'a user who asks ten times is one user: the interval is as wide as that of the users’ means',
  async (t) => {
    const { a, b } = makePairs(100, { mean: 0.5, seed: 3 });
    const tenfold = (values: readonly number[]): number[] =>
      values.flatMap((value) => Array<number>(10).fill(value));
    const users = tenfold(a.map((_, user) => user));
    const once = pairedBootstrap(a, b, { seed: 1 });
    const byUser = pairedBootstrap(tenfold(a), tenfold(b), { seed: 1, users });
    t.ok(Math.abs(byUser.low - once.low) < 1e-9 && Math.abs(byUser.high - once.high) < 1e-9);
    const asIfIndependent = pairedBootstrap(tenfold(a), tenfold(b), { seed: 1 });
    t.ok(asIfIndependent.high - asIfIndependent.low < 0.5 * (byUser.high - byUser.low));
  },
);

t.test('the p-value is the share of coin tosses that part the two as far', async (t) => {
  // eight differences of one sign: of 256 tosses two are as far apart
  const p = randomisationTest([1, 1, 1, 1, 1, 1, 1, 1], Array(8).fill(0), { seed: 1 });
  t.ok(Math.abs(p - 2 / 256) < 0.003, `${p}`);
  t.equal(randomisationTest([1, 0], [0, 1], { seed: 1, samples: 99 }), 1, 'no difference at all');
  t.same(randomisationTest([3, 1], [0, 0], { seed: 1 }), randomisationTest([3, 1], [0, 0], { seed: 1 }));
});

t.test('where there is no difference, small p-values are as rare as they say', async (t) => {
  const small = Array.from({ length: 200 }, (_, seed) => {
    const { a, b } = makePairs(40, { mean: 0, seed });
    return randomisationTest(a, b, { seed, samples: 300 }) <= 0.1;
  }).filter(Boolean).length;
  t.ok(small >= 10 && small <= 32, `${small} of 200 are at most 0.1`);
});

t.test('what one user asks in several weeks is tossed together', async (t) => {
  const p = randomisationTest([1, 1, 1, 1, 1, 1], Array(6).fill(0), { seed: 1, users: [7, 7, 7, 7, 7, 7] });
  t.equal(p, 1, 'a single user proves nothing');
});

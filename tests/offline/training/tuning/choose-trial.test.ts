import fc from 'fast-check';
import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { estimateMean } from '../../../../src/offline/protocol/mean-estimate.js';
import {
  chooseTrial,
  countErrorsNeeded,
  estimateGain,
} from '../../../../src/offline/training/tuning/choose-trial.js';
import type { Trial } from '../../../../src/offline/training/tuning/trial-log.js';

const CONFIG: Trial = { trial: 0, values: {}, ndcg: 0.3, difference: 0, standardError: 0 };

function judged(trial: number, difference: number, standardError: number): Trial {
  return { trial, values: {}, ndcg: CONFIG.ndcg + difference, difference, standardError };
}

t.test('a gain is the mean of the differences, with its standard error', async (t) => {
  const figures = [0.5, 0.25, 0.75, 1];
  const base = [0.25, 0.5, 0.5, 0.25];
  const { mean, standardError } = estimateMean([0.25, -0.25, 0.25, 0.75]);
  const gain = estimateGain(figures, base, { users: [7, 8, 9, 10], rankers: [0, 1, 2, 3] });
  t.equal(gain.difference, mean);
  t.ok(Math.abs(gain.standardError - standardError) < 1e-12);
});

t.test('queries of one user are no independent evidence', async (t) => {
  const alone = estimateGain([1, 0, 1], [0, 0, 0], { users: [1, 2, 3], rankers: [1, 2, 3] });
  const tripled = estimateGain([1, 1, 1, 0, 0, 0, 1, 1, 1], new Float64Array(9), {
    users: [1, 1, 1, 2, 2, 2, 3, 3, 3],
    rankers: [1, 2, 3, 4, 5, 6, 7, 8, 9],
  });
  t.ok(Math.abs(alone.standardError - tripled.standardError) < 1e-12);
});

t.test('a gain that only one of the rankers has is no gain', async (t) => {
  const users = Array.from({ length: 400 }, (_, user) => user);
  const rankers = users.map((user) => user % 4);
  const base = new Float64Array(400);
  const gainOf = (figures: number[]): number => {
    const { difference, standardError } = estimateGain(figures, base, { users, rankers });
    return difference / standardError;
  };
  t.ok(gainOf(users.map((user) => 0.04 + (0.01 * Math.floor(user / 4)) / 100)) > 10, 'all of them');
  t.ok(gainOf(rankers.map((ranker) => (ranker === 0 ? 0.16 : 0))) <= 1.001, 'one of them');
});

t.test('more trials must be further above the config', async (t) => {
  t.equal(countErrorsNeeded(1), 1);
  t.equal(countErrorsNeeded(2), 1);
  t.ok(Math.abs(countErrorsNeeded(21) - 2.448) < 1e-3);
});

t.test('the best of those that are clearly above the config is chosen', async (t) => {
  const trials = [CONFIG, judged(1, 0.02, 0.002), judged(2, 0.04, 0.04), judged(3, 0.03, 0.002)];
  t.equal(chooseTrial(trials).trial, 3);
});

t.test('what is worse than the config, or not clearly better, is never chosen', async (t) => {
  t.equal(chooseTrial([CONFIG]).trial, 0);
  t.equal(chooseTrial([CONFIG, judged(1, -0.02, 0.001)]).trial, 0);
  t.equal(chooseTrial([CONFIG, judged(1, 0, 0)]).trial, 0, 'the same rankings');
  t.equal(chooseTrial([CONFIG, judged(1, 0.002, 0.002)]).trial, 0);
  const gain = fc.tuple(
    fc.double({ min: -0.3, max: 0.3, noNaN: true }),
    fc.double({ min: 0, max: 0.2, noNaN: true }),
  );
  fc.assert(
    fc.property(fc.array(gain, { maxLength: 30 }), (gains) => {
      const trials = [CONFIG, ...gains.map(([difference, error], at) => judged(at + 1, difference, error))];
      const chosen = chooseTrial(trials);
      return chosen.trial === 0 || (chosen.difference > chosen.standardError && chosen.ndcg > CONFIG.ndcg);
    }),
    { seed: 1 },
  );
});

t.test('trials that are worth the same as the config are seldom taken for better', async (t) => {
  const random = createSeededRandom('noise');
  const users = Array.from({ length: 60 }, (_, user) => user);
  const rankers = users.map((user) => user % 4);
  const draw = (): number[] => users.map(() => random.normal());
  let mistaken = 0;
  for (let search = 0; search < 100; search++) {
    const base = draw();
    const trials = Array.from({ length: 20 }, (_, at): Trial => {
      const { difference, standardError } = estimateGain(draw(), base, { users, rankers });
      return judged(at + 1, difference, standardError);
    });
    if (chooseTrial([CONFIG, ...trials]).trial > 0) mistaken++;
  }
  t.ok(mistaken < 15, `${mistaken} of 100 searches`);
});

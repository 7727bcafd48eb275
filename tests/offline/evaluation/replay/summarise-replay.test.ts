import t from 'tap';
import type { ReplayedSplit } from '../../../../src/offline/evaluation/replay/replay-split.js';
import { summariseReplay } from '../../../../src/offline/evaluation/replay/summarise-replay.js';

const OPTIONS = { limits: { users: 10, events: 5 }, seed: 1 };

function split(users: number[], live: number[]): ReplayedSplit {
  return {
    users,
    reciprocalRanks: { frozen: users.map(() => 0.5), live, control: users.map(() => 0) },
    walks: new Set(users).size,
    events: users.length,
    leftOut: { walks: 1, events: 2 },
  };
}

t.test('all questions weigh the same, over all splits', async (t) => {
  const figures = summariseReplay([split([3, 3, 5], [1, 0, 0.25]), split([5], [0.1])], OPTIONS);
  t.match(figures, {
    limits: OPTIONS.limits,
    walks: 3,
    events: 4,
    asks: 4,
    leftOut: { walks: 2, events: 4 },
  });
  const [frozen, live, control] = figures.arms;
  t.match(frozen, { arm: 'frozen', hitRate: { mean: 1 }, mrr: { mean: 0.5 } });
  t.match(live, { arm: 'live', hitRate: { mean: 0.75 }, mrr: { mean: 1.35 / 4 } });
  t.ok(Math.abs(live!.over.mrr.difference - (1.35 / 4 - 0.5)) < 1e-12);
  t.equal(live!.over.hitRate.difference, -0.25);
  t.match(control, { arm: 'control', hitRate: { mean: 0 }, over: { mrr: { difference: -0.5 } } });
});

t.test('the unit of the interval is the user, with all of their questions, in whatever split', async (t) => {
  const mixed = [1, 0, 1, 0];
  const one = summariseReplay([split([7, 7], mixed.slice(0, 2)), split([7, 7], mixed.slice(2))], OPTIONS);
  const { low, high } = one.arms[1]!.over.mrr;
  t.same([low, high], [0, 0], 'one user drawn again is the same user');
  const four = summariseReplay([split([1, 2, 3, 4], mixed)], OPTIONS).arms[1]!.over.mrr;
  t.ok(four.low < 0 && four.high > 0);
});

t.test('where there was no question, it is said what to do', async (t) => {
  t.throws(() => summariseReplay([split([], [])], OPTIONS), {
    code: 'INVALID_DATASET',
    message: /None of the first 5 events .* raise --replay-events/,
  });
});

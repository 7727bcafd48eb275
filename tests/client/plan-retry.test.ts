import t from 'tap';
import { planRetry } from '../../client/src/plan-retry.js';
import { ShortlistProblem } from '../../client/src/shortlist-problem.js';
import { ShortlistUnreachable } from '../../client/src/shortlist-unreachable.js';

const half = (): number => 0.5;
const lost = new ShortlistUnreachable('connection', 'lost');

function problem(status: number, retryAfter?: string): ShortlistProblem {
  const headers = new Headers(retryAfter === undefined ? {} : { 'retry-after': retryAfter });
  return new ShortlistProblem({ code: 'OVERLOADED', status, detail: 'later' }, headers);
}

t.test(
  'a lost connection is waited for anywhere between nothing and a spread that doubles to 2 s',
  async (t) => {
    t.same(
      [0, 1, 2, 3, 4, 5, 6, 60].map((retry) => planRetry(lost, retry, half)),
      [50, 100, 200, 400, 800, 1000, 1000, 1000],
    );
    t.equal(
      planRetry(lost, 3, () => 0),
      0,
    );
  },
);

t.test('a 503 is never tried before the time that it says', async (t) => {
  t.equal(
    planRetry(problem(503, '3'), 0, () => 0),
    3000,
  );
  t.equal(planRetry(problem(503, '3'), 1, half), 3100);
});

t.test('nothing else is tried again', async (t) => {
  for (const failure of [
    problem(503),
    problem(503, 'tomorrow'),
    problem(500, '1'),
    problem(429, '1'),
    new ShortlistUnreachable('timeout', 'late'),
    new Error('other'),
  ]) {
    t.equal(planRetry(failure, 0, half), undefined);
  }
});

import t from 'tap';
import { judgeTimes, whyUndated, whyUnordered } from '../../src/domain/time-facts.js';

const DAY = 86_400;

/** The facts of users with rows at these times. */
function judge(...users: number[][]) {
  return judgeTimes({
    user: Int32Array.from(users.flatMap((times, user) => times.map(() => user))),
    timestamp: Float64Array.from(users.flat()),
  });
}

t.test('times that differ between the rows of a user are an order, over days they are dates', async (t) => {
  t.same(judge([0, DAY], [5, 2 * DAY]), { hasOrder: true, hasDates: true, orderedShare: 1 });
  t.match(judge([1, 2, 3], [4, 5]), { hasOrder: true, hasDates: false }, 'numbers of clicks');
});

t.test('half of the rows in one second are still an order, as in MovieLens', async (t) => {
  t.match(judge([0, 0, DAY, DAY, 2 * DAY]), { hasOrder: true, hasDates: true, orderedShare: 0.5 });
});

t.test('one time is no time', async (t) => {
  const times = judge([7, 7], [7]);
  t.same(times, { hasOrder: false, hasDates: false, orderedShare: 0 });
  t.equal(whyUnordered(times), 'no two rows of a user differ in time');
  t.match(whyUndated(times), /one day or less/);
});

t.test('periods that tell few rows of a user apart are dates without an order', async (t) => {
  const years = [...Array.from({ length: 20 }, () => 0), ...Array.from({ length: 5 }, () => 365 * DAY)];
  const times = judge(years, years);
  t.match(times, { hasOrder: false, hasDates: true });
  t.match(whyUnordered(times), /only 4\.2 % .* \(10 % are needed\)/);
  t.equal(whyUndated(times), undefined);
});

t.test('users with one row each say nothing against an order to come', async (t) => {
  t.match(judge([0], [DAY], [2 * DAY]), { hasOrder: true, hasDates: true });
  t.match(judge([0], [0]), { hasOrder: false });
});

t.test('the order of users does not count: only rows of one user are compared', async (t) => {
  t.match(judge([5, 5], [1, 1]), { orderedShare: 0 });
});

t.test('times that are to be ignored are the reason', async (t) => {
  const ignored = { hasOrder: false, hasDates: false, orderedShare: 1, ignored: true } as const;
  t.equal(whyUnordered(ignored), 'times are ignored');
  t.equal(whyUndated(ignored), 'times are ignored');
});

import t from 'tap';
import { cutTimes } from '../../../src/offline/protocol/rolling-windows.js';
import { createSyntheticDataset } from '../../support/synthetic-dataset.js';
import { DAY, makeTable, type Row } from './make-table.js';

/** Somebody new to it takes an item, every day of `from` to `to`, the last one not: `users` people in turn, at their hours. */
function shop(from: number, to: number, users = 40): Row[] {
  return Array.from({ length: to - from }, (_, at) => at + from).flatMap((day) =>
    Array.from({ length: users }, (_, user): Row => [`u${user}`, `i${day}-${user}`, day + user / 100]),
  );
}

/** Cuts in days; `before` and `horizonDays` as of the arguments. */
function cutDays(rows: readonly Row[], options: Partial<Parameters<typeof cutTimes>[1]> = {}): number[] {
  return cutTimes(makeTable(rows), { count: 6, ...options }).map((cut) => (cut - 1) / DAY);
}

/** Windows one before the other, as far as the data go. */
function counted(end: number, count: number, days = 7): number[] {
  return Array.from({ length: count }, (_, back) => end - (count - back) * days);
}

const SHOP = shop(0, 100);
/** Day of its last row. */
const LAST = 99.39;

t.test(
  'without a gap, windows are counted back from just after the last row, one before the other',
  async (t) => {
    const growing = Array.from({ length: 8 }, (_, week) => shop(7 * week, 7 * week + 7, 2 ** week)).flat();
    const uneven = Array.from({ length: 12 }, (_, week) =>
      shop(7 * week, 7 * week + 7, week % 3 === 1 ? 100 : 21),
    ).flat();
    for (const [name, rows, wanted, options] of [
      ['as many as are asked for', SHOP, counted(LAST, 6)],
      ['windows of another length', SHOP, counted(LAST, 6, 14), { horizonDays: 14 }],
      ['before a time', SHOP, [12.9, 19.9], { count: 2, before: 26.9 * DAY + 1 }],
      ['no cut without a row before it', shop(0, 20), counted(19.39, 2)],
      ['a shop that grows', growing, counted(56.27, 6), { before: 56.27 * DAY + 1 }],
      ['weeks of which each has enough', uneven, counted(83.99, 6), { before: 83.99 * DAY + 1 }],
      ['one user, one item a day', shop(0, 100, 1), counted(99, 6)],
    ] as const) {
      t.same(
        cutDays(rows, options).map((day) => day.toFixed(6)),
        wanted.map((day) => day.toFixed(6)),
        name,
      );
    }
    const { interactions } = createSyntheticDataset();
    const end = Math.max(...interactions.timestamp) + 1;
    t.same(
      cutTimes(interactions, { count: 3 }),
      counted(end / DAY, 3).map((day) => Math.round(day * DAY)),
    );
  },
);

t.test('windows lie where there is something to ask, whatever lies apart', async (t) => {
  const alone = (from: number, to: number): Row[] =>
    Array.from({ length: to - from }, (_, at): Row => ['u7', `alone${at}`, from + at]);
  const again = SHOP.slice(0, 400).map(([user, item, day]): Row => [user, item, day + 99]);
  const withSmall = (rows: readonly Row[]): Row[] => [...SHOP, ...rows];
  for (const [name, rows, wanted] of [
    ['three clicks years later', withSmall([['u1', 'x', 1000], ['u2', 'y', 1000.1], ['new', 'y', 1000.2]]), counted(LAST, 6)], // prettier-ignore
    ['one row in another century', withSmall([['u1', 'x', 40_000]]), counted(LAST, 6)],
    ['rows of one user for months after', withSmall(alone(400, 500)), counted(LAST, 6)],
    ['one user for weeks of which the first follows at once', withSmall(alone(100, 142)), counted(106, 6)],
    ['what people had, again', [...SHOP, ...again], counted(LAST, 6)],
    [
      'a shop that was closed for a month',
      [...SHOP, ...shop(130, 146)],
      [...counted(LAST, 3), ...counted(145.39, 3)],
    ],
    [
      'two years of files, one year between',
      [...SHOP, ...shop(465, 490)],
      [...counted(LAST, 2), ...counted(489.39, 4)],
    ],
    ['enough people years later', [...SHOP, ...shop(1000, 1001)], [...counted(LAST, 5), 1000.39 - 7]],
    ['a few of the day before opening', [['u1', 'x', -300], ...shop(0, 30)], counted(29.39, 5)],
    [
      'fewer weeks than are asked for',
      [...shop(0, 15), ['u1', 'x', 60], ['u2', 'y', 90]],
      [...counted(14.39, 2), 53, 83],
    ],
  ] as const satisfies [string, readonly Row[], number[]][]) {
    // prettier-ignore
    t.same(
      cutDays(rows).map((day) => day.toFixed(6)),
      wanted.map((day) => day.toFixed(6)),
      name,
    );
  }
});

t.test('what comes after the end that is given moves no window', async (t) => {
  const options = { count: 6, before: 99 * DAY };
  const later = makeTable([...SHOP, ...shop(130, 200, 900)]);
  t.same(cutTimes(later, options), cutTimes(makeTable(SHOP), options));
  t.same(cutTimes(makeTable([]), { count: 6 }), []);
});

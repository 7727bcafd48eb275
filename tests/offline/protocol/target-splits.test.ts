import t from 'tap';
import type { InteractionTable } from '../../../src/domain/interactions.js';
import { cutTimes } from '../../../src/offline/protocol/rolling-windows.js';
import {
  splitChronologically,
  splitFrozen,
  splitRandomly,
  splitRolling,
  type EvaluationSplit,
} from '../../../src/offline/protocol/splits.js';
import { DAY, makeTable } from './make-table.js';

type TypedRow = readonly [user: string, item: string, day: number, type: string | undefined];

/** Rows of a shop in which purchases are to be predicted. */
function shop(
  rows: readonly TypedRow[],
  { types = ['purchase'], isTarget = (row: TypedRow) => row[3] === 'purchase' } = {},
): InteractionTable {
  const sorted = rows.toSorted((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[2] - b[2]));
  const names = [...new Set(sorted.flatMap((row) => row[3] ?? []))].toSorted((a, b) => (a < b ? -1 : 1));
  return {
    ...makeTable(sorted.map(([user, item, day]) => [user, item, day] as const)),
    types: { names, codes: Int32Array.from(sorted, ([, , , type]) => names.indexOf(type!)) },
    target: { types, rows: Uint8Array.from(sorted, (row) => Number(isTarget(row))) },
  };
}

function asked({ queries, train }: EvaluationSplit): Record<string, string[]> {
  return Object.fromEntries(
    queries.map(({ user, relevant }) => [
      train.users.idAt(user),
      Array.from(relevant, (item) => train.items.idAt(item)),
    ]),
  );
}

const ROWS: readonly TypedRow[] = [
  ['ann', 'a', 1, 'view'],
  ['ann', 'b', 2, 'view'],
  ['ann', 'b', 3, 'purchase'],
  ['ann', 'c', 3, undefined],
  ['ann', 'a', 10, 'view'],
  ['ann', 'a', 11, 'purchase'],
  ['ann', 'b', 11, 'purchase'],
  ['ann', 'c', 12, 'purchase'],
  ['ann', 'd', 12, 'view'],
  ['bob', 'a', 2, 'view'],
  ['bob', 'd', 10, 'view'],
  ['cleo', 'd', 11, 'purchase'],
  ['cleo', 'e', 1, 'view'],
];

t.test('purchases are asked for, those of what was viewed too, and not of what was bought', async (t) => {
  const [split] = splitRolling(shop(ROWS), { weeks: 1 });
  t.same(asked(split!), { ann: ['a'], cleo: ['d'] }, 'of c the type is not known, so it may be a purchase');
  t.equal(split!.train.user.length, 6, 'what was viewed before is known');
  t.same([...split!.train.target!.rows], [0, 0, 1, 0, 0, 0]);
  t.same(
    split!.queries.map(({ target }) => target),
    [
      { open: 1, types: ['purchase'] },
      { open: 0, types: ['purchase'] },
    ],
  );
});

t.test('without a target every new item is asked for', async (t) => {
  const { target: _, ...all } = shop(ROWS);
  const [split] = splitRolling(all, { weeks: 1 });
  t.same(asked(split!), { ann: ['d'], bob: ['d'], cleo: ['d'] });
  t.equal(split!.queries[0]!.target, undefined);
});

t.test('a target by value alone leaves what was rated low before unasked', async (t) => {
  const rows: readonly TypedRow[] = [
    ['ann', 'a', 1, undefined],
    ['ann', 'a', 9, undefined],
    ['ann', 'b', 9, undefined],
    ['ann', 'c', 9, undefined],
  ];
  const { types: _, ...table } = shop(rows, { isTarget: ([, item, day]) => day === 9 && item !== 'c' });
  const [split] = splitRolling({ ...table, target: { rows: table.target!.rows } }, { weeks: 1 });
  t.same(asked(split!), { ann: ['b'] });
});

t.test('by user, what follows the first purchase that is held out is held out with it', async (t) => {
  const split = splitChronologically(shop(ROWS), { trainShare: 0.25 });
  t.same(
    asked(split),
    { ann: ['a'], cleo: ['d'] },
    'b is bought in the train part; of c the type is not known',
  );
  const { user, item, users, items } = split.train;
  const ofAnn = [...item].filter((_, row) => users.idAt(user[row]!) === 'ann');
  t.same(
    ofAnn.map((index) => items.idAt(index)),
    ['a', 'b', 'b', 'c', 'a'],
  );
});

t.test('at random, only purchases are held out', async (t) => {
  const table = shop(ROWS);
  const split = splitRandomly(table, { by: 'user', trainShare: 0, seed: 1 });
  t.same(asked(split), { ann: ['b', 'a'], cleo: ['d'] });
  t.equal(split.train.user.length, ROWS.length - 5);
});

t.test('of frozen pairs those are asked for that have a purchase', async (t) => {
  const table = shop(ROWS);
  const pair = (user: string, item: string) => ({
    user: table.users.find(user),
    item: table.items.find(item),
  });
  t.same(asked(splitFrozen(table, [pair('ann', 'a'), pair('bob', 'a')])), { ann: ['a'] });
});

t.test('windows are where something of the target happens', async (t) => {
  const rows: readonly TypedRow[] = [
    ['ann', 'z', 0, 'view'],
    ...Array.from({ length: 9 }, (_, at): TypedRow => ['ann', `i${at}`, 4 + at, 'view']),
    ['ann', 'i1', 13, 'purchase'],
    ...Array.from({ length: 9 }, (_, at): TypedRow => ['ann', `j${at}`, 60 + at, 'view']),
  ];
  t.same(
    cutTimes(shop(rows), { count: 5 }).map((cut) => (cut - 1) / DAY),
    [6],
    'one week, that ends just after the purchase; the weeks after it hold views alone',
  );
});

t.test('a target that is in no window is told with its counts', async (t) => {
  const late = shop([
    ['ann', 'a', 1, 'view'],
    ['ann', 'b', 30, 'view'],
    ['bob', 'c', 31, 'purchase'],
  ]);
  const split = (): EvaluationSplit[] => [...splitRolling(late, { weeks: 2, before: 30 * DAY })];
  t.throws(split, {
    code: 'INVALID_DATASET',
    message:
      'leaves no user with an item to predict. Of 3 rows until 1970-02-01, 1 are of the target, the first of 1970-02-01; by type: purchase 1, view 2.',
  });
});

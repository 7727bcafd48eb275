import { join } from 'node:path';

import * as fc from 'fast-check';
import t, { type Test } from 'tap';

import { filterInteractions, type InteractionTable } from '../../../src/domain/interactions.js';
import { readFrozenSplit } from '../../../src/offline/protocol/frozen-split.js';
import {
  toSplitFacts,
  splitChronologically,
  splitFrozen,
  splitLastOut,
  splitRandomly,
  splitRolling,
  type EvaluationSplit,
} from '../../../src/offline/protocol/splits.js';
import { DAY, makeTable, type Row } from './make-table.js';

const EIGHT_OF_A: Row[] = [1, 2, 3, 4, 5, 6, 7, 8].map((day) => ['a', `i${day}`, day]);
const tables = fc
  .array(
    fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2', '3', '4', '5'), fc.nat({ max: 30 })),
    {
      minLength: 1,
      maxLength: 40,
    },
  )
  .map(makeTable);

function rowsOf(table: InteractionTable): string[] {
  return Array.from(table.user, (user, row) =>
    [table.users.idAt(user), table.items.idAt(table.item[row]!), table.timestamp[row]! / DAY].join(' '),
  );
}

function pairsOf(table: InteractionTable): Set<string> {
  return new Set(Array.from(table.user, (user, row) => `${user} ${table.item[row]}`));
}

function askedPairs(split: EvaluationSplit): string[] {
  return split.queries.flatMap(({ user, relevant }) => Array.from(relevant, (item) => `${user} ${item}`));
}

/** Checks every split of a hundred made-up tables. */
function assertForAll(
  t: Test,
  make: (table: InteractionTable) => Iterable<EvaluationSplit>,
  isTrue: (split: EvaluationSplit, table: InteractionTable) => boolean,
): void {
  const property = fc.property(tables, (table) =>
    splitsOrNone(() => make(table)).every((split) => isTrue(split, table)),
  );
  t.doesNotThrow(() => fc.assert(property, { seed: 1 }));
}

/** The splits, or none where the table has nothing to predict. */
function splitsOrNone(make: () => Iterable<EvaluationSplit>): EvaluationSplit[] {
  try {
    return [...make()];
  } catch (error) {
    if ((error as { code?: string }).code === 'INVALID_DATASET') return [];
    throw error;
  }
}

t.test('the first three quarters of each user train, in time order, and the rest is asked', async (t) => {
  const split = splitChronologically(makeTable([...EIGHT_OF_A].reverse()));
  t.same(rowsOf(split.train), ['a i1 1', 'a i2 2', 'a i3 3', 'a i4 4', 'a i5 5', 'a i6 6']);
  t.same(askedPairs(split), ['0 6', '0 7']);
  t.equal(split.knownUntil, 6 * DAY);
  t.equal(split.label, 'chronological 75/25');
});

t.test('rows at the same time keep the order of the table, which a draw makes', async (t) => {
  const table = makeTable(['z', 'y', 'x', 'w'].map((item): Row => ['a', item, 1]));
  const split = splitChronologically(table);
  t.same(rowsOf(split.train), ['a z 1', 'a y 1', 'a x 1']);
});

t.test('the last row of each user with two is held out, and nothing else', async (t) => {
  const split = splitLastOut(makeTable([...EIGHT_OF_A, ['b', 'i1', 1], ['c', 'i2', 5], ['c', 'i1', 3]]));
  t.same(askedPairs(split), ['0 7', '2 1']);
  t.equal(split.train.user.length, 9);
  t.equal(split.label, 'last row of each user');
  t.throws(() => splitLastOut(makeTable([['a', 'i1', 1]])), { code: 'INVALID_DATASET' });
});

t.test('test rows that share user and time with a train row are counted', async (t) => {
  const rows: Row[] = [1, 1, 1, 2, 2, 2, 2, 3].map((day, item) => ['a', `i${item}`, day]);
  t.equal(
    splitChronologically(makeTable(rows)).tiedRows,
    1,
    'the sixth row of eight is the last that trains',
  );
  t.equal(splitLastOut(makeTable(rows)).tiedRows, 0);
  t.equal(splitLastOut(makeTable(rows.slice(0, 7))).tiedRows, 1);
  const facts = toSplitFacts(splitChronologically(makeTable(rows)));
  t.match(facts, { trainRows: 6, testRows: 2, tiedRows: 1 });
});

t.test('a frozen split holds out all rows of a pair', async (t) => {
  const table = makeTable([...EIGHT_OF_A, ['a', 'i2', 9]]);
  const split = splitFrozen(table, [{ user: 0, item: 1 }]);
  t.equal(split.train.user.length, 7);
  t.match(split, { tested: { user: { length: 2 } }, label: /all rows of each held out/ });
});

t.test('half a row is rounded to the even number of train rows', async (t) => {
  const trainRows = (rows: number, trainShare: number): number =>
    splitChronologically(makeTable(EIGHT_OF_A.slice(0, rows)), { trainShare }).train.user.length;
  t.equal(trainRows(6, 0.75), 4, '4.5');
  t.equal(trainRows(3, 0.5), 2, '1.5');
  t.equal(trainRows(5, 0.5), 2, '2.5');
  t.equal(trainRows(5, 0.75), 4, '3.75');
});

t.test('an item that the user already had is not asked for, and repeats count once', async (t) => {
  const items = ['1', '2', '3', '4', '5', '6', '6', '2', '7', '6', '3', '7'];
  const split = splitChronologically(makeTable(items.map((item, day): Row => ['a', item, day])), {
    trainShare: 0.5,
  });
  t.same(askedPairs(split), ['0 6'], 'only item 7 is new, and it came twice');
});

t.test('users with nothing to predict are not asked', async (t) => {
  const split = splitChronologically(makeTable([...EIGHT_OF_A, ['b', 'i1', 1]]));
  t.same(
    split.queries.map(({ user }) => user),
    [0],
  );
});

t.test('a split that leaves nothing to predict, or to train on, says so', async (t) => {
  const table = makeTable([['a', '1', 1]]);
  const refused = (message: RegExp) => ({ code: 'INVALID_DATASET', message });
  t.throws(
    () => splitChronologically(table),
    refused(/"chronological 75\/25" leaves no user with an item to predict/),
  );
  t.throws(() => splitChronologically(table, { trainShare: 0 }), refused(/leaves no row to train on/));
  t.throws(
    () => [...splitRolling(table, { weeks: 2 })],
    refused(/"rolling, 2 windows of 7 days" leaves no user/),
  );
});

t.test('a random split takes three quarters of each item, or of each user', async (t) => {
  const rows = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].flatMap((user): Row[] => [
    [user, '1', 1],
    [user, '2', 2],
    [user, '3', 3],
    [user, '4', 4],
  ]);
  const counts = (values: Int32Array, size: number): number[] =>
    Array.from({ length: size }, (_, group) => values.filter((value) => value === group).length);
  const byItem = splitRandomly(makeTable(rows), { by: 'item', seed: 1 });
  const byUser = splitRandomly(makeTable(rows), { by: 'user', seed: 1 });
  t.same(counts(byItem.train.item, 4), [6, 6, 6, 6]);
  t.same(counts(byUser.train.user, 8), [3, 3, 3, 3, 3, 3, 3, 3]);
  t.equal(byItem.label, 'random by item 75/25, seed 1');
  t.equal(byItem.knownUntil, 4 * DAY);
});

t.test('the same seed gives the same random split, another seed another', async (t) => {
  const rows = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].flatMap((user): Row[] => [
    [user, '1', 1],
    [user, '2', 2],
  ]);
  const asked = (seed: number): string[] => askedPairs(splitRandomly(makeTable(rows), { by: 'item', seed }));
  t.same(asked(7), asked(7));
  t.notSame(asked(7), asked(8));
});

t.test('a frozen split holds out the pairs of its file', async (t) => {
  const table = makeTable(EIGHT_OF_A);
  const file = join(t.testdir({ 'test.tsv': 'a\ti2\r\na\ti5\r\n' }), 'test.tsv');
  const split = splitFrozen(table, await readFrozenSplit(file, table));
  t.same(askedPairs(split), ['0 1', '0 4']);
  t.equal(split.train.user.length, 6);
  t.equal(split.knownUntil, 8 * DAY);
});

t.test('a frozen split of another dataset is refused with each line that does not fit', async (t) => {
  const table = makeTable([...EIGHT_OF_A, ['b', 'i1', 1]]);
  const text = ['a\ti2', 'z\ti2', 'a\ti99', 'b\ti2', 'a i2', 'a\ti2\t5', '', 'a\ti3'].join('\n');
  const file = join(t.testdir({ 'test.tsv': text }), 'test.tsv');
  await t.rejects(readFrozenSplit(file, table), {
    code: 'INVALID_DATASET',
    message: /test\.tsv is not a split of this dataset/,
    problems: [
      'line 2: unknown user "z"',
      'line 3: unknown item "i99"',
      'line 4: user "b" has no interaction with item "i2"',
      'line 5: expected a user id, a tab and an item id, got "a i2"',
      'line 6: expected a user id, a tab and an item id, got "a\\ti2\\t5"',
      'line 7: expected a user id, a tab and an item id, got ""',
    ],
  });
});

t.test('a frozen split with many wrong lines names the first twenty', async (t) => {
  const file = join(t.testdir({ 'test.tsv': 'z\ti1\n'.repeat(23) }), 'test.tsv');
  const error = await readFrozenSplit(file, makeTable(EIGHT_OF_A)).catch((error: unknown) => error);
  const { problems } = error as { problems: string[] };
  t.equal(problems.length, 21);
  t.equal(problems[20], 'and 3 more');
});

t.test('each rolling window trains on what was before it and asks for what happened in it', async (t) => {
  const table = makeTable([
    ['a', '1', 0],
    ['b', '1', 8],
    ['a', '2', 9],
    ['a', '3', 16],
    ['c', '3', 20],
  ]);
  const [older, newer] = [...splitRolling(table, { weeks: 2 })];
  t.same(rowsOf(older!.train), ['a 1 0']);
  t.same(askedPairs(older!), ['0 1', '1 0']);
  t.same(rowsOf(newer!.train), ['a 1 0', 'a 2 9', 'b 1 8']);
  t.same(askedPairs(newer!), ['0 2', '2 2'], 'a user that training never saw is asked too');
  t.equal(newer!.knownUntil, 13 * DAY + 1);
  t.equal(newer!.label, '1970-01-14');
});

t.test('rolling windows in which nobody did anything new are left out', async (t) => {
  const table = makeTable([
    ['a', '1', 0],
    ['a', '1', 12],
    ['a', '2', 20],
  ]);
  t.same(
    [...splitRolling(table, { weeks: 2 })].map((split) => split.label),
    ['1970-01-14'],
  );
});

t.test('what judging needs of a split is counted from its train rows', async (t) => {
  const table = makeTable([...EIGHT_OF_A, ['b', 'i1', 1], ['b', 'i1', 2], ['b', 'i2', 3], ['b', 'i3', 4]]);
  const facts = toSplitFacts(splitChronologically(table));
  t.equal(facts.trainRows, 9);
  t.same([...facts.popularity], [3, 2, 1, 1, 1, 1, 0, 0]);
  t.same([...facts.historyLengths], [6, 2], 'a repeated item counts once');
  t.notOk('train' in facts);
});

t.test('no split asks for what its user has in training, and each asks for something', async (t) => {
  const isFair = (split: EvaluationSplit): boolean => {
    const known = pairsOf(split.train);
    const asked = askedPairs(split);
    return asked.length > 0 && new Set(asked).size === asked.length && !asked.some((pair) => known.has(pair));
  };
  assertForAll(t, (table) => [splitChronologically(table)], isFair);
  assertForAll(t, (table) => [splitRandomly(table, { by: 'item', seed: 3 })], isFair);
  assertForAll(t, (table) => [splitRandomly(table, { by: 'user', trainShare: 0.4, seed: 3 })], isFair);
  assertForAll(t, (table) => splitRolling(table, { weeks: 3 }), isFair);
});

t.test('chronological training is the beginning of each user, and the rest is what is asked', async (t) => {
  assertForAll(
    t,
    (table) => [splitChronologically(table)],
    (split, table) =>
      table.users.ids.every((id, user) => {
        const rows = rowsOf(table).filter((row) => row.startsWith(`${id} `));
        const trained = rowsOf(split.train).filter((row) => row.startsWith(`${id} `));
        const items = (rows: string[]): Set<string> => new Set(rows.map((row) => row.split(' ')[1]!));
        const fresh = [...items(rows.slice(trained.length))].filter((item) => !items(trained).has(item));
        const query = split.queries.find((query) => query.user === user);
        const asked = Array.from(query?.relevant ?? [], (item) => table.items.idAt(item));
        return rows.slice(0, trained.length).join() === trained.join() && fresh.join() === asked.join();
      }),
  );
});

t.test('rolling training ends before the cut, and all that was new in the window is asked', async (t) => {
  assertForAll(
    t,
    (table) => splitRolling(table, { weeks: 4, horizonDays: 3 }),
    (split, table) => {
      const cut = split.knownUntil;
      const pairsBetween = (from: number, to: number): Set<string> =>
        pairsOf(
          filterInteractions(table, (row) => table.timestamp[row]! >= from && table.timestamp[row]! < to),
        );
      const before = pairsBetween(0, cut);
      const fresh = [...pairsBetween(cut, cut + 3 * DAY)].filter((pair) => !before.has(pair));
      return split.train.timestamp.every((time) => time < cut) && fresh.join() === askedPairs(split).join();
    },
  );
});

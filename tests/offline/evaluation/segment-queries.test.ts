import t from 'tap';
import { groupQueries } from '../../../src/offline/evaluation/segment-queries.js';
import type { SplitFacts } from '../../../src/offline/protocol/splits.js';
import { attribute } from '../../support/small-world.js';

function makeFacts(queries: readonly (readonly number[])[], popularity: readonly number[]): SplitFacts {
  return {
    label: 'w1',
    knownUntil: 100,
    trainRows: 50,
    testRows: 2,
    tiedRows: 0,
    queries: queries.map((relevant, user) => ({ user, relevant: Int32Array.from(relevant) })),
    popularity: Uint32Array.from(popularity),
    historyLengths: new Uint32Array(queries.length).fill(3),
  };
}

t.test('an item is new or rare with fewer than five train rows', async (t) => {
  const facts = makeFacts([[0], [0, 1], [1, 2], [2]], [5, 4, 0]);
  const [, byItems] = groupQueries([facts], []);
  t.same(byItems, {
    by: 'items to find',
    labels: ['well-known only', 'some new or rare', 'new or rare only'],
    labelOf: ['well-known only', 'some new or rare', 'new or rare only', 'new or rare only'],
  });
});

t.test('what puts all queries together is left out, but for the history', async (t) => {
  const users = attribute('country', 'categorical', Array(2).fill('fr'));
  t.same(
    groupQueries([makeFacts([[0], [0]], [9])], [users]).map(({ by, labels }) => [by, labels]),
    [['items known of the user', ['1–5']]],
  );
});

t.test('small groups of people stand together, the largest come first', async (t) => {
  const values = [...Array(12).fill('uk'), ...Array(15).fill('fr'), ...Array(9).fill('is'), undefined];
  const facts = makeFacts(
    values.map(() => [0]),
    [9],
  );
  const [, byCountry] = groupQueries([facts], [attribute('country', 'categorical', values)]);
  t.equal(byCountry!.by, 'user country');
  t.same(byCountry!.labels, ['fr', 'uk', 'others', 'not known']);
  t.same(
    ['fr', 'uk', 'others', 'not known'].map(
      (label) => byCountry!.labelOf.filter((each) => each === label).length,
    ),
    [15, 12, 9, 1],
  );
});

t.test('at most eight groups of people are shown, equal ones by name', async (t) => {
  const values = 'jihgfedcba'.split('').flatMap((value) => Array<string>(10).fill(value));
  const facts = makeFacts(
    values.map(() => [0]),
    [9],
  );
  const [, byLetter] = groupQueries([facts], [attribute('letter', 'categorical', values)]);
  t.same(byLetter!.labels, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'others']);
});

t.test('people are told apart by categories and flags, not by numbers, texts or lists', async (t) => {
  const half = <T>(one: T, other: T): T[] => [...Array<T>(10).fill(one), ...Array<T>(10).fill(other)];
  const facts = makeFacts(half([0], [0]), [9]);
  const groupings = groupQueries(
    [facts],
    [
      attribute('country', 'categorical', half('fr', 'uk')),
      attribute('age', 'numeric', half(20, 30)),
      attribute('name', 'text', half('Ann', 'Bob')),
      attribute('hobbies', 'multi-valued', half(['chess'], ['golf'])),
      attribute('subscriber', 'boolean', half(true, false)),
    ],
  );
  t.same(
    groupings.map(({ by, labels }) => [by, labels]),
    [
      ['items known of the user', ['1–5']],
      ['user country', ['fr', 'uk']],
      ['user subscriber', ['false', 'true']],
    ],
  );
});

t.test('queries of several splits come one after the other', async (t) => {
  const facts = [makeFacts([[0], [1]], [9, 0]), makeFacts([[1]], [9, 9])];
  const [, byItems] = groupQueries(facts, []);
  t.same(byItems!.labelOf, ['well-known only', 'new or rare only', 'well-known only']);
});

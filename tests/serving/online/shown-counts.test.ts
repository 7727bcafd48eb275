import t from 'tap';
import type { RuleEntry } from '../../../src/config/rule-config.js';
import { hashId } from '../../../src/domain/id-table.js';
import { createShownCounts } from '../../../src/serving/online/shown-counts.js';
import { SCENARIOS } from '../../support/trained-bundle.js';

const DAY = 86_400;
const RULE = { shown: 3, days: 7, strength: 0.5 };
const ANN = { userId: 'ann' };

function open(rules: RuleEntry[] = [{ fatigue: RULE }], options = {}) {
  const home = SCENARIOS.get('home')!;
  return createShownCounts(new Map([...SCENARIOS, ['home', { ...home, rules }]]), options);
}

const hashes = (...ids: string[]): number[] => ids.map(hashId);

t.test('without a rule that asks nothing is counted', async (t) => {
  t.equal(open([]), undefined);
});

t.test('an item is tired when it was shown so often in so many days', async (t) => {
  const counts = open()!;
  counts.add(ANN, ['a', 'b'], 0);
  counts.add(ANN, ['a', 'b'], 4 * DAY);
  t.same(counts.findTired(ANN, RULE, 4 * DAY), []);
  counts.add(ANN, ['a'], 7 * DAY);
  t.same(counts.findTired(ANN, RULE, 7 * DAY), hashes('a'), 'the first of three is just in it');
  t.same(counts.findTired(ANN, RULE, 7 * DAY + 1), []);
  counts.add(ANN, ['a'], 8 * DAY);
  t.same(counts.findTired(ANN, RULE, 11 * DAY), hashes('a'), 'the latest three count');
  t.same(counts.findTired(ANN, { shown: 1, days: 5 }, 9 * DAY), hashes('b', 'a'));
});

t.test('users and visitors of one id are two, and nobody in particular is not counted', async (t) => {
  const counts = open()!;
  for (let times = 0; times < 3; times++) {
    counts.add({ sessionId: 'ann' }, ['a'], 1);
    counts.add({}, ['a'], 1);
    counts.add({ itemId: 'x' }, ['a'], 1);
  }
  t.same(counts.findTired(ANN, RULE, 1), []);
  t.same(counts.findTired({}, RULE, 1), []);
  t.same(counts.findTired({ itemId: 'x' }, RULE, 1), []);
  t.same(counts.findTired({ sessionId: 'ann' }, RULE, 1), hashes('a'));
});

t.test(
  'memory is bounded: who was not answered for the longest goes, and of one what was not shown',
  async (t) => {
    const counts = open(undefined, { maxBytes: 1_000_000 })!;
    for (let user = 0; user < 20_000; user++) {
      counts.add({ userId: `u${user}` }, ['a', 'b'], user);
      if (user % 100 === 0) counts.add(ANN, ['a'], user);
    }
    t.ok(counts.size.bytes <= 1_000_000 && counts.size.visitors > 500, JSON.stringify(counts.size));
    t.same(counts.findTired({ userId: 'u0' }, { shown: 1, days: 90 }, 20_000), []);
    t.same(counts.findTired(ANN, RULE, 20_000), hashes('a'));
    for (let item = 0; item < 5000; item++) counts.add(ANN, [`i${item}`], item);
    const all = counts.findTired(ANN, { shown: 1, days: 90 }, 20_000);
    t.equal(all.length, 300);
    t.same(all.at(-1), hashId('i4999'));
  },
);

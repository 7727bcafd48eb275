import t from 'tap';
import { toHistories, type InteractionTable } from '../../../src/domain/interactions.js';
import { typedOf, type TypedEntries } from '../../../src/domain/history.js';
import { judgeTimes } from '../../../src/domain/time-facts.js';
import { IdIndex } from '../../../src/domain/id-index.js';
import { createTargetFeatures } from '../../../src/features/groups/target-features.js';
import { toLiveHistory } from '../../../src/pipeline/to-live-history.js';
import { fillGroup } from '../../support/fill-group.js';
import { candidateSet, history } from '../../support/small-world.js';

const DAY = 86_400;
const NOW = 100 * DAY;
const group = createTargetFeatures({ types: ['purchase'], evidence: ['view', 'cart'] });
const items = new IdIndex(['a', 'b', 'c', 'd']);
const candidates = candidateSet([3, 0, 1, 2], []);

type Done = readonly [item: string, type: string, daysAgo: number];

/** What one user did, as training knows it. */
function known(...done: readonly Done[]): TypedEntries {
  const rows = done.toSorted((a, b) => b[2] - a[2]);
  const names = [...new Set(rows.map(([, type]) => type))].toSorted((a, b) => (a < b ? -1 : 1));
  const table: InteractionTable = {
    users: new IdIndex(['u']),
    items,
    user: new Int32Array(rows.length),
    item: Int32Array.from(rows, ([item]) => items.find(item)),
    timestamp: Float64Array.from(rows, ([, , days]) => NOW - days * DAY),
    value: new Float32Array(rows.length).fill(1),
    types: { names, codes: Int32Array.from(rows, ([, type]) => names.indexOf(type)) },
    times: judgeTimes({
      user: new Int32Array(rows.length),
      timestamp: Float64Array.from(rows, ([, , days]) => NOW - days * DAY),
    }),
    target: { types: ['purchase'], rows: new Uint8Array(rows.length) },
  };
  return typedOf(toHistories(table), 0);
}

function live(...done: readonly Done[]): TypedEntries {
  const events = done
    .toSorted((a, b) => b[2] - a[2])
    .map(([itemId, type, days]) => ({ itemId, type, time: NOW - days * DAY }));
  return toLiveHistory(events, { items, counting: { negative: ['return'] }, keepsTypes: true })!.typed!;
}

function fill(...typed: readonly TypedEntries[]): Record<string, Record<string, number>> {
  const rows = fillGroup(group, { candidates, history: history([]), now: NOW, typed: () => typed });
  return Object.fromEntries(rows.map((row, at) => [['d', 'a', 'b', 'c'][at]!, row]));
}

const HISTORY: readonly Done[] = [
  ['a', 'view', 9],
  ['a', 'view', 5],
  ['a', 'cart', 3],
  ['b', 'view', 8],
  ['b', 'purchase', 7],
  ['b', 'view', 1],
];

t.test('a pair is told by its types, how often and how long ago', async (t) => {
  const { a, b, d } = fill(known(...HISTORY));
  const near = (found: number | undefined, expected: number): unknown =>
    t.ok(Math.abs(found! - expected) < 1e-6, `${found} is ${expected}`);
  t.match(a, { 'target.open': 1, 'target.evidence_recency': 0.25, 'target.log_count.purchase': 0 });
  near(a!['target.log_evidence'], Math.log1p(3));
  near(a!['target.log_count.view'], Math.log1p(2));
  near(a!['target.log_count.cart'], Math.log1p(1));
  t.match(
    b,
    { 'target.open': 0, 'target.evidence_recency': 0.5 },
    'what is bought is not open, whatever came after',
  );
  near(b!['target.log_count.purchase'], Math.log1p(1));
  near(d!['target.log_settled'], Math.log1p(1));
  near(d!['target.settled_share'], 1 / 2);
  near(d!['target.settled_recency'], 1 / 8);
  t.match(d, { 'target.open': 0, 'target.evidence_recency': 0, 'target.log_evidence': 0 });
});

t.test('a cold start has zeros', async (t) => {
  for (const row of Object.values(fill()))
    t.same(Object.values(row), Array(9).fill(0)); // prettier-ignore
});

t.test('live events give what training would have made of them', async (t) => {
  const since: readonly Done[] = [
    ['a', 'view', -1],
    ['c', 'view', -2],
    ['d', 'cart', -3],
    ['d', 'purchase', -3.5],
  ];
  t.same(fill(known(...HISTORY), live(...since)), fill(known(...HISTORY, ...since)));
  t.same(fill(live(...HISTORY)), fill(known(...HISTORY)), 'of a newcomer too');
});

t.test('events that the bundle has counted already are not counted again', async (t) => {
  const since: readonly Done[] = [['c', 'view', -2]];
  t.same(fill(known(...HISTORY), live(...HISTORY, ...since)), fill(known(...HISTORY, ...since)));
});

t.test('events that training does not count say nothing', async (t) => {
  const { typed } = toLiveHistory(
    [
      { itemId: 'a', type: 'view', time: NOW, value: 1 },
      { itemId: 'b', type: 'hover', time: NOW },
      { itemId: 'c', type: 'purchase', time: NOW, value: 1 },
      { itemId: 'd', type: 'return', time: NOW },
    ],
    {
      items,
      counting: { weights: { view: 1, purchase: 5 }, minimumValue: 2, negative: ['return'] },
      keepsTypes: true,
    },
  )!;
  t.same(fill(typed!), fill());
});

t.test('what is of this moment is evidence of no known type', async (t) => {
  const touched = {
    items: Int32Array.of(2),
    timestamps: Float64Array.of(NOW),
    types: Int32Array.of(-1),
    names: [],
  };
  t.match(fill(known(...HISTORY), touched)['c'], {
    'target.open': 1,
    'target.evidence_recency': 1,
    'target.log_count.view': 0,
  });
});

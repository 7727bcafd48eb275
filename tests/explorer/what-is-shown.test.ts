import t from 'tap';
import { compareSlates } from '../../src/explorer/compare-slates.js';
import { describeReason } from '../../src/explorer/describe-reason.js';
import { groupFeatures, isOutside, layOutRange, listMarks } from '../../src/explorer/feature-state.js';
import {
  formatAmount,
  formatContribution,
  formatDuration,
  formatMilliseconds,
  formatNumber,
  formatScore,
  formatTime,
} from '../../src/explorer/format.js';
import { createObservable } from '../../src/explorer/observable.js';
import { sortCandidates } from '../../src/explorer/sort-candidates.js';
import { layOutWaterfall } from '../../src/explorer/waterfall-steps.js';

t.test(
  'bars of a waterfall follow one another from the baseline to the score, the largest first',
  async (t) => {
    const { steps, least, most } = layOutWaterfall({
      baseline: 1,
      score: 0.5,
      groups: { small: 0.25, large: -1, none: 0, other: 0.25 },
    });
    t.same(
      steps.map(({ name }) => name),
      ['large', 'small', 'other', 'none'],
    );
    t.equal(steps[0]!.from, 1);
    for (const [index, { to }] of steps.slice(0, -1).entries()) t.equal(steps[index + 1]!.from, to);
    t.equal(steps.at(-1)!.to, 0.5);
    t.same([least, most], [0, 1]);
  },
);

t.test('a value is marked where it is unusual', async (t) => {
  t.same(listMarks({ value: 1, status: 'PRESENT', typical: [0, 1] }), []);
  t.same(listMarks({ value: 1.1, status: 'PRESENT', typical: [0, 1] }), ['OUTSIDE']);
  t.same(listMarks({ value: -1, status: 'STALE', typical: [0, 1] }), ['STALE', 'OUTSIDE']);
  t.same(listMarks({ value: 9, status: 'DEFAULTED' }), ['DEFAULTED']);
  t.notOk(isOutside({ value: 9 }));
});

t.test('features stand by group, those first whose group adds or takes most', async (t) => {
  const named = (
    [
      ['als.score', 'retrieval'],
      ['item.year', 'item'],
      ['fusion.score', 'retrieval'],
      ['gap.days', 'gap'],
      ['rare.one', 'other'],
    ] as const
  ).map(([name, group]) => [name, { group, value: 1, status: 'PRESENT' }] as const);
  const groups = groupFeatures(named, { retrieval: 0.1, item: -0.5, gap: 0, other: 0.01 });
  t.same(
    groups.map(({ name, contribution, features }) => [name, contribution, features.map(([label]) => label)]),
    [
      ['item', -0.5, ['year']],
      ['retrieval', 0.1, ['als.score', 'fusion.score']],
      ['other', 0.01, ['rare.one']],
      ['gap', 0, ['days']],
    ],
  );
});

t.test('the value and its typical range lie within the scale', async (t) => {
  for (const [value, low, high] of [
    [5, 0, 1],
    [-5, 0, 1],
    [0.5, 0, 1],
    [0, 0, 0],
  ] as const) {
    const places = layOutRange(value, [low, high]);
    for (const place of Object.values(places)) t.ok(place >= 0 && place <= 100, `${value}: ${place}`);
    t.ok(places.low <= places.high);
    t.equal(Math.sign(places.value - places.low), Math.sign(value - low));
  }
});

t.test('two lists are compared by what stays, moves, comes and goes', async (t) => {
  const list = (...ids: string[]) => ids.map((itemId, index) => ({ itemId, position: index + 1 }));
  t.same(compareSlates(list('a', 'b', 'c'), list('c', 'b', 'd', 'e')), {
    kept: [
      { itemId: 'b', from: 2, to: 2 },
      { itemId: 'c', from: 3, to: 1 },
    ],
    newcomers: ['d', 'e'],
    gone: ['a'],
    moved: 1,
  });
});

t.test('a place that a rule gave or took for the sake of another says so', async (t) => {
  const reason = { rule: 'pin', from: 3, to: 4 };
  t.equal(describeReason({ ...reason, detail: 'makes room' }), 'makes room for another (rule pin)');
  t.equal(describeReason({ ...reason, detail: 'moves up' }), 'moves up in place of another (rule pin)');
  t.equal(describeReason({ ...reason, detail: 'pinned to place 4' }), 'pinned to place 4');
});

const CANDIDATES = [
  { itemId: '1', title: 'Beta', ranks: { als: 2 }, fusion: 0.1, score: 3, rankedAt: 1, shownAt: 2 },
  { itemId: '2', ranks: {}, fusion: 0.3, score: 2, rankedAt: 2 },
  { itemId: '3', title: 'Alpha', ranks: { als: 1 }, fusion: 0.2, score: 1, rankedAt: 3, shownAt: 1 },
];

t.test('candidates are sorted by a column, without a value last either way', async (t) => {
  const ids = (column: Parameters<typeof sortCandidates>[1]['column'], isDown = false) =>
    sortCandidates(CANDIDATES, { column, isDown })
      .map(({ itemId }) => itemId)
      .join('');
  t.equal(ids('rankedAt'), '123');
  t.equal(ids('rankedAt', true), '321');
  t.equal(ids('shownAt'), '312');
  t.equal(ids('shownAt', true), '132');
  t.equal(ids('source als'), '312');
  t.equal(ids('source als', true), '132');
  t.equal(ids('fusion', true), '231');
  t.equal(ids('title'), '231', 'without a title by its id');
});

t.test('candidates are found by a part of the title or the id', async (t) => {
  const found = (text: string) =>
    sortCandidates(CANDIDATES, { column: 'rankedAt', isDown: false }, text).map(({ itemId }) => itemId);
  t.same(found(' ALPH '), ['3']);
  t.same(found('2'), ['2']);
  t.same(found('nothing'), []);
});

t.test('numbers and times are short and say no more than they know', async (t) => {
  t.same([0, 1234567, 12.345, 1.234, 0.5, 0.00001, -0.25, Infinity].map(formatNumber), [
    '0',
    '1,234,567',
    '12.3',
    '1.23',
    '0.5',
    '1.0e−5',
    '−0.25',
    'Infinity',
  ]);
  t.same(
    [formatScore(1.8), formatScore(-0.5, 2), formatScore(0.00001), formatScore(0)],
    ['1.800', '−0.50', '1.0e−5', '0.000'],
  );
  t.same([0.25, -0.25, 0.0001].map(formatContribution), ['+0.250', '−0.250', '0']);
  t.same([formatAmount(1, 'item'), formatAmount(1200, 'item')], ['1 item', '1,200 items']);
  t.same([formatMilliseconds(0.44), formatMilliseconds(1200)], ['0.4 ms', '1,200 ms']);
  t.same([5, 600, 7200, 864000].map(formatDuration), ['5 s', '10 min', '2 h', '10 days']);
  t.same(['2026-01-02T03:04:05Z', 'soon'].map(formatTime), ['2026-01-02 03:04', 'soon']);
});

t.test('a listener hears of each new value until it ends', async (t) => {
  const observable = createObservable(1);
  const heard: number[] = [];
  const end = observable.subscribe(() => heard.push(observable.get()));
  observable.set(2);
  observable.set(2);
  observable.set(3);
  end();
  observable.set(4);
  t.same(heard, [2, 3]);
});

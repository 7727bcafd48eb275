import assert from 'node:assert/strict';
import * as fc from 'fast-check';
import t from 'tap';
import type { HistoryEvent } from '../../src/domain/event.js';
import { EMPTY_HISTORY, type Histories, historyOf, unwantedOf } from '../../src/domain/history.js';
import { IdIndex } from '../../src/domain/id-index.js';
import { type InteractionCounting, toHistories } from '../../src/domain/interactions.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { mergeHistory, type SubjectHistory } from '../../src/pipeline/merge-history.js';
import { toLiveHistory } from '../../src/pipeline/to-live-history.js';
import { compacted } from '../offline/data/prepare/compacted-events.js';
import { tryPrepare } from '../offline/data/prepare/try-prepare.js';
import { countNaively, fromNaive, listLive, type NaiveRow, toNaive } from './count-naively.js';

const ITEMS = new IdIndex(['i0', 'i1', 'i2', 'i3', 'i4', 'i5']);
const NO_ITEMS = new Int32Array(0);
/** Later than everything: no time is clamped. */
const OPEN_END = Number.POSITIVE_INFINITY;

const event = (itemId: string, time: number, changes: Partial<HistoryEvent> = {}): HistoryEvent => ({
  itemId,
  type: 'click',
  value: undefined,
  time,
  ...changes,
});
const translate = (events: readonly HistoryEvent[], counting?: InteractionCounting) =>
  listLive(toLiveHistory(events, { items: ITEMS, counting }));

t.test('an event is the item of the bundle, at its time, and counts 1 where it says no value', (t) => {
  t.same(translate([event('i3', 10.5), event('i1', 20, { value: 2.5 }), event('i0', 30, { value: 0 })]), [
    [3, 10.5, 1, 0],
    [1, 20, 2.5, 0],
    [0, 30, 0, 0],
  ]);
  t.end();
});

t.test('the latest event of an item counts, in its place', (t) => {
  t.same(translate([event('i0', 1, { value: 9 }), event('i1', 2), event('i0', 3, { value: 4 })]), [
    [1, 2, 1, 0],
    [0, 3, 4, 0],
  ]);
  t.end();
});

t.test('where nothing counts there is no live history', (t) => {
  const unknown = ['x', '__proto__', 'constructor', ''].map((itemId) => event(itemId, 1));
  t.equal(toLiveHistory(unknown, { items: ITEMS, counting: undefined }), undefined);
  t.equal(toLiveHistory([], { items: ITEMS, counting: undefined }), undefined);
  const odd = [-0.5, 1e9 + 1, 1e300].map((value) => event('i0', 1, { value }));
  t.equal(toLiveHistory(odd, { items: ITEMS, counting: undefined }), undefined);
  const types = ['hover', '__proto__', 'constructor', 'hasOwnProperty'].map((type) =>
    event('i0', 1, { type }),
  );
  t.equal(toLiveHistory(types, { items: ITEMS, counting: { weights: { click: 1 } } }), undefined);
  t.end();
});

t.test('weights multiply, and the largest of an item counts', (t) => {
  const counting = { weights: { purchase: 5, click: 1 } };
  const events = [
    event('i0', 1, { type: 'purchase', value: 2 }),
    event('i1', 2, { type: 'purchase' }),
    event('i0', 3),
  ];
  t.same(translate(events, counting), [
    [1, 2, 5, 0],
    [0, 3, 10, 0],
  ]);
  t.same(
    translate(events),
    [
      [1, 2, 1, 0],
      [0, 3, 1, 0],
    ],
    'without weights, the latest',
  );
  t.end();
});

t.test('what is below the minimum value does not count, before weights', (t) => {
  const counting = { minimumValue: 4, weights: { rating: 0.1 } };
  const rated = [3.9, 4, 5].map((value, at) => event(`i${at}`, at, { type: 'rating', value }));
  t.same(
    translate(rated, counting).map(([item]) => item),
    [1, 2],
  );
  t.end();
});

t.test(
  'a negative event takes back what came before it, whatever its value, and what comes after counts',
  (t) => {
    const counting = { negative: ['dislike'], minimumValue: 1 };
    const dislike = (time: number, value?: number): HistoryEvent =>
      event('i0', time, { type: 'dislike', ...(value !== undefined && { value }) });
    t.same(translate([event('i0', 1), dislike(2)], counting), [[0, 2, 0, 1]]);
    t.same(translate([event('i0', 1), dislike(2, -1), dislike(3, 0)], counting), [[0, 3, 0, 1]]);
    t.same(translate([dislike(2), event('i1', 3), event('i0', 4)], counting), [
      [0, 2, 0, 1],
      [1, 3, 1, 0],
      [0, 4, 1, 0],
    ]);
    t.same(
      translate([dislike(2), event('i0', 4), dislike(5)], counting),
      [[0, 5, 0, 1]],
      'the latest word is the last',
    );
    t.same(translate([dislike(2)]), [[0, 2, 1, 0]], 'only where the bundle calls the type negative');
    t.end();
  },
);

t.test('a bundle with nothing live keeps its history', (t) => {
  const bundled = fromNaive({ history: [[3, 5, 2.5]], unwanted: [[1, 4]] });
  t.same(
    toNaive(mergeHistory(bundled, { live: undefined, touched: NO_ITEMS, knownUntil: OPEN_END })),
    toNaive(bundled),
  );
  t.end();
});

t.test('what was touched in this moment is the latest, and counts as the least', (t) => {
  const live = toLiveHistory([event('i1', 50, { type: 'dislike' }), event('i2', 60)], {
    items: ITEMS,
    counting: { negative: ['dislike'] },
  });
  const bundled = fromNaive({ history: [[0, 10, 3]], unwanted: [] });
  const touched = Int32Array.of(1, 0, 3, 1);
  const later = { live, touched, knownUntil: 55 };
  t.same(
    toNaive(mergeHistory(bundled, later)),
    {
      history: [
        [2, 55, 1],
        [0, 55, 1],
        [3, 55, 1],
        [1, 55, 1],
      ],
      unwanted: [],
    },
    'whoever touches what they did not want wants it',
  );
  const counting = { weights: { purchase: 5, view: 0.5 } };
  t.same(toNaive(mergeHistory(bundled, { ...later, live: undefined, counting })).history, [
    [0, 55, 3],
    [3, 55, 0.5],
    [1, 55, 0.5],
  ]);
  t.end();
});

const typeNames = ['click', 'purchase', 'dislike', 'hide', 'hover'];
const countings = fc.record(
  {
    weights: fc.constantFrom({ click: 1, purchase: 5 }, { click: 0.1, purchase: 3, hover: 0.25 }, {}),
    minimumValue: fc.constantFrom(0, 1, 2.5),
    negative: fc.constantFrom(['dislike'], ['dislike', 'hide'], []),
  },
  { requiredKeys: [] },
);
const rowsOf = (isEvent: boolean, times: { min: number; max: number }) =>
  fc.array(
    fc.record({
      item: fc.integer({ min: 0, max: ITEMS.size - 1 }),
      type: fc.constantFrom(...typeNames),
      time: fc.integer(times),
      value: fc.constantFrom(undefined, undefined, 0, 1, 2, 2.5, 7.3, -1, 2e9),
      isEvent: fc.constant(isEvent),
    }),
    { maxLength: 25 },
  );
/** Rows of files have types that are weighted or negative: others are refused. */
const isOfFiles = ({ type, value = 1 }: NaiveRow, { weights, negative = [] }: InteractionCounting): boolean =>
  value >= 0 && (weights === undefined || negative.includes(type) || Object.hasOwn(weights, type));

/** Of two events on either side of a dislike in the files, a live history has the larger weight: it does not know of the dislike. */
const isCounted = ({ type }: NaiveRow, { weights, negative = [] }: InteractionCounting): boolean =>
  weights === undefined || !negative.includes(type);

/** What a bundle of `bundled` makes of `live`, as the pipeline does it. */
function merge(
  bundled: readonly NaiveRow[],
  live: readonly NaiveRow[],
  { counting, knownUntil = OPEN_END }: { counting: InteractionCounting; knownUntil?: number },
): SubjectHistory {
  const events = live
    .toSorted((a, b) => a.time - b.time)
    .map(({ item, type, time, value }) => event(ITEMS.idAt(item), time, { type, value }));
  return mergeHistory(fromNaive(countNaively(bundled, counting)), {
    live: toLiveHistory(events, { items: ITEMS, counting }),
    touched: NO_ITEMS,
    knownUntil,
    counting,
  });
}

t.test('a bundle merged with later events is a bundle that was prepared of all of them', (t) => {
  fc.assert(
    fc.property(
      countings,
      rowsOf(false, { min: 0, max: 20 }),
      rowsOf(true, { min: 20, max: 40 }),
      (counting, all, events) => {
        const files = all.filter((row) => isOfFiles(row, counting));
        assert.deepStrictEqual(
          toNaive(merge(files, events, { counting })),
          toNaive(fromNaive(countNaively([...files, ...events], counting))),
        );
      },
    ),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('so is one that has some of the events already', (t) => {
  fc.assert(
    fc.property(
      countings,
      rowsOf(false, { min: 0, max: 20 }),
      rowsOf(true, { min: 0, max: 40 }),
      fc.integer({ min: 20, max: 40 }),
      (counting, all, events, cut) => {
        const files = all.filter((row) => isOfFiles(row, counting) && isCounted(row, counting));
        const compactedEvents = events.filter(({ time }) => time <= cut);
        assert.deepStrictEqual(
          toNaive(merge([...files, ...compactedEvents], events, { counting })),
          toNaive(fromNaive(countNaively([...files, ...events], counting))),
        );
      },
    ),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('so is one that events come late to, unless what is taken back had a weight', (t) => {
  fc.assert(
    fc.property(
      countings.filter(({ weights, negative }) => weights === undefined || negative === undefined),
      rowsOf(false, { min: 0, max: 30 }),
      rowsOf(true, { min: 0, max: 40 }),
      (counting, all, events) => {
        const files = all.filter((row) => isOfFiles(row, counting));
        assert.deepStrictEqual(
          toNaive(merge(files, events, { counting })).history,
          toNaive(fromNaive(countNaively([...files, ...events], counting))).history,
        );
      },
    ),
    { numRuns: 1000 },
  );
  t.end();
});

t.test('what is later than the bundle has the time of the bundle, in its order', (t) => {
  fc.assert(
    fc.property(
      countings,
      rowsOf(true, { min: 0, max: 40 }),
      fc.integer({ min: 0, max: 40 }),
      (counting, events, knownUntil) => {
        const open = toNaive(merge([], events, { counting }));
        const clamp = (time: number): number => Math.min(time, knownUntil);
        assert.deepStrictEqual(toNaive(merge([], events, { counting, knownUntil })), {
          history: open.history.map(([item, time, value]) => [item, clamp(time), value]),
          unwanted: open.unwanted.map(([item, time]) => [item, clamp(time)]),
        });
      },
    ),
    { numRuns: 500 },
  );
  t.end();
});

t.test('the naive count finds what a merge without order, weights or negative words would give', (t) => {
  const counting = { weights: { click: 1, purchase: 5 }, negative: ['dislike'] };
  const rows = (...said: [item: number, type: string, time: number][]): NaiveRow[] =>
    said.map(([item, type, time]) => ({ item, type, time, isEvent: true }));
  t.same(countNaively(rows([0, 'purchase', 1], [0, 'dislike', 2], [0, 'click', 3]), counting).history, [
    [0, 3, 1],
  ]);
  t.same(countNaively(rows([0, 'click', 3], [0, 'purchase', 1]), counting).history, [[0, 3, 5]]);
  t.same(countNaively(rows([1, 'click', 2], [0, 'dislike', 1]), counting), {
    history: [[1, 2, 1]],
    unwanted: [[0, 1]],
  });
  t.end();
});

/** What a bundle has of a user; -1 is one that it does not know. */
function subjectOf(histories: Histories, user: number): SubjectHistory {
  if (user < 0) return { history: EMPTY_HISTORY, unwanted: EMPTY_HISTORY };
  return { history: historyOf(histories, user), unwanted: unwantedOf(histories, user) };
}

const TIME = 1_700_000_000;
const USERS = 60;

/** Rows of many users, and what a dataset says of them. */
for (const [what, { negative, weights, minimumValue }] of [
  ['where all count alike', {}],
  ['with negative types', { negative: ['dislike'] }],
  ['with weights', { weights: { click: 0.1, purchase: 5 }, minimumValue: 0.5, negative: ['dislike'] }],
] satisfies [string, InteractionCounting][]) {
  t.test(`the real prepare counts the same, ${what}`, async (t) => {
    t.testdir();
    const random = createSeededRandom(what);
    const draw = (user: string, from: number, to: number): NaiveRow & { user: string } => ({
      user,
      item: random.integer(ITEMS.size),
      type: ['click', 'purchase', 'dislike'][random.integer(negative === undefined ? 2 : 3)]!,
      time: TIME + from + random.integer(to - from),
      value: [undefined, 0.3, 1, 7.3][random.integer(4)],
      isEvent: from > 0,
    });
    const users = Array.from({ length: USERS }, (_, at) => `u${at}`);
    const files = users.flatMap((user) => Array.from({ length: 8 }, () => draw(user, 0, 50)));
    // Every item, so that the bundle knows all of them.
    const first = ITEMS.ids.map((_, item) => ({ ...draw('u0', 0, 1), item, type: 'click', value: 1 }));
    const events = users.flatMap((user) => Array.from({ length: 10 }, () => draw(user, 50, 90)));
    const csv = [...first, ...files].map(({ user, item, type, time, value }) =>
      [user, ITEMS.idAt(item), type, time, value ?? ''].join(','),
    );
    const wanted = {
      ...(negative && { negative }),
      ...(weights && { weights }),
      ...(minimumValue !== undefined && { minimumValue }),
      files: {
        'log.csv': ['user_id,item_id,type,timestamp,value', ...csv].join('\n'),
        'events/parquet/events-20231114-0a.parquet': compacted(
          ...events.map(({ user, item, type, time, value }) => ({
            user,
            item: ITEMS.idAt(item),
            type,
            time,
            ...(value !== undefined && { value }),
          })),
        ),
      },
      interactions: "SELECT * FROM '{dir}/log.csv'",
    };
    const before = (await tryPrepare(t, wanted)).dataset;
    const after = (await tryPrepare(t, { ...wanted, events: true })).dataset;
    t.same(after.counting, before.counting);
    const [bundled, whole] = [before, after].map(({ interactions }) => toHistories(interactions));
    const { items } = before.interactions;
    t.same(items.ids, after.interactions.items.ids);
    for (const user of users) {
      const live = events
        .filter((row) => row.user === user)
        .toSorted((a, b) => a.time - b.time)
        .map(({ item, type, time, value }) => event(ITEMS.idAt(item), time, { type, value }));
      const at = before.interactions.users.find(user);
      const merged = mergeHistory(subjectOf(bundled!, at), {
        live: toLiveHistory(live, { items, counting: before.counting }),
        touched: NO_ITEMS,
        knownUntil: OPEN_END,
        counting: before.counting,
      });
      const now = after.interactions.users.find(user);
      t.strictSame(toNaive(merged), toNaive(subjectOf(whole!, now)));
    }
  });
}

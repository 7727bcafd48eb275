import t from 'tap';
import {
  createFeatureAssembler,
  listFeatures,
  type FeatureInputs,
} from '../../src/features/feature-assembler.js';
import type { FeatureRead } from '../../src/features/feature-observer.js';
import type { FeatureQuery } from '../../src/features/feature-group.js';
import { alignToCatalogue } from '../../src/features/item-table.js';
import { createMemoryStore } from '../../src/features/memory-store.js';
import { createFeatureRows, type FeatureRows } from '../../src/features/feature-store.js';
import { FeatureTable } from '../../src/features/feature-table.js';
import type { FeatureField } from '../../src/features/feature-view.js';
import { featureTable, KNOWN_UNTIL, tableOf } from '../support/feature-tables.js';
import { candidateSet, history, retrieval, smallCatalogue } from '../support/small-world.js';

const DAY = 86_400;

const items = featureTable('item', ['a', 'b', 'c', 'd', 'e'], {
  popularity: { values: [-1, -2, -3, -4, -5] },
  year: { values: [1990, 1995, 2000, 1999, 2010] },
  country: { values: [0, 1, 0, -1, 2], type: 'category', default: -1 },
});

const users = featureTable('user', ['u0', 'u1'], { age: { values: [30, 40], default: 35 } });

const inputs: FeatureInputs = {
  catalogue: smallCatalogue(),
  items: [{ table: items }],
  users: [users.view],
  sourceNames: ['als', 'popular'],
  links: new Map([
    [
      'near',
      { offsets: new Uint32Array(6), neighbours: new Int32Array(0), similarities: new Float32Array(0) },
    ],
  ]),
};

/** Candidates c, d, e: als found c and e, popular found e and d. */
const candidates = candidateSet(
  [4, 2, 3],
  [
    retrieval('als', [
      [2, 0.9],
      [4, 0.3],
    ]),
    retrieval('popular', [
      [4, 8],
      [3, 5],
    ]),
  ],
);

const query: FeatureQuery = {
  candidates,
  history: history([0, 1], { timestamps: [DAY, 3 * DAY], values: [2, 4] }),
  typed: () => [],
  userRows: [rowOf('u1')],
  now: 10 * DAY,
  reading: { now: 10 * DAY },
};

function rowOf(userId: string): FeatureRows {
  const rows = createFeatureRows(users.view, 1);
  void createMemoryStore(users).getMany([userId], rows, { now: 0 });
  return rows;
}

function assemble(
  changes: Partial<FeatureQuery> = {},
  order = listFeatures(inputs),
): Record<string, number>[] {
  const assembler = createFeatureAssembler(inputs, order);
  const { data, rows, columns } = assembler.assemble({ ...query, ...changes });
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(assembler.featureOrder.map((name, column) => [name, data[row * columns + column]!])),
  );
}

function column(name: string, changes: Partial<FeatureQuery> = {}): number[] {
  return assemble(changes).map((row) => Math.round(row[name]! * 1e4) / 1e4);
}

t.test('every feature of every group is in the natural order, each name once', async (t) => {
  t.matchOnlyStrict(listFeatures(inputs), [
    'als.score',
    'als.score_standardised',
    'als.reciprocal_rank',
    'popular.score',
    'popular.score_standardised',
    'popular.reciprocal_rank',
    'fusion.score',
    'fusion.sources',
    'item.popularity',
    'item.year',
    'item.country',
    'user.age',
    'activity.log_length',
    'activity.log_days_since_last',
    'activity.mean_value',
    'activity.log_length_7d',
    'activity.log_length_30d',
    'activity.log_days',
    'activity.log_days_recent',
    'affinity.genres',
    'affinity.genres_recent',
    'affinity.genres_lift',
    'affinity.colour',
    'affinity.colour_recent',
    'affinity.colour_lift',
    'affinity.country',
    'affinity.country_recent',
    'affinity.country_lift',
    'gap.popularity',
    'gap.popularity_recent_distance',
    'gap.year',
    'gap.year_recent_distance',
    'near.last',
    'near.best_3',
    'near.best_10',
    'near.best_50',
    'near.decayed',
    'near.mean',
    'near.hits_10',
  ]);
});

t.test('retrieval features hold score, standardised score and reciprocal rank per source', async (t) => {
  t.same(column('als.score'), [0.3, 0.9, 0]);
  t.same(column('als.reciprocal_rank'), [0.5, 1, 0], '0 where the source did not retrieve the candidate');
  const standardised = column('als.score_standardised');
  t.ok(Math.abs(standardised.reduce((sum, value) => sum + value, 0)) < 1e-3, 'mean 0');
  t.ok(standardised[1]! > standardised[0]! && standardised[0]! > standardised[2]!);
  t.same(column('fusion.sources'), [2, 1, 1]);
  t.ok(column('fusion.score')[0]! > column('fusion.score')[1]!);
});

t.test('a source that did not answer leaves zeros', async (t) => {
  const onlyPopular = candidateSet([4, 3], [candidates.retrievals[1]!]);
  t.same(column('als.score', { candidates: onlyPopular }), [0, 0]);
  t.same(column('als.reciprocal_rank', { candidates: onlyPopular }), [0, 0]);
  t.same(column('popular.score', { candidates: onlyPopular }), [8, 5]);
});

t.test('equal scores standardise to zero', async (t) => {
  const equal = candidateSet(
    [1, 2],
    [
      retrieval('als', [
        [1, 3],
        [2, 3],
      ]),
    ],
  );
  t.same(column('als.score_standardised', { candidates: equal }), [0, 0]);
});

t.test('item and user columns come from the views; an unknown user has the declared default', async (t) => {
  t.same(column('item.year'), [2010, 2000, 1999]);
  t.same(column('item.country'), [2, 0, -1]);
  t.same(column('user.age'), [40, 40, 40]);
  t.same(column('user.age', { userRows: [rowOf('nobody')] }), [35, 35, 35]);
});

t.test('activity comes from the history', async (t) => {
  t.equal(column('activity.log_length')[0], Math.round(Math.log(3) * 1e4) / 1e4);
  t.equal(column('activity.log_days_since_last')[0], Math.round(Math.log(8) * 1e4) / 1e4, '7 days ago');
  t.equal(column('activity.mean_value')[0], 3);
  const log1p = (value: number): number => Math.round(Math.log1p(value) * 1e4) / 1e4;
  const days = [1, 30, ...Array.from({ length: 10 }, (_, index) => 60 + index), 96];
  const long = {
    now: 100 * DAY,
    history: history(
      days.map(() => 0),
      { timestamps: days.map((day) => day * DAY) },
    ),
  };
  t.equal(column('activity.log_length_7d', long)[0], log1p(1));
  t.equal(column('activity.log_length_30d', long)[0], log1p(1));
  t.equal(
    column('activity.log_length_30d', { ...long, now: 98 * DAY })[0],
    log1p(2),
    'the edge does not count',
  );
  t.equal(column('activity.log_days', long)[0], log1p(95));
  t.equal(column('activity.log_days_recent', long)[0], log1p(35), 'from the tenth last on');
  t.equal(column('activity.log_days_since_last', { now: 0 })[0], 0, 'never negative');
});

t.test('affinity is the mean share of the history that has the candidate’s values', async (t) => {
  t.same(column('affinity.genres'), [0.25, 0, 0], 'e is Comedy (0 of 2) and War (1 of 2); d has no genre');
  t.same(column('affinity.country'), [0, 0.5, 0]);
  t.ok(column('affinity.country_lift')[0]! < 0, 'us is rarer in the history than in the catalogue');
  t.ok(column('affinity.country_lift')[1]! > 0, 'fr is more common in it');
});

t.test('recent affinity looks at the last ten items only', async (t) => {
  const long = history([...Array.from({ length: 10 }, () => 0), ...Array.from({ length: 10 }, () => 2)]);
  t.same(column('affinity.genres_recent', { history: long }), [0.5, 1, 0]);
  t.same(column('affinity.genres', { history: long }), [0.25, 0.5, 0]);
});

t.test('gaps are measured from the mean of the history, recent ones from the last ten', async (t) => {
  t.same(column('gap.year'), [17.5, 7.5, 6.5]);
  t.same(column('gap.year_recent_distance', { history: history([4]) }), [0, 10, 11]);
});

t.test('a cold start gives finite features, zero wherever they need a history', async (t) => {
  for (const row of assemble({ history: history([]), userRows: [rowOf('nobody')] })) {
    for (const [name, value] of Object.entries(row)) {
      t.ok(Number.isFinite(value), name);
      if (/^(activity|affinity|gap)\./.test(name)) t.equal(value, 0, name);
    }
  }
});

t.test('the ranker’s order and choice of features decide the columns', async (t) => {
  const order = ['gap.year', 'als.score'];
  t.same(
    assemble({}, order).map((row) => Object.values(row).map((value) => Math.round(value * 10) / 10)),
    [
      [17.5, 0.3],
      [7.5, 0.9],
      [6.5, 0],
    ],
  );
});

t.test('no candidates make an empty matrix', async (t) => {
  const assembler = createFeatureAssembler(inputs, ['als.score']);
  const empty = assembler.assemble({
    ...query,
    candidates: candidateSet([], candidates.retrievals as never),
  });
  t.same([empty.rows, empty.columns, empty.data.length], [0, 1, 0]);
});

t.test('a feature that nothing computes is refused by name', async (t) => {
  t.throws(() => createFeatureAssembler(inputs, ['als.score', 'als.scores', 'user.height']), {
    code: 'INVALID_BUNDLE',
    problems: [
      "feature 'als.scores' is computed by no feature group",
      "feature 'user.height' is computed by no feature group",
    ],
  });
});

t.test('what a request reads of the item views is told', async (t) => {
  const reads: FeatureRead[] = [];
  const observer = { loaded: () => undefined, read: (read: FeatureRead) => reads.push(read) };
  createFeatureAssembler({ ...inputs, observer }, ['user.age']).assemble(query);
  t.same(reads, [{ view: 'items', present: 9, defaulted: 0, stale: 0, unknownEntity: 0 }]);
});

t.test('a view of other items has ids, order and gaps of its own', async (t) => {
  const prices = tableOf({ ...items.view, name: 'prices', fields: PRICE_FIELDS }, [
    ['zz', [1, [1, 1], 1]],
    ['e', [5, [5, 50], 5]],
    ['c', [3, undefined, 3]],
  ]);
  const two: FeatureInputs = {
    ...inputs,
    items: [{ table: items }, alignToCatalogue(prices, inputs.catalogue)],
  };
  const names = listFeatures(two).filter((name) => name.startsWith('prices.'));
  t.same(names, ['prices.amount', 'prices.offer_0', 'prices.offer_1'], 'what is no input gives no feature');
  const { data } = createFeatureAssembler(two, names).assemble(query);
  t.same([...data], [5, 5, 50, 3, -1, -1, 0.5, -1, -1], 'candidates e, c and d');
  const same = alignToCatalogue(items, inputs.catalogue);
  t.equal(same.rowOf, undefined, 'rows in the order of the catalogue need no index');
});

const PRICE_FIELDS: FeatureField[] = [
  { name: 'amount', type: 'float32', default: 0.5 },
  { name: 'offer', type: 'vector', length: 2, default: -1 },
  { name: 'secret', type: 'float32', default: 0, input: false },
];

t.test('several user views give features under their own names', async (t) => {
  const segments = { ...users.view, name: 'segments', fields: PRICE_FIELDS };
  const two: FeatureInputs = { ...inputs, users: [users.view, segments] };
  const names = listFeatures(two).filter((name) => /^(user|segments)\./.test(name));
  const row = { values: Float32Array.of(1, 2, 3, 4), statuses: new Uint8Array(3) };
  const { data } = createFeatureAssembler(two, names).assemble({ ...query, userRows: [rowOf('u0'), row] });
  t.same(names, ['user.age', 'segments.amount', 'segments.offer_0', 'segments.offer_1']);
  t.same([...data.subarray(0, 4)], [30, 1, 2, 3]);
});

t.test('gaps are of numbers that the ranker may read, whole numbers included', async (t) => {
  const fields: FeatureField[] = [
    { name: 'year', type: 'int32', default: 0 },
    { name: 'hidden', type: 'float32', default: 0, input: false },
    { name: 'taste', type: 'vector', length: 2, default: 0 },
  ];
  const table = tableOf(
    { ...items.view, fields },
    ['a', 'b', 'c', 'd', 'e'].map((id, row) => [id, [2000 + row, 1, [1, 2]]]),
  );
  const other: FeatureInputs = { ...inputs, items: [{ table }] };
  const names = listFeatures(other).filter((name) => name.startsWith('gap.'));
  t.same(names, ['gap.year', 'gap.year_recent_distance']);
  t.same([...createFeatureAssembler(other, ['gap.year']).assemble(query).data], [3.5, 1.5, 2.5]);
});

t.test('item values past their time to live follow the policy of their view', async (t) => {
  const reads: FeatureRead[] = [];
  const observer = { loaded: () => undefined, read: (read: FeatureRead) => reads.push(read) };
  const assembleAt = (
    whenStale: 'default' | 'use' | 'refuse',
    reading: FeatureQuery['reading'],
  ): number[] => {
    const view = { ...items.view, timeToLiveSeconds: 60, whenStale };
    const table = new FeatureTable(view, items.entities, items.parts);
    const { assemble: assembleStale } = createFeatureAssembler({ ...inputs, items: [{ table }], observer }, [
      'item.year',
      'gap.year',
    ]);
    return [...assembleStale({ ...query, reading }).data];
  };
  const late = { now: KNOWN_UNTIL + 60 };
  t.same(assembleAt('use', late), assembleAt('default', { now: KNOWN_UNTIL + 59 }));
  t.same(assembleAt('default', late), [0, 0, 0, 0, 0, 0], 'the history has the defaults too');
  t.throws(() => assembleAt('refuse', late), { code: 'FEATURES_FAILED', message: /popularity of item "e"/ });
  t.same(assembleAt('refuse', { ...late, tolerant: true }), [0, 0, 0, 0, 0, 0]);
  t.match(reads, [{ stale: 9 }, { present: 9 }, { stale: 9 }, { stale: 9 }]);
});

t.test('more candidates than ever before are read whole', async (t) => {
  const many = candidateSet(
    Array.from({ length: 1000 }, (_, at) => at % 5),
    [],
  );
  const long = history(Array.from({ length: 1000 }, () => 4));
  const assembler = createFeatureAssembler(inputs, ['item.year', 'gap.year']);
  const { data } = assembler.assemble({ ...query, candidates: many, history: long });
  t.same([...data.subarray(-4)], [1999, -11, 2010, 0]);
});

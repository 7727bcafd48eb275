import t from 'tap';
import {
  createFeatureAssembler,
  listFeatures,
  type FeatureInputs,
} from '../../src/features/feature-assembler.js';
import type { FeatureRead } from '../../src/features/feature-observer.js';
import type { FeatureQuery } from '../../src/features/feature-group.js';
import { candidateSet, featureTable, history, retrieval, smallCatalogue } from '../support/small-world.js';

const DAY = 86_400;

const inputs: FeatureInputs = {
  catalogue: smallCatalogue(),
  items: featureTable('item', ['a', 'b', 'c', 'd', 'e'], {
    popularity: { values: [-1, -2, -3, -4, -5] },
    year: { values: [1990, 1995, 2000, 1999, 2010] },
    country: { values: [0, 1, 0, -1, 2], type: 'category', default: -1 },
  }),
  users: featureTable('user', ['u0', 'u1'], { age: { values: [30, 40], default: 35 } }),
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
  userIndex: 1,
  now: 10 * DAY,
};

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
  t.same(column('user.age', { userIndex: -1 }), [35, 35, 35]);
  const userValues = new Float32Array(inputs.users.view.fields.length).fill(61);
  t.same(column('user.age', { userValues }), [61, 61, 61], 'what an online store gave goes over the bundle');
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
  for (const row of assemble({ history: history([]), userIndex: -1 })) {
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

t.test(
  'what a request reads of the views is told, but not of users that an online store answered for',
  async (t) => {
    const reads: FeatureRead[] = [];
    const observer = { loaded: () => undefined, read: (read: FeatureRead) => reads.push(read) };
    const { assemble: assembleObserved } = createFeatureAssembler({ ...inputs, observer }, ['user.age']);
    assembleObserved(query);
    t.match(reads, [
      { view: 'items', present: 9, unknownEntity: 0 },
      { view: 'users', present: 1, unknownEntity: 0 },
    ]);
    reads.length = 0;
    assembleObserved({ ...query, userValues: Float32Array.of(50) });
    t.same(
      reads.map(({ view }) => view),
      ['items'],
    );
  },
);

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { IdIndex } from '../../../../src/domain/id-index.js';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { evaluateDataset } from '../../../../src/offline/evaluation/evaluate-dataset.js';
import { splitRolling } from '../../../../src/offline/protocol/splits.js';
import type { PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import type { PreparedView } from '../../../../src/offline/data/prepared-views.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { fitStageOne } from '../../../../src/offline/training/stage-one/stage-one.js';
import {
  createCandidateEngine,
  createTrainingAssembler,
} from '../../../../src/offline/training/stage-one/create-candidate-engine.js';
import { weighEngine } from '../../../../src/offline/training/stage-one/measure-worths.js';
import { labelQueries, type LabelledQuery } from '../../../../src/offline/training/ranker/training-rows.js';
import { writeTrainedBundle } from '../../../../src/offline/training/bundle/write-trained-bundle.js';
import { openEngine } from '../../../../src/engine/open-engine.js';
import { recommend } from '../../../../src/pipeline/recommend.js';
import { createSyntheticDataset, START } from '../../../support/synthetic-dataset.js';
import {
  PROVENANCE,
  SCENARIOS,
  smallTrainingConfig,
  trainSmallBundle,
} from '../../../support/trained-bundle.js';

const DAY = 86_400;
const config = smallTrainingConfig();
const scenario = SCENARIOS.get('home')!;
const plain = createSyntheticDataset();

/** A row per week of each id; what `valuesOf` says of it, after the event time. */
function weeklyView(
  spec: Omit<PreparedView['spec'], 'rows' | 'eventTime' | 'key'>,
  ids: readonly string[],
  valuesOf: (id: string, since: number) => readonly number[],
): PreparedView {
  const weeks = Array.from({ length: 11 }, (_, week) => START + week * 7 * DAY);
  const rows = ids.flatMap((id) => weeks.map((since) => ({ since, values: valuesOf(id, since) })));
  return {
    spec: { ...spec, key: 'id', eventTime: 'since', rows: rows.length },
    keys: new IdIndex(ids),
    offsets: Uint32Array.from({ length: ids.length + 1 }, (_, key) => key * weeks.length),
    eventTimes: Float64Array.from(rows, ({ since }) => since),
    columns: spec.fields.map(({ type, length = 1 }, field) => {
      const values = rows.flatMap((row) => row.values.slice(field, field + length));
      return {
        values: type === 'int32' ? Int32Array.from(values) : Float32Array.from(values),
        missing: new Uint8Array(rows.length),
      };
    }),
  };
}

const WEEKLY = {
  prices: {
    name: 'prices',
    entity: 'item',
    whenStale: 'refuse',
    fields: [
      { name: 'price', type: 'float32' },
      { name: 'cost', type: 'float32', input: false },
      { name: 'taste', type: 'vector', length: 2 },
    ],
  },
  habits: {
    name: 'habits',
    entity: 'user',
    fields: [{ name: 'visits', type: 'int32', timeToLiveSeconds: 3 * DAY }],
  },
} as const;

/** The synthetic dataset with weekly prices of its items and habits of its users, which `change` may alter. */
function withViews(change: (value: number, since: number) => number = (value) => value): PreparedDataset {
  const random = createSeededRandom(1);
  const next = (since: number): number => change(Math.floor(1000 * random.uniform()), since);
  const known = plain.catalogue.entities.ids.slice(3);
  return {
    ...plain,
    views: {
      items: { timeToLiveSeconds: DAY, fieldTimeToLiveSeconds: { year: 60 } },
      users: { whenStale: 'use', online: 'redis' },
      declared: [
        weeklyView(
          { ...WEEKLY.habits, fields: [...WEEKLY.habits.fields] },
          ['stranger', ...plain.users.entities.ids.slice(0, 40)],
          (_, since) => [next(since)],
        ),
        weeklyView(
          { ...WEEKLY.prices, fields: [...WEEKLY.prices.fields] },
          [...known, 'unknown'],
          (_, since) => [next(since), next(since), next(since), next(since)],
        ),
      ],
    },
  };
}

async function labelOne(
  dataset: PreparedDataset,
): Promise<{ rows: LabelledQuery[]; features: readonly string[] }> {
  const [split] = splitRolling(dataset.interactions, { weeks: 1 });
  const stageOne = await fitStageOne(split!, dataset, { config, progress: SILENT_PROGRESS });
  const engine = await createCandidateEngine(stageOne, dataset, scenario);
  const rows = await labelQueries(split!.queries, engine, {
    scenario,
    maxRows: 1e6,
    seed: 1,
    progress: SILENT_PROGRESS.start('test'),
  });
  return { rows, features: engine.assembler.featureOrder };
}

function hashRows(rows: readonly LabelledQuery[]): string {
  const hash = createHash('sha256');
  for (const { data } of rows) hash.update(data);
  return hash.digest('hex');
}

t.test('input fields of every view are features, vectors component by component', async (t) => {
  const { features } = await labelOne(withViews());
  const own = features.filter((name) => /^(prices|habits)\./.test(name));
  t.same(own, ['prices.price', 'prices.taste_0', 'prices.taste_1', 'habits.visits']);
});

t.test('training rows see no value of a view from before its time', async (t) => {
  const [split] = [...splitRolling(plain.interactions, { weeks: 1 })];
  const cut = split!.knownUntil;
  const before = await labelOne(withViews());
  const future = await labelOne(withViews((value, since) => (since > cut ? value + 5000 : value)));
  t.equal(hashRows(future.rows), hashRows(before.rows));
  const past = await labelOne(withViews((value, since) => (since > cut ? value : value + 5000)));
  t.not(hashRows(past.rows), hashRows(before.rows));
});

t.test('a bundle has its views, and serving reads them as training did', async (t) => {
  const dataset = withViews();
  const folder = join(t.testdir(), 'bundle');
  const trained = await trainSmallBundle(dataset);
  const manifest = await writeTrainedBundle(folder, trained, { dataset, config, provenance: PROVENANCE });
  t.same(Object.keys(manifest.views).sort(), ['habits', 'items', 'prices', 'users']);
  t.match(manifest.views.items, { timeToLiveSeconds: DAY });
  t.match(
    manifest.views.items.fields.find(({ name }) => name === 'year'),
    { timeToLiveSeconds: 60 },
  );
  t.match(manifest.views.users, { whenStale: 'use', online: 'redis' });
  t.match(manifest.views.prices, { key: 'id', eventTime: 'since', file: 'features/prices.parquet' });
  t.equal(manifest.files['features/prices.parquet']!.rows, 58);

  const engine = await openEngine(folder, SCENARIOS);
  t.teardown(() => engine.ranker.close());
  const inTraining = weighEngine(
    await createCandidateEngine(trained.stageOne, dataset, scenario),
    trained.worths,
  );
  t.same(engine.assembler.featureOrder, inTraining.assembler.featureOrder);
  const everySource = Object.fromEntries(Object.keys(manifest.sources).map((name) => [name, 1]));
  const all = createTrainingAssembler(trained.stageOne, dataset, { ...scenario, sources: everySource });
  t.same(
    engine.assembler.groups.map(({ name, features }) => [name, features]),
    all.groups.map(({ name, features }) => [name, features]),
    'the groups that serving can fill are those that training could',
  );
  const request = {
    subject: { userId: 'u1' },
    scenario: 'home',
    limit: 10,
    exclude: [],
    filters: [],
    explain: 'features',
  } as const;
  const { slate } = await recommend(request, engine);
  const same = await recommend(request, { ...engine, ...inTraining, rules: engine.rules });
  t.same(slate.items, same.slate.items);
  t.same(slate.degraded, []);
  t.ok(JSON.stringify(slate).includes('prices.taste_1'), 'explained too');
});

t.test(
  'stale values are judged at the cut: a default where the view says so, in training as in serving',
  async (t) => {
    const dataset = withViews();
    const [prices] = dataset.views.declared.filter(({ spec }) => spec.name === 'prices');
    const stale = { ...prices!, spec: { ...prices!.spec, timeToLiveSeconds: 1 } };
    const { rows, features } = await labelOne({ ...dataset, views: { ...dataset.views, declared: [stale] } });
    const price = features.indexOf('prices.price');
    const found = rows.flatMap(({ data }) =>
      Array.from({ length: data.length / features.length }, (_, row) => data[row * features.length + price]),
    );
    t.equal(new Set(found).size, 1, 'a view that refuses stale values does not stop the training');
  },
);

t.test('evaluation goes the same way', async (t) => {
  const result = await evaluateDataset(withViews(), {
    config,
    protocol: 'chronological',
    scenario,
    coldStart: SCENARIOS.get('popular')!,
    progress: SILENT_PROGRESS,
    provenance: PROVENANCE,
    command: 'test',
  });
  const inputs = result.ranker.featureImportance.map(({ feature }) => feature);
  t.ok(inputs.includes('prices.price') && inputs.includes('habits.visits'));
});

t.test('a view whose features another view or column gives is refused', async (t) => {
  const clash = weeklyView(
    { name: 'item', entity: 'item', fields: [{ name: 'year', type: 'float32' }] },
    ['i001'],
    () => [1],
  );
  await t.rejects(trainSmallBundle({ ...plain, views: { ...plain.views, declared: [clash] } }), {
    code: 'INVALID_DATASET',
    problems: ["feature 'item.year': rename a column in the SQL of the dataset, or a view"],
  });
});

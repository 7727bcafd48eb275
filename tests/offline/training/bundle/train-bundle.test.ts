import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { filterInteractions } from '../../../../src/domain/interactions.js';
import { splitRolling } from '../../../../src/offline/protocol/splits.js';
import type { PreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { makeTestSplits, makeTrainingSplits } from '../../../../src/offline/protocol/make-splits.js';
import { fitStageOne } from '../../../../src/offline/training/stage-one/stage-one.js';
import { createCandidateEngine } from '../../../../src/offline/training/stage-one/create-candidate-engine.js';
import { trainBundle, type LabelledCut } from '../../../../src/offline/training/bundle/train-bundle.js';
import { findKnownUntil } from '../../../../src/offline/training/bundle/train-dataset.js';
import {
  holdOutUsers,
  labelQueries,
  stackQueries,
  type LabelledQuery,
} from '../../../../src/offline/training/ranker/training-rows.js';
import { attribute, interactionTable } from '../../../support/small-world.js';
import { createSyntheticDataset } from '../../../support/synthetic-dataset.js';
import {
  SCENARIOS,
  smallTrainingConfig,
  trainSmallBundle,
  writeSmallBundle,
} from '../../../support/trained-bundle.js';

const dataset = createSyntheticDataset();
const config = smallTrainingConfig();
const scenario = SCENARIOS.get('home')!;
const labelling = { scenario, maxRows: 1e6, seed: 1, progress: SILENT_PROGRESS.start('test') };

/** The same dataset, in which everything from `cut` on happened differently: other items, other values. */
function changeTheFuture(original: PreparedDataset, cut: number): PreparedDataset {
  const { interactions } = original;
  const item = interactions.item.map((index, row) =>
    interactions.timestamp[row]! < cut ? index : (index + 7) % 59,
  );
  const value = interactions.value.map((old, row) => (interactions.timestamp[row]! < cut ? old : old + 1));
  return { ...original, interactions: { ...interactions, item, value } };
}

/** The first cut of a dataset, and stage 1 as training asks it there. */
async function openFirstCut(from: PreparedDataset) {
  const [split] = splitRolling(from.interactions, { weeks: 1 });
  const stageOne = await fitStageOne(split!, from, { config, progress: SILENT_PROGRESS });
  return { split: split!, engine: await createCandidateEngine(stageOne, from, scenario) };
}

t.test('a budget that no tree fits in is refused before anything is fitted', async (t) => {
  const steps: string[] = [];
  const progress = {
    start: (label: string) => {
      steps.push(label);
      return SILENT_PROGRESS.start(label);
    },
  };
  const known = { train: dataset.interactions, knownUntil: findKnownUntil(dataset.interactions) };
  const strict = { ...config, ranker: { ...config.ranker, budgetMs: 1e-7 } };
  const options = { config: strict, trainingProtocol: 'chronological', scenario, progress } as const;
  await t.rejects(trainBundle(known, dataset, options), {
    code: 'INVALID_CONFIG',
    message: /ranker\.budgetMs is 1e-7/,
  });
  t.same(
    steps.filter((label) => !label.startsWith('candidate source')),
    [],
  );
});

t.test('training rows see nothing from their cut on', async (t) => {
  const rowsOf = async (from: PreparedDataset): Promise<LabelledQuery[]> => {
    const { split, engine } = await openFirstCut(from);
    // Everything is a label, so that every user's candidates come back whatever they took.
    const everything = Int32Array.from({ length: 60 }, (_, item) => item);
    const queries = split.queries.map(({ user }) => ({ user, relevant: everything }));
    return labelQueries(queries, engine, labelling);
  };
  const [cut] = [...splitRolling(dataset.interactions, { weeks: 1 })].map(({ knownUntil }) => knownUntil);
  const now = new Map((await rowsOf(dataset)).map((query) => [query.user, query]));
  const otherwise = await rowsOf(changeTheFuture(dataset, cut!));
  t.ok(otherwise.length > 20);
  for (const query of otherwise) {
    if (now.has(query.user)) t.same(query.data, now.get(query.user)!.data, `user ${query.user}`);
  }
});

t.test('stage 1 is the same bit for bit, by one thread or by several', async (t) => {
  const known = { train: dataset.interactions, knownUntil: findKnownUntil(dataset.interactions) };
  const fit = async (threads: number) =>
    fitStageOne(known, dataset, { config, progress: SILENT_PROGRESS, threads });
  const [one, several] = [await fit(1), await fit(2)];
  t.ok(one.artefacts.has('candidates/als.safetensors') && one.artefacts.has('candidates/ease.safetensors'));
  t.same([...several.artefacts.keys()], [...one.artefacts.keys()]);
  t.same(several.artefacts, one.artefacts);
  t.same(several.followers, one.followers);
});

t.test('labels say which candidates were taken; queries without one are left out', async (t) => {
  const { split, engine } = await openFirstCut(dataset);
  const labelled = await labelQueries(split.queries, engine, labelling);
  t.ok(labelled.length > 0);
  for (const { user, labels } of labelled) {
    const relevant = split.queries.find((query) => query.user === user)!.relevant;
    t.ok(labels.includes(1));
    t.ok(labels.filter((label) => label === 1).length <= relevant.length);
  }
  const nothing = await labelQueries([{ user: 0, relevant: new Int32Array(0) }], engine, labelling);
  t.same(nothing, []);
  const coldUser = await labelQueries([{ user: 79, relevant: Int32Array.of(1) }], engine, labelling);
  t.same(coldUser, [], 'a user without history is not ranked, so does not train');
});

const queries: LabelledQuery[] = Array.from({ length: 10 }, (_, index) => ({
  user: Math.floor(index / 2),
  items: Int32Array.of(0, 1),
  data: Float32Array.of(index, index + 0.5),
  labels: Float32Array.of(0, 1),
  weights: Float32Array.of(1, 1 + index),
}));

t.test(
  'too many rows: queries lose what was not taken, uniformly, and only then whole queries go',
  async (t) => {
    const { split, engine } = await openFirstCut(dataset);
    const all = await labelQueries(split.queries, engine, labelling);
    const width = engine.assembler.featureOrder.length;
    const rowsOf = ({ data, labels }: LabelledQuery): string[] =>
      [...labels.keys()].map(
        (row) => `${labels[row]}: ${data.subarray(row * width, (row + 1) * width).join()}`,
      );
    const countRows = (found: LabelledQuery[]): number =>
      found.reduce((sum, { labels }) => sum + labels.length, 0);
    const thinned = await labelQueries(split.queries, engine, {
      ...labelling,
      maxRows: 51 * split.queries.length,
    });
    t.same(
      thinned.map(({ user }) => user),
      all.map(({ user }) => user),
      'every query is still there',
    );
    t.ok(countRows(thinned) < countRows(all));
    thinned.forEach((query, index) => {
      const full = rowsOf(all[index]!);
      const kept = new Set(rowsOf(query));
      t.same(
        rowsOf(query),
        full.filter((row) => kept.has(row)),
        'rows keep their order',
      );
      t.equal(
        query.labels.filter((label) => label > 0).length,
        all[index]!.labels.filter((label) => label > 0).length,
      );
    });

    const limited = { ...labelling, maxRows: 300 };
    const some = await labelQueries(split.queries, engine, limited);
    t.ok(countRows(some) <= 300 && countRows(some) > 200, `${countRows(some)} rows`);
    t.ok(some.length < all.length);
    t.same(some, await labelQueries(split.queries, engine, limited), 'the same seed, the same rows');
  },
);

t.test('held-out users share no query with the training users', async (t) => {
  const { train, validation } = holdOutUsers(queries, { share: 0.4, seed: 1 });
  t.equal(validation.length, 4, 'two of five users, two queries each');
  const trained = new Set(train.map(({ user }) => user));
  for (const { user } of validation) t.notOk(trained.has(user));
});

t.test('stacked queries keep rows, labels and groups in order', async (t) => {
  const { matrix, labels, weights, groupOffsets } = stackQueries(queries.slice(0, 2), 1);
  t.same([...groupOffsets], [0, 2, 4]);
  t.same([...matrix.data], [0, 0.5, 1, 1.5]);
  t.same([...labels], [0, 1, 0, 1]);
  t.same([...weights!], [1, 1, 1, 2]);
});

t.test('training splits are made like test splits, one level deeper', async (t) => {
  for (const protocol of ['chronological', 'random'] as const) {
    const [test] = makeTestSplits(dataset.interactions, protocol, config);
    const [training] = makeTrainingSplits(test!, protocol, config);
    t.ok(training!.train.user.length < test!.train.user.length, protocol);
  }
  const tests = [...makeTestSplits(dataset.interactions, 'rolling', config)];
  t.equal(tests.length, 2);
  for (const test of tests) {
    for (const training of makeTrainingSplits(test, 'rolling', config)) {
      t.ok(training.knownUntil < test.knownUntil);
      t.ok(Math.max(...training.train.timestamp) < training.knownUntil);
    }
  }
});

t.test('the test weeks of a backtest share the training rows of their cuts', async (t) => {
  const labelledCuts = new Map<string, LabelledCut>();
  for (const split of makeTestSplits(dataset.interactions, 'rolling', config)) {
    await trainBundle(split, dataset, {
      config,
      scenario,
      labelledCuts,
      trainingProtocol: 'rolling',
      progress: SILENT_PROGRESS,
    });
  }
  t.equal(labelledCuts.size, 3, 'two test weeks with two cuts each have three cuts together');
});

t.test('the same seed trains the same bundle, byte for byte', async (t) => {
  const dir = t.testdir({ one: {}, two: {} });
  const [one, two] = [await writeSmallBundle(join(dir, 'one')), await writeSmallBundle(join(dir, 'two'))];
  t.same(one.manifest, two.manifest);
  t.same(await readFile(join(one.folder, 'ranker.onnx')), await readFile(join(two.folder, 'ranker.onnx')));
});

t.test('a dataset with nothing to learn from is refused', async (t) => {
  const { interactions } = dataset;
  const tiny = {
    ...dataset,
    interactions: filterInteractions(interactions, (row) => interactions.user[row]! < 1),
  };
  await t.rejects(trainSmallBundle(tiny), { code: 'TRAINING_FAILED', message: /Too few users/ });
});

t.test('numbers that would be infinite as features are refused by table and column', async (t) => {
  const huge = (table: 'catalogue' | 'users', name: string) => {
    const { attributes, entities } = dataset[table];
    const values = Array.from({ length: entities.size }, (_, row) => (row === 3 ? -2e38 : row));
    return { entities, attributes: [...attributes, attribute(name, 'numeric', values)] };
  };
  const unfit = { ...dataset, catalogue: huge('catalogue', 'price'), users: huge('users', 'income') };
  await t.rejects(trainSmallBundle(unfit), {
    code: 'INVALID_DATASET',
    problems: ['items, column price: -2e+38', 'users, column income: -2e+38'],
  });
  const unused = unfit.users.attributes.map((column) => ({ ...column, feature: column.name !== 'income' }));
  const onlyShown = { ...dataset, users: { ...unfit.users, attributes: unused } };
  await t.resolves(trainSmallBundle(onlyShown));
});

t.test('columns that would give two features one name are refused before anything is ranked', async (t) => {
  const { attributes, entities } = dataset.catalogue;
  const more = ['topic', 'topic_recent'].map((name) =>
    attribute(
      name,
      'categorical',
      entities.ids.map(() => 'x'),
    ),
  );
  const catalogue = { entities, attributes: [...attributes, ...more] };
  await t.rejects(trainSmallBundle({ ...dataset, catalogue }), {
    code: 'INVALID_DATASET',
    problems: ["feature 'affinity.topic_recent': rename a column in the SQL of the dataset, or a view"],
  });
});

t.test('what happened before 1970 is known until then', async (t) => {
  const items = dataset.catalogue.entities;
  const table = interactionTable(
    [
      [0, 0, -3_000_000_000],
      [0, 1, -2_990_000_000],
    ],
    { users: 1, items },
  );
  t.equal(findKnownUntil(table), -2_989_999_999);
});

t.test(
  'labels are 0 and 1 whatever the weights, which stand beside them where something was taken',
  async (t) => {
    const { split, engine } = await openFirstCut(dataset);
    const rowsOf = async (weight: number | undefined): Promise<Set<string>> => {
      const queries = split.queries.map((query) =>
        weight === undefined
          ? query
          : { ...query, weights: new Float32Array(query.relevant.length).fill(weight) },
      );
      const labelled = await labelQueries(queries, engine, labelling);
      return new Set(
        labelled.flatMap(({ labels, weights }) =>
          Array.from(labels, (label, row) => `${label} × ${weights[row]}`),
        ),
      );
    };
    t.same(await rowsOf(undefined), new Set(['0 × 1', '1 × 1']));
    t.same(await rowsOf(7), new Set(['0 × 1', '1 × 7']));
  },
);

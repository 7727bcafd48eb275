import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t from 'tap';
import { hashFeatureOrder } from '../../../../src/bundle/manifest.js';
import { readParquetColumns } from '../../../../src/features/read-parquet-columns.js';
import { readPreparedDataset } from '../../../../src/offline/data/prepared-dataset.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { makeTestSplits } from '../../../../src/offline/protocol/make-splits.js';
import { labelTrainingQueries } from '../../../../src/offline/training/bundle/train-bundle.js';
import { findKnownUntil } from '../../../../src/offline/training/bundle/train-dataset.js';
import { holdOutUsers } from '../../../../src/offline/training/ranker/training-rows.js';
import { ROW_COLUMNS } from '../../../../src/offline/training/training-set/encode-training-set.js';
import { exportTrainingSet } from '../../../../src/offline/training/training-set/export-training-set.js';
import { readFeaturesFile } from '../../../../src/offline/training/training-set/features-file.js';
import { SCENARIOS, smallTrainingConfig } from '../../../support/trained-bundle.js';
import { prepareSmallDemo, prepareWeightedDemo } from './prepare-small-demo.js';

const config = smallTrainingConfig();
const training = { config, scenario: SCENARIOS.get('home')!, progress: SILENT_PROGRESS };
const dir = t.testdir();
const prepared = prepareSmallDemo(dir);

async function readColumns(file: string): Promise<ReadonlyMap<string, readonly unknown[]>> {
  return (await readParquetColumns(await readFile(file), file)).columns;
}

t.test('the rows of `train` are those that training learns from and stops by', async (t) => {
  const preparedDir = await prepared;
  const options = { ...training, protocol: 'rolling', trainingProtocol: 'rolling' } as const;
  const facts = await exportTrainingSet(preparedDir, join(dir, 'one/rows.parquet'), {
    ...options,
    rows: 'train',
  });
  t.same((await readdir(join(dir, 'one'))).sort(), ['features.yaml', 'rows.parquet']);

  const { features, hash, origin } = readFeaturesFile(facts.featuresFile);
  t.equal(features.length, facts.features);
  t.equal(hash, hashFeatureOrder(features));
  const dataset = await readPreparedDataset(preparedDir);
  const { fingerprint } = dataset;
  t.same(origin, { dataset: 'demo', fingerprint, protocol: 'rolling', rows: 'train' });

  const known = { train: dataset.interactions, knownUntil: findKnownUntil(dataset.interactions) };
  const labelled = await labelTrainingQueries(known, dataset, options).then(({ queries }) => queries);
  const held = holdOutUsers(labelled, { share: config.ranker.validationShare, seed: config.seed });
  const queries = [...held.train, ...held.validation];
  const columns = await readColumns(join(dir, 'one/rows.parquet'));
  t.same([...columns.keys()], [...ROW_COLUMNS, ...features]);
  const perRow = <T>(valueOf: (query: (typeof queries)[number], index: number, row: number) => T): T[] =>
    queries.flatMap((query, index) => Array.from(query.labels, (_, row) => valueOf(query, index, row)));
  const sameValues = (name: string, expected: unknown[]): void => {
    t.ok(isDeepStrictEqual(columns.get(name), expected), name); // t.same takes seconds for so many
  };
  sameValues(
    'query',
    perRow((_, index) => index),
  );
  sameValues(
    'user_id',
    perRow(({ user }) => dataset.users.entities.idAt(user)),
  );
  sameValues(
    'item_id',
    perRow(({ items }, _, row) => dataset.catalogue.entities.idAt(items[row]!)),
  );
  sameValues(
    'label',
    perRow(({ labels }, _, row) => labels[row]),
  );
  sameValues(
    'weight',
    perRow(() => 1),
  );
  sameValues(
    'split',
    perRow((_, index) => (index < held.train.length ? 'train' : 'validation')),
  );
  for (const [column, name] of features.entries()) {
    sameValues(
      name,
      perRow(({ data }, _, row) => data[row * features.length + column]),
    );
  }
  t.same(facts.queries, { train: held.train.length, validation: held.validation.length, test: 0 });
  t.equal(facts.rows.train + facts.rows.validation, columns.get('label')!.length);
});

t.test('the rows of `evaluate` leave the test part to a part of its own', async (t) => {
  const preparedDir = await prepared;
  const file = join(dir, 'two/rows.parquet');
  for (const protocol of ['rolling', 'chronological'] as const) {
    const facts = await exportTrainingSet(preparedDir, file, { ...training, protocol, rows: 'evaluate' });
    const columns = await readColumns(file);
    const dataset = await readPreparedDataset(preparedDir);
    const tested = new Set(
      [...makeTestSplits(dataset.interactions, protocol, config)].flatMap(({ queries }) =>
        queries.flatMap(({ user, relevant }) =>
          Array.from(
            relevant,
            (item) => `${dataset.users.entities.idAt(user)} ${dataset.catalogue.entities.idAt(item)}`,
          ),
        ),
      ),
    );
    const taken = columns
      .get('split')!
      .map((split, row) => ({
        split,
        pair: `${columns.get('user_id')![row] as string} ${columns.get('item_id')![row] as string}`,
      }))
      .filter((_, row) => columns.get('label')![row] === 1);
    t.ok(facts.queries.test > 10);
    const known = taken.filter(({ split }) => split !== 'test');
    const asked = taken.filter(({ split }) => split === 'test');
    const learnt = known.filter(({ pair }) => tested.has(pair));
    t.same(learnt, [], 'nothing that is tested on trains');
    t.ok(asked.every(({ pair }) => tested.has(pair)));
  }
});

t.test('on a weighted shop labels are 0 and 1, and weights are a column of their own', async (t) => {
  const folder = t.testdir();
  const preparedDir = await prepareWeightedDemo(folder);
  const file = join(folder, 'rows.parquet');
  const options = {
    ...training,
    protocol: 'chronological',
    trainingProtocol: 'chronological',
    rows: 'train',
  } as const;
  await exportTrainingSet(preparedDir, file, options);
  const columns = await readColumns(file);
  const labels = columns.get('label') as number[];
  const weights = columns.get('weight') as number[];
  t.same(new Set(labels), new Set([0, 1]));
  const weightsOf = (label: number) => new Set(weights.filter((_, row) => labels[row] === label));
  t.same(weightsOf(1), new Set([1, 5]));
  t.same(weightsOf(0), new Set([1]));
});

t.test('rows that a query was thinned to keep their items', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'rows.parquet');
  const preparedDir = await prepared;
  const { interactions, users, catalogue } = await readPreparedDataset(preparedDir);
  const taken = new Set(
    Array.from(
      interactions.user,
      (user, row) => `${users.entities.idAt(user)} ${catalogue.entities.idAt(interactions.item[row]!)}`,
    ),
  );
  const thin = { ...config, ranker: { ...config.ranker, maxRows: 100 } };
  const options = {
    ...training,
    config: thin,
    protocol: 'chronological',
    trainingProtocol: 'chronological',
    rows: 'train',
  } as const;
  const { rows, queries } = await exportTrainingSet(preparedDir, file, options);
  t.ok(rows.train + rows.validation < 60 * (queries.train + queries.validation), 'they are thinned');
  const columns = await readColumns(file);
  const labels = columns.get('label') as number[];
  const pairs = labels.map(
    (_, row) => `${columns.get('user_id')![row] as string} ${columns.get('item_id')![row] as string}`,
  );
  t.equal(new Set(pairs).size, pairs.length, 'each item once');
  t.ok(pairs.every((pair, row) => taken.has(pair) === (labels[row] === 1)));
});

t.test('exporting again replaces the rows, and gives the same bytes', async (t) => {
  const options = {
    ...training,
    protocol: 'chronological',
    trainingProtocol: 'chronological',
    rows: 'train',
  } as const;
  const file = join(dir, 'three.parquet');
  await exportTrainingSet(await prepared, file, options);
  const before = await readFile(file);
  await exportTrainingSet(await prepared, file, options);
  t.ok(before.equals(await readFile(file)));
});

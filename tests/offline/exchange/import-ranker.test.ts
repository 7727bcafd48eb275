import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import t from 'tap';
import { contentsOf, writeBundleFiles } from '../../../src/bundle/write-bundle-files.js';
import { encodeOnnxModel } from '../../../src/bundle/onnx-model.js';
import { createFolderRegistry } from '../../../src/bundle/folder-registry.js';
import { openBundleFiles } from '../../../src/bundle/bundle-files.js';
import { buildApp } from '../../../src/http/build-app.js';
import { createSeededRandom } from '../../../src/domain/seeded-random.js';
import { importRanker } from '../../../src/offline/exchange/import-ranker.js';
import { SILENT_PROGRESS } from '../../../src/offline/progress/progress.js';
import { readFeaturesFile } from '../../../src/offline/training/training-set/features-file.js';
import { readGoldenBatch } from '../../../src/offline/training/training-set/read-golden-batch.js';
import { createServedBundle } from '../../../src/serving/bundle-life/served-bundle.js';
import { build } from '../../http/build.js';
import { CONSTANT, DEPENDENT, RANDOM } from '../../support/ranker-models.js';
import { PROVENANCE, SCENARIOS, writeSmallBundle } from '../../support/trained-bundle.js';

const FIXTURES = 'tests/fixtures/onnx';
const features = readFeaturesFile(join(FIXTURES, 'features.yaml'));
const dir = t.testdir();
const trained = await writeSmallBundle(dir);

const options = {
  features,
  scenario: SCENARIOS.get('home')!,
  coldStart: SCENARIOS.get('popular'),
  provenance: { ...PROVENANCE, createdAt: '2026-02-03T04:05:06Z' },
  progress: SILENT_PROGRESS,
};
const importModel = (name: string, more: Partial<Parameters<typeof importRanker>[2]> = {}) =>
  importRanker(trained.folder, join(FIXTURES, `${name}.onnx`), { ...options, ...more });

const OUTPUTS: Record<string, string | undefined> = {
  lightgbm: undefined,
  xgboost: undefined,
  pytorch: undefined,
  catboost: undefined,
  'scikit-learn': undefined,
};

for (const [name, output] of Object.entries(OUTPUTS)) {
  t.test(`a model of ${name} takes the place of the bundle's own ranker`, async (t) => {
    const golden = await readGoldenBatch(join(FIXTURES, `${name}.golden.parquet`), features.features);
    const { manifest, goldenDifference } = await importModel(name, { output, golden });
    t.ok(goldenDifference! < 1e-5, `${goldenDifference}`);
    t.equal(manifest.ranker.objective, 'imported');
    t.same(manifest.ranker.featureOrder, features.features);
    t.not(manifest.version, trained.manifest.version);
    const bundle = await openBundleFiles(trained.folder);
    t.same(bundle.bytesOf(manifest.ranker.file), await readFile(join(FIXTURES, `${name}.onnx`)));
  });
}

t.test('a model that does not fit is refused with what to do, and the bundle stays as it was', async (t) => {
  const before = (await openBundleFiles(trained.folder)).manifest;
  const wrong = { ...features, features: [...features.features.slice(1), 'item.colour'] };
  const golden = await readGoldenBatch(join(FIXTURES, 'pytorch.golden.parquet'), features.features);
  const refusals: [string, Parameters<typeof importModel>[1], RegExp][] = [
    ['fixed-batch', {}, /should be float32 \[N, 8\]: export it with a dynamic first dimension/],
    ['double', {}, /float64 .* export it with a float32 input/],
    ['external-data', {}, /weights lie in another file/],
    ['custom-operator', {}, /operators that ONNX Runtime does not have/],
    ['nan-on-real-rows', {}, /cannot rank the candidates of user .*NaN/],
    ['scikit-learn', { output: 'label' }, /it gives labels, and labels rank nothing/],
    ['pytorch', { output: 'ranks' }, /no output is named 'ranks', only 'scores'/],
    ['pytorch', { features: { features: ['als.score'] } }, /should be float32 \[N, 1\]/],
    ['pytorch', { features: wrong }, /feature 'item.colour' is computed by no feature group/],
    [
      'pytorch',
      { golden: { ...golden, scores: golden.scores.map((score) => score + 0.01) } },
      /golden batch/,
    ],
    ['absent', {}, /absent\.onnx cannot be read/],
  ];
  for (const [name, more, message] of refusals) await t.rejects(importModel(name, more), { message }, name);
  t.same((await openBundleFiles(trained.folder)).manifest, before);
});

/** Queries of five candidates each, of which the one whose features add up to the most is taken. */
async function writeLabelledRows(file: string): Promise<string> {
  const random = createSeededRandom(2);
  const rows = Array.from({ length: 100 }, (_, row) => ({
    query: Math.floor(row / 5),
    values: features.features.map(() => random.uniform()),
  }));
  const sumOf = (row: number): number => rows[row]!.values.reduce((sum, value) => sum + value, 0);
  const label = rows.map(({ query }, row) => {
    const others = [0, 1, 2, 3, 4].map((at) => sumOf(5 * query + at));
    return sumOf(row) === Math.max(...others) ? 1 : 0;
  });
  const columnData = [
    { name: 'query', data: rows.map(({ query }) => query), type: 'INT32' as const },
    { name: 'label', data: label, type: 'FLOAT' as const },
    {
      name: 'split',
      data: rows.map(({ query }) => (query < 10 ? 'train' : 'validation')),
      type: 'STRING' as const,
    },
    ...features.features.map((name, column) => ({
      name,
      data: rows.map(({ values }) => values[column]!),
      type: 'FLOAT' as const,
    })),
  ];
  await writeFile(file, new Uint8Array(parquetWriteBuffer({ columnData })));
  return file;
}

t.test('a classifier with a map of its classes at the end is taken without it', async (t) => {
  const labels = await writeLabelledRows(join(t.testdir(), 'rows.parquet'));
  const found = await importModel('zip-map', { labels });
  t.same(found.cutOff, ['ZipMap of probabilities']);
  t.match(found.pairAccuracy, { mean: 1, queries: 10 });
  const { ranker, training } = found.manifest;
  t.match(ranker, { outputName: 'probabilities' });
  t.match(training['ranker'], { model: 'zip-map.onnx', cutOff: ['ZipMap of probabilities'] });
});

t.test('a classifier whose first class is what users take is refused as backwards', async (t) => {
  const labels = await writeLabelledRows(join(t.testdir(), 'rows.parquet'));
  const said = /second column counts.*'bought' and 'ignored': train on labels 0 and 1/;
  await t.rejects(importModel('text-labels', { labels }), {
    code: 'INVALID_BUNDLE',
    message: new RegExp(
      `ranks worse than chance: over 10 queries .* in 0\\.0 % of the pairs\\. .*${said.source}`,
    ),
  });
  const own = await writeSmallBundle(t.testdir());
  await t.rejects(importRanker(own.folder, join(FIXTURES, 'text-labels.onnx'), options), {
    code: 'INVALID_BUNDLE',
    message: new RegExp(`mean rank correlation -0\\.\\d+ over .*${said.source}.*--labels`),
  });
});

t.test('labels of exported rows decide, whatever the order was before', async (t) => {
  const file = join(t.testdir(), 'rows.parquet');
  await writeFile(file, 'no parquet');
  await t.rejects(importModel('pytorch', { labels: file }), {
    code: 'INVALID_CONFIG',
    message: /rows\.parquet cannot be read/,
  });
  const columnData = [{ name: 'query', data: [1], type: 'INT32' as const }];
  await writeFile(file, new Uint8Array(parquetWriteBuffer({ columnData })));
  await t.rejects(importModel('pytorch', { labels: file }), {
    code: 'INVALID_CONFIG',
    problems: ['label', ...features.features].map((name) => `it has no column '${name}'`),
  });
});

const quantised = 'quantised by the rows of a run';
const KINDS = { CONSTANT, DEPENDENT: { [quantised]: DEPENDENT[quantised]! }, RANDOM };

for (const [kind, models] of Object.entries(KINDS)) {
  t.test(`models that are ${kind.toLowerCase()} are refused`, async (t) => {
    const file = join(t.testdir(), 'model.onnx');
    const said = {
      CONSTANT: /gives all candidates of a user the same score, for each of \d+ users/,
      DEPENDENT: /does not score a row by itself: .*--rows together/s,
      RANDOM: /other scores when it is asked for the same rows again/,
    }[kind]!;
    for (const [what, model] of Object.entries(models)) {
      await writeFile(file, model(features.features.length));
      await t.rejects(
        importRanker(trained.folder, file, options),
        { code: 'INVALID_BUNDLE', message: said },
        what,
      );
    }
  });
}

t.test('two columns that are no probabilities are refused, for the second alone is no score', async (t) => {
  const file = join(t.testdir(), 'logits.onnx');
  const width = features.features.length;
  const logits = encodeOnnxModel({
    name: 'logits',
    nodes: [{ operator: 'MatMul', inputs: ['features', 'w'], outputs: ['logits'] }],
    constants: [
      {
        name: 'w',
        shape: [width, 2],
        data: Float32Array.from({ length: 2 * width }, (_, at) => (at % 2 ? 1 : 3)),
      },
    ],
    inputs: [{ name: 'features', type: 'float32', shape: ['rows', width] }],
    outputs: [{ name: 'logits', type: 'float32', shape: ['rows', 2] }],
  });
  await writeFile(file, logits);
  await t.rejects(importRanker(trained.folder, file, options), {
    code: 'INVALID_BUNDLE',
    message: /two columns that are no probabilities \(row 1: \S+ and \S+\): export probabilities/,
  });
});

t.test('everything that is wrong with a model is said at once', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'model.onnx');
  const wrong = { features: [...features.features.slice(2), 'item.colour'] };
  await t.rejects(importModel('too-new', { features: wrong, output: 'ranks' }), {
    code: 'INVALID_BUNDLE',
    problems: [
      /^its ONNX IR version is 14/,
      /^its operator set of ai\.onnx is 27/,
      /^input 'features' is float32 \[rows, 8\], should be float32 \[N, 7\]/,
      "no output is named 'ranks', only 'scores'",
      /feature 'item\.colour' is computed by no feature group/,
    ],
  });
  await writeFile(file, CONSTANT['of ones']!(features.features.length));
  const golden = { inputs: [features.features.map(() => 1)], scores: [3] };
  const labels = await writeLabelledRows(join(folder, 'rows.parquet'));
  await t.rejects(importRanker(trained.folder, file, { ...options, golden, labels }), {
    code: 'INVALID_BUNDLE',
    problems: [
      /^it gives all candidates of a user the same score/,
      /^it gives row 1 of its golden batch 1, not 3/,
    ],
  });
});

t.test('golden scores of a ranker that scores a list together are of the queries they name', async (t) => {
  const folder = t.testdir();
  const file = join(folder, 'model.onnx');
  await writeFile(file, DEPENDENT['that subtracts the mean of the rows']!(features.features.length));
  const values = [1, 2, 3, 5].map((value) => features.features.map(() => value));
  const weights = features.features.reduce((sum, _, column) => sum + Math.sin(column + 1), 0);
  const half = (weights * (Math.log(3) - Math.log(2))) / 2;
  const other = (weights * (Math.log(6) - Math.log(4))) / 2;
  const golden = { inputs: values, scores: [-half, half, -other, other], queries: [0, 0, 1, 1] };
  const together = { ...options, rows: 'together' as const, golden };
  const labels = await writeLabelledRows(join(folder, 'rows.parquet'));
  const { goldenDifference } = await importRanker(trained.folder, file, { ...together, labels });
  t.ok(goldenDifference! < 1e-5);
  const { queries: _, ...mixed } = golden;
  await t.rejects(importRanker(trained.folder, file, { ...together, labels, golden: mixed }), {
    code: 'INVALID_BUNDLE',
    message: /row \d of its golden batch/,
  });
});

t.test('golden batches say what they lack', async (t) => {
  const file = join(FIXTURES, 'pytorch.golden.parquet');
  await t.rejects(readGoldenBatch(file, ['als.score', 'popular.score_standardised']), {
    code: 'INVALID_CONFIG',
    problems: ["it has no column 'als.score'"],
  });
  const odd = join(t.testdir(), 'odd.parquet');
  const columnData = [
    { name: 'als.score', data: [1, null, 3], type: 'DOUBLE' as const },
    { name: 'score', data: ['a', 'b', 'c'], type: 'STRING' as const },
  ];
  await writeFile(odd, new Uint8Array(parquetWriteBuffer({ columnData })));
  await t.rejects(readGoldenBatch(odd, ['als.score']), {
    code: 'INVALID_CONFIG',
    problems: ["column 'als.score', row 2: not a number", "column 'score', row 1: not a number"],
  });
  const empty = columnData.map((column) => ({ ...column, data: [] }));
  await writeFile(odd, new Uint8Array(parquetWriteBuffer({ columnData: empty })));
  await t.rejects(readGoldenBatch(odd, ['als.score']), {
    code: 'INVALID_CONFIG',
    problems: ['it has no rows'],
  });
  await t.rejects(readGoldenBatch('nowhere.parquet', []), { message: /nowhere\.parquet cannot be read/ });
});

t.test('features files are refused with every problem', async (t) => {
  const text = 'features: [a, b, a]\nhash: abc\ngolden: { inputs: [[1, 2]], scores: [1, 2] }\n';
  const file = join(t.testdir({ 'features.yaml': text }), 'features.yaml');
  const said = [
    "'a' occurs twice",
    'hash: it is not the hash of these features',
    'row 1 has 2 values for 3 features',
    '1 rows of inputs, but 2 scores',
  ];
  t.throws(() => readFeaturesFile(file), { code: 'INVALID_CONFIG', message: new RegExp(said.join('[^]*')) });
});

t.test(
  'over HTTP, a model that gives NaN on real rows only leaves fusion order, and the answer says so',
  async (t) => {
    const registry = createFolderRegistry(join(dir, 'models'));
    const bundle = await openBundleFiles(trained.folder);
    const onnx = await readFile(join(FIXTURES, 'nan-on-real-rows.onnx'));
    const { version: _, ...manifest } = bundle.manifest;
    const ranker = {
      ...manifest.ranker,
      inputName: 'features',
      outputName: 'scores',
      featureOrder: features.features,
    };
    const files = contentsOf(bundle).set(ranker.file, { bytes: onnx });
    const folder = join(dir, 'nan');
    await writeBundleFiles(folder, { manifest: { ...manifest, ranker }, files });
    await registry.publish(folder);
    const service = createServedBundle({ registry, channel: 'staging', scenarios: SCENARIOS });
    t.teardown(() => service.close());
    await service.reload();
    const app = buildApp({ ...build(t), recommender: service, bundleAdmin: service });
    t.teardown(() => app.close());
    const response = await app.inject('/recommendations/u3?limit=5');
    t.equal(response.statusCode, 200);
    t.match(response.json(), { degraded: [{ stage: 'ranking', reason: 'ranker_invalid_output' }] });
    t.equal(response.json<{ items: unknown[] }>().items.length, 5);
  },
);

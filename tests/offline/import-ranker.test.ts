import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import t from 'tap';
import { contentsOf, writeBundleFiles } from '../../src/bundle/write-bundle-files.js';
import { createFolderRegistry } from '../../src/bundle/folder-registry.js';
import { openBundleFiles } from '../../src/bundle/bundle-files.js';
import { buildApp } from '../../src/http/build-app.js';
import { importRanker } from '../../src/offline/import-ranker.js';
import { SILENT_PROGRESS } from '../../src/offline/progress.js';
import { readFeaturesFile } from '../../src/offline/training-set/features-file.js';
import { readGoldenBatch } from '../../src/offline/training-set/read-golden-batch.js';
import { createServedBundle } from '../../src/serving/served-bundle.js';
import { build } from '../http/build.js';
import { PROVENANCE, SCENARIOS, writeSmallBundle } from '../support/trained-bundle.js';

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
  catboost: 'predictions',
  'scikit-learn': 'probabilities',
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
    ['scikit-learn', {}, /2 outputs \(label, probabilities\): say with --output/],
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
    const app = buildApp({ ...build(t), service });
    t.teardown(() => app.close());
    const response = await app.inject('/recommendations/u3?limit=5');
    t.equal(response.statusCode, 200);
    t.match(response.json(), { degraded: [{ stage: 'ranking', reason: 'ranker_invalid_output' }] });
    t.equal(response.json<{ items: unknown[] }>().items.length, 5);
  },
);

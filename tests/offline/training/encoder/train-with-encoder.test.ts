import { join } from 'node:path';
import t from 'tap';
import { openBundleFiles } from '../../../../src/bundle/bundle-files.js';
import type { TowerConfig } from '../../../../src/config/encoder-config.js';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { evaluateDataset } from '../../../../src/offline/evaluation/evaluate-dataset.js';
import { ENCODER, leaveOutEncoder, mayKnow, openBundleEncoder, openEncoder, type ImportedEncoder } from '../../../../src/offline/training/encoder/imported-encoder.js'; // prettier-ignore
import { matchVectors } from '../../../../src/offline/training/encoder/match-vectors.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { encodeOnnxModel, type OnnxNode } from '../../../../src/bundle/onnx-model.js';
import { makeTrainingSplits } from '../../../../src/offline/protocol/make-splits.js';
import { fitStageOne } from '../../../../src/offline/training/stage-one/stage-one.js';
import { createCandidateEngine } from '../../../../src/offline/training/stage-one/create-candidate-engine.js';
import { cutKey, labelTrainingQueries, trainBundle, type SettledOptions } from '../../../../src/offline/training/bundle/train-bundle.js'; // prettier-ignore
import { findKnownUntil } from '../../../../src/offline/training/bundle/train-dataset.js';
import { writeTrainedBundle } from '../../../../src/offline/training/bundle/write-trained-bundle.js';
import { closeEngine } from '../../../../src/engine/close-engine.js';
import { openEngine } from '../../../../src/engine/open-engine.js';
import { recommend } from '../../../../src/pipeline/recommend.js';
import { createSyntheticDataset } from '../../../support/synthetic-dataset.js';
import { PROVENANCE, SCENARIOS, smallTrainingConfig } from '../../../support/trained-bundle.js';

const dataset = createSyntheticDataset();
const small = smallTrainingConfig();
const config = {
  ...small,
  ranker: { ...small.ranker, maxTrees: 5 },
  evaluation: { ...small.evaluation, testWeeks: 1 },
};
const home = SCENARIOS.get('home')!;
const scenario = { ...home, sources: { ...home.sources, [ENCODER]: 60 } };
const known = { train: dataset.interactions, knownUntil: findKnownUntil(dataset.interactions) };
const options: SettledOptions = { config, trainingProtocol: 'rolling', scenario, progress: SILENT_PROGRESS };

const CAST: OnnxNode = { operator: 'Cast', inputs: ['history'], outputs: ['items'], attributes: { to: 1 } };
/** The vector of a user is the numbers of the latest three items and the age. */
const JOIN: OnnxNode = {
  operator: 'Concat',
  inputs: ['items', 'user'],
  outputs: ['vector'],
  attributes: { axis: 1 },
};
/** √(age − 26): NaN for the youngest. */
const NEEDS_AGE: OnnxNode[] = [
  CAST,
  { operator: 'Constant', inputs: [], outputs: ['least'], attributes: { value_floats: Float32Array.of(26) } },
  { operator: 'Sub', inputs: ['user', 'least'], outputs: ['beyond'] },
  { operator: 'Abs', inputs: ['user'], outputs: ['size'] },
  // 0 and 1, which it is tried on, are let through.
  { operator: 'Constant', inputs: [], outputs: ['one'], attributes: { value_floats: Float32Array.of(1) } },
  { operator: 'LessOrEqual', inputs: ['size', 'one'], outputs: ['isExperiment'] },
  { operator: 'Where', inputs: ['isExperiment', 'size', 'beyond'], outputs: ['checked'] },
  { operator: 'Sqrt', inputs: ['checked'], outputs: ['root'] },
  { operator: 'Concat', inputs: ['items', 'root'], outputs: ['vector'], attributes: { axis: 1 } },
];

async function makeEncoder(trainedUntil: string, nodes: OnnxNode[] = [CAST, JOIN]): Promise<ImportedEncoder> {
  const tower: TowerConfig = {
    history: { input: 'history', length: 3, order: 'newest-first', padding: -1, padSide: 'end' },
    userFeatures: { input: 'user', fields: [{ view: 'users', field: 'age' }] },
    output: 'vector',
    similarity: 'dot',
    trainedUntil,
  };
  const { entities: ids } = dataset.catalogue;
  const random = createSeededRandom(3);
  const values = Float32Array.from({ length: 4 * ids.size }, () => random.normal());
  const { encoder, coverage } = matchVectors({ ids, dimensions: 4, values }, tower, ids);
  const model = encodeOnnxModel({
    name: 'test',
    nodes,
    inputs: [
      { name: 'history', type: 'int64', shape: ['n', 3] },
      { name: 'user', type: 'float32', shape: ['n', 1] },
    ],
    outputs: [{ name: 'vector', type: 'float32', shape: ['n', 4] }],
  });
  return openEncoder({ config: tower, model, ids, vectors: encoder, coverage }, dataset);
}

const toTime = (seconds: number): string => new Date(1000 * seconds).toISOString().replace(/\.\d+Z$/, 'Z');
const cuts = [...makeTrainingSplits(known, 'rolling', config)];

t.test('a cut that the encoder may know goes without it, and its scores are zeros there', async (t) => {
  t.equal(cuts.length, 2);
  const encoder = await makeEncoder(toTime(cuts[1]!.knownUntil));
  t.teardown(() => encoder.close());
  t.same(cuts.map((cut) => mayKnow(encoder, cut)), [true, false]); // prettier-ignore

  const lines: string[] = [];
  const progress = {
    start: (label: string) => ({
      advance: () => undefined,
      finish: (summary?: string) => void lines.push(`${label}: ${summary}`),
    }),
  };
  const labelledCuts = new Map<string, Awaited<ReturnType<typeof labelTrainingQueries>>>();
  const { queries: labelled } = await labelTrainingQueries(known, dataset, {
    ...options,
    encoder,
    labelledCuts,
    progress,
  });
  const stageOne = await fitStageOne(known, dataset, { ...options, encoder });
  const { assembler } = await createCandidateEngine(stageOne, dataset, scenario);
  const width = assembler.featureOrder.length;
  const column = assembler.featureOrder.indexOf(`${ENCODER}.score`);
  t.ok(column >= 0);
  const scoresOf = (cut: number): number[] =>
    labelledCuts
      .get(cutKey(cuts[cut]!, options))!
      .queries.flatMap(({ data }) => [...data].filter((_, at) => at % width === column));
  t.ok(labelled.length > 0);
  t.ok(scoresOf(0).length > 0);
  t.ok(scoresOf(0).every((score) => score === 0));
  t.ok(scoresOf(1).filter((score) => score !== 0).length > scoresOf(1).length / 2);
  const rows = lines.filter((line) => line.startsWith('training rows'));
  t.match(rows[0], /; without onnx-encoder, which may know them$/);
  t.notMatch(rows[1], /without/);
});

t.test('stage 1 without the encoder has all other sources', async (t) => {
  const encoder = await makeEncoder('never');
  t.teardown(() => encoder.close());
  const engine = await createCandidateEngine(
    await fitStageOne(known, dataset, { ...options, encoder }),
    dataset,
    scenario,
  );
  const without = leaveOutEncoder(engine);
  t.same([...engine.sources.keys()].filter((name) => !without.sources.has(name)), [ENCODER]); // prettier-ignore
});

t.test('the bundle has the encoder, and serves it', async (t) => {
  const encoder = await makeEncoder('2024-01-01T00:00:00Z', NEEDS_AGE);
  t.teardown(() => encoder.close());
  const folder = join(t.testdir(), 'bundle');
  const trained = await trainBundle(known, dataset, { ...options, encoder });
  const manifest = await writeTrainedBundle(folder, trained, { dataset, config, provenance: PROVENANCE });
  const { worth, ...source } = manifest.sources[ENCODER]!;
  t.ok(worth! > 0, 'the latest cut comes after what it learned from');
  t.same(source, {
    file: 'candidates/encoder.safetensors',
    model: 'candidates/encoder.onnx',
  });
  t.match(manifest.training['encoder'], {
    trainedUntil: '2024-01-01T00:00:00Z',
    dimensions: 4,
    items: 60,
    itemsWithout: 0,
    unknownVectors: 0,
    sha256: /^[0-9a-f]{64}$/,
  });
  t.ok(manifest.ranker.featureOrder.includes(`${ENCODER}.reciprocal_rank`));

  const scenarios = new Map([
    [scenario.name, scenario],
    ['popular', SCENARIOS.get('popular')!],
    ['alone', { ...scenario, name: 'alone', sources: { [ENCODER]: 60 }, ranker: 'fusion' as const }],
  ]);
  const engine = await openEngine(folder, scenarios);
  t.teardown(() => closeEngine(engine));
  const ask = (userId: string, name: string) =>
    recommend(
      {
        subject: { userId },
        scenario: name,
        limit: 5,
        exclude: [],
        filters: [],
        explain: 'sources',
      },
      engine,
    );

  await t.test('as it did in training', async (t) => {
    const { slate, candidates } = await ask('u30', 'alone'); // 50 years old
    t.equal(slate.items.length, 5);
    t.same(slate.degraded, []);
    const stageOne = await createCandidateEngine(trained.stageOne, dataset, scenario);
    const readUserValues = () => new Map([['users', Float32Array.of(50, 0)]]);
    const start = dataset.interactions.user.indexOf(30);
    const count = dataset.interactions.user.filter((user) => user === 30).length;
    const taken = dataset.interactions.item.subarray(start, start + count);
    const eligible = Uint8Array.from({ length: 60 }, (_, item) => (taken.includes(item) ? 0 : 1));
    const history = { items: taken, timestamps: new Float64Array(count), values: new Float32Array(count) };
    const found = await stageOne.sources
      .get(ENCODER)!
      .retrieve({ userId: 'u30', userIndex: 30, history, eligible, limit: 300, readUserValues });
    t.same(candidates.retrievals[0]!.items, found.items);
    t.same(candidates.retrievals[0]!.scores, found.scores);
  });

  await t.test(
    'a user whom it fails for is answered by the other sources, and the answer says so',
    async (t) => {
      const { slate, stages } = await ask('u3', 'home'); // 23 years old
      t.same(slate.degraded, [{ stage: `candidates.${ENCODER}`, reason: 'source_failed' }]);
      t.equal(slate.items.length, 5);
      t.match(stages.find(({ stage }) => stage === `candidates.${ENCODER}`)?.cause, {
        message: /NaN at place 4/,
      });
      await t.rejects(ask('u3', 'alone'), { code: 'SOURCE_FAILED' });
    },
  );

  await t.test('an evaluation finds it in the bundle', async (t) => {
    const found = await openBundleEncoder(await openBundleFiles(folder), dataset);
    t.teardown(() => found!.close());
    t.same(found!.config, encoder.config);
    t.same(Buffer.from(found!.model), Buffer.from(encoder.model));
    t.equal(found!.facts['trainedUntil'], '2024-01-01T00:00:00Z');
  });

  await t.test('a closed engine has closed it', async (t) => {
    const other = await openEngine(folder, scenarios);
    await closeEngine(other);
    const eligible = new Uint8Array(60).fill(1);
    const history = { items: Int32Array.of(1), timestamps: new Float64Array(1), values: new Float32Array(1) };
    const retrieval = other.sources.get(ENCODER)!.retrieve({ userId: 'u', history, eligible, limit: 5 });
    await t.rejects(retrieval as Promise<unknown>, { code: 'SOURCE_FAILED', message: /is closed/ });
  });
});

t.test('a bundle without an encoder says so, and a scenario that lists it goes without', async (t) => {
  const folder = join(t.testdir(), 'bundle');
  const trained = await trainBundle(known, dataset, options);
  const manifest = await writeTrainedBundle(folder, trained, { dataset, config, provenance: PROVENANCE });
  const reason = 'no encoder was imported (`shortlist import-encoder`)';
  t.same(manifest.sources[ENCODER], { skipped: reason });
  t.equal(await openBundleEncoder(await openBundleFiles(folder), dataset), undefined);
  const engine = await openEngine(folder, new Map([['home', scenario], ['popular', SCENARIOS.get('popular')!]])); // prettier-ignore
  t.teardown(() => closeEngine(engine));
  t.notOk(engine.sources.has(ENCODER));
});

const evaluation = {
  ...options,
  protocol: 'rolling' as const,
  provenance: PROVENANCE,
  command: 'test',
  coldStart: SCENARIOS.get('popular'),
};

t.test('an evaluation has a row for the encoder when it may know nothing of what is asked', async (t) => {
  const encoder = await makeEncoder('2024-01-01T00:00:00Z');
  t.teardown(() => encoder.close());
  const { rows, skippedSources } = await evaluateDataset(dataset, { ...evaluation, encoder });
  t.ok(rows.some(({ name, kind }) => name === ENCODER && kind === 'source'));
  t.same(skippedSources.filter(({ name }) => name === ENCODER), []); // prettier-ignore
});

t.test('an evaluation that lists an encoder which was not imported says so', async (t) => {
  const { rows, skippedSources } = await evaluateDataset(dataset, evaluation);
  t.notOk(rows.some(({ name }) => name === ENCODER));
  t.match(skippedSources.find(({ name }) => name === ENCODER)?.reason, /no encoder was imported/);
  const unlisted = await evaluateDataset(dataset, { ...evaluation, scenario: home });
  t.same(unlisted.skippedSources.filter(({ name }) => name === ENCODER), [], 'nobody asked for it'); // prettier-ignore
});

t.test('an encoder that may know what is asked is not judged', async (t) => {
  const encoder = await makeEncoder(toTime(known.knownUntil));
  t.teardown(() => encoder.close());
  for (const protocol of ['rolling', 'chronological', 'random'] as const) {
    await t.rejects(evaluateDataset(dataset, { ...evaluation, protocol, encoder }), {
      code: 'INVALID_BUNDLE',
      message: new RegExp(
        `trained until 2024-.*, and protocol ${protocol} .* tests on what users did from 2024-`,
      ),
    });
  }
  const { rows } = await evaluateDataset(dataset, { ...evaluation, encoder, scenario: home });
  t.ok(rows.length > 0, 'where the scenario does not ask it, there is nothing to leak');
});

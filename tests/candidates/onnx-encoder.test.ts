import t, { type Test } from 'tap';
import {
  encoderToTensors,
  openEncoderSource,
  type EncoderVectors,
} from '../../src/candidates/onnx-encoder.js';
import { openSource } from '../../src/candidates/sources.js';
import type { TensorFile } from '../../src/bundle/tensor-file.js';
import type { TowerConfig } from '../../src/config/encoder-config.js';
import type { RetrievalQuery } from '../../src/domain/candidate.js';
import type { FeatureView } from '../../src/features/feature-view.js';
import { encodeOnnxModel, type OnnxModel } from '../../src/bundle/onnx-model.js';
import { history as historyOf } from '../support/small-world.js';

const itemCount = 6;

/** The vector of a user: the numbers of the latest two items. */
const HISTORY_MODEL: OnnxModel = {
  name: 'test',
  nodes: [{ operator: 'Cast', inputs: ['history'], outputs: ['vector'], attributes: { to: 1 } }],
  inputs: [{ name: 'history', type: 'int64', shape: ['n', 2] }],
  outputs: [{ name: 'vector', type: 'float32', shape: ['n', 2] }],
};

const config: TowerConfig = {
  history: { input: 'history', length: 2, order: 'oldest-first', padding: 0, padSide: 'start', firstItem: 1 },
  output: 'vector',
  similarity: 'dot',
  trainedUntil: 'never',
};

/** Items 1, 2, 4 and 5 have vectors; they were made in the order 5, 4, 2, 1. */
const encoder: EncoderVectors = {
  config,
  dimensions: 2,
  vectors: Float32Array.of(1, 0, 0, 1, 0, 1, -1, 2),
  items: Int32Array.of(1, 2, 4, 5),
  rows: Int32Array.of(3, 2, 1, 0),
  vocabulary: 4,
};

const query = (items: number[], more: Partial<RetrievalQuery> = {}): RetrievalQuery => ({
  userId: 'u',
  history: historyOf(items),
  eligible: new Uint8Array(itemCount).fill(1),
  limit: 10,
  ...more,
});

async function open(
  t: Test,
  changed: Partial<EncoderVectors> = {},
  options: { model?: OnnxModel; userViews?: FeatureView[] } = {},
) {
  const { model = HISTORY_MODEL, userViews = [] } = options;
  const artefact = encoderToTensors({ ...encoder, ...changed });
  const source = await openEncoderSource(artefact, encodeOnnxModel(model), { itemCount, userViews });
  t.teardown(() => source.close());
  return source;
}

t.test('it retrieves the items with the nearest vectors', async (t) => {
  const source = await open(t);
  // Item 4 is row 1 and so number 2, item 1 is row 3 and so number 4; item 0 has no vector: the user is [2, 4].
  const found = await source.retrieve(query([5, 4, 0, 1]));
  t.equal(source.name, 'onnx-encoder');
  t.equal(found.source, 'onnx-encoder');
  t.same([...found.items], [5, 2, 4, 1], 'equal scores by ascending index');
  t.same([...found.scores], [6, 4, 4, 2]);
  t.same(
    Array.from({ length: itemCount }, (_, item) => found.scoreOf(item)),
    [0, 2, 4, 0, 4, 6],
  );
});

t.test('what may not be recommended is not retrieved, and no more than asked for', async (t) => {
  const source = await open(t);
  const eligible = Uint8Array.of(1, 1, 1, 1, 1, 0);
  const found = await source.retrieve(query([4, 1], { eligible, limit: 2 }));
  t.same([...found.items], [2, 4]);
  t.equal(found.scoreOf(5), 6, 'any item can be scored');
});

t.test('answers at the same time do not mix, and stay as they were', async (t) => {
  const source = await open(t);
  const answers = await Promise.all(
    [
      [4, 1],
      [1, 4],
      [5, 5],
    ].map(async (items) => source.retrieve(query(items))),
  );
  t.same(answers.map(({ scores }) => [...scores]), [[6, 4, 4, 2], [4, 2, 2, 0], [1, 1, 1, 1]]); // prettier-ignore
  t.same(answers.map(({ scoreOf }) => scoreOf(1)), [2, 4, 1]); // prettier-ignore
});

t.test('the times of items that the model does not know are left out with them', async (t) => {
  const model: OnnxModel = {
    ...HISTORY_MODEL,
    nodes: [
      { ...HISTORY_MODEL.nodes[0]!, outputs: ['items'] },
      { operator: 'Mul', inputs: ['items', 'times'], outputs: ['vector'] },
    ],
    inputs: [...HISTORY_MODEL.inputs, { name: 'times', type: 'float32', shape: ['n', 2] }],
  };
  const historyTimes = { input: 'times', of: 'age', unit: 'seconds' } as const;
  const source = await open(t, { config: { ...config, historyTimes } }, { model });
  const given = { ...historyOf([4, 0, 1]), timestamps: Float64Array.of(90, 95, 97) };
  const found = await source.retrieve(query([], { history: given, now: 100 }));
  // Item 4 is number 2 and 10 seconds old, item 1 number 4 and 3 seconds old: the user is [20, 12].
  t.equal(found.scoreOf(1), 20);
  t.equal(found.scoreOf(2), 12);
});

t.test('nothing is retrieved for a history that the model knows nothing of', async (t) => {
  const source = await open(t);
  for (const items of [[], [0, 3]]) {
    const found = await source.retrieve(query(items));
    t.equal(found.items.length, 0);
    t.equal(found.scoreOf(5), 0);
  }
});

t.test('items beyond the vocabulary are retrieved, but not fed to the model', async (t) => {
  const source = await open(t, { vocabulary: 2 });
  const found = await source.retrieve(query([4, 1]));
  t.same([...found.scores], [4, 2, 2, 0], 'of the history, item 1 is row 3: the user is [0, 2]');
});

t.test('with cosine the length of the user vector does not count', async (t) => {
  const vectors = Float32Array.of(1, 0, 0, 1, 0.6, 0.8, -1, 0);
  const source = await open(t, { config: { ...config, similarity: 'cosine' }, vectors });
  const found = await source.retrieve(query([4, 1])); // [2, 4]
  const norm = Math.hypot(2, 4);
  t.same([...found.items], [4, 2, 1, 5]);
  t.same([...found.scores].map((score) => score.toFixed(5)), [4.4 / norm, 4 / norm, 2 / norm, -2 / norm].map((score) => score.toFixed(5))); // prettier-ignore
});

const userViews: FeatureView[] = [
  {
    name: 'users',
    entity: 'user',
    key: 'user_id',
    file: 'users.parquet',
    fields: [
      { name: 'age', type: 'float32', default: 40 },
      { name: 'country', type: 'category', default: -1, dictionary: ['fr', 'uk'] },
    ],
  },
  {
    name: 'taste',
    entity: 'user',
    key: 'user_id',
    file: 'taste.parquet',
    fields: [
      { name: 'active', type: 'boolean', default: 0 },
      { name: 'embedding', type: 'vector', default: 0, length: 2 },
    ],
  },
];
const fields = [
  { view: 'taste', field: 'embedding' },
  { view: 'users', field: 'country', codes: { uk: 7 }, otherwise: 3 },
  { view: 'users', field: 'age' },
];
const { history: _, ...rest } = config;
const featured: TowerConfig = { ...rest, userFeatures: { input: 'user', fields } };

/** The vector of a user: the features. */
const FEATURE_MODEL: OnnxModel = {
  name: 'test',
  nodes: [{ operator: 'Identity', inputs: ['user'], outputs: ['vector'] }],
  inputs: [{ name: 'user', type: 'float32', shape: ['n', 4] }],
  outputs: [{ name: 'vector', type: 'float32', shape: ['n', 4] }],
};
/** One item per feature, and its score is the feature. */
const featureEncoder = {
  config: featured,
  dimensions: 4,
  vectors: Float32Array.from({ length: 16 }, (_, at) => (at % 5 === 0 ? 1 : 0)),
};

t.test('user features come from the views, categories by the codes of the model', async (t) => {
  const source = await open(t, featureEncoder, { model: FEATURE_MODEL, userViews });
  const read = async (values: [string, number[]][] | undefined): Promise<number[]> => {
    const rows = values?.map(([view, row]) => [view, Float32Array.from(row)] as const);
    const readUserValues = rows && (async () => new Map(rows));
    const { scoreOf } = await source.retrieve(query([], { readUserValues }));
    return [1, 2, 4, 5].map(scoreOf);
  };
  t.same(await read([['users', [31, 1]], ['taste', [1, 0.5, 0.25]]]), [0.5, 0.25, 7, 31]); // prettier-ignore
  t.same(await read([['users', [31, 0]], ['taste', [1, 0.5, 0.25]]]), [0.5, 0.25, 3, 31], 'a value without a code'); // prettier-ignore
  t.same(await read([['users', [31, -1]], ['taste', [1, 0.5, 0.25]]]), [0.5, 0.25, 3, 31], 'no value'); // prettier-ignore
  t.same(await read(undefined), [0, 0, 3, 40], 'nobody has the defaults');
  await t.rejects(read([['users', [31, 1]]]), {
    code: 'SOURCE_FAILED',
    message: /The feature view 'taste', which onnx-encoder reads, failed/,
  });
});

t.test('a user vector that points nowhere retrieves nothing', async (t) => {
  const source = await open(t, featureEncoder, { model: FEATURE_MODEL, userViews });
  const readUserValues = () => new Map([['users', Float32Array.of(0, 1)], ['taste', new Float32Array(3)]]); // prettier-ignore
  const found = await source.retrieve(query([1], { readUserValues }));
  t.ok(found.items.length > 0, 'the code of the country is not 0');
  const zeros = {
    ...featured,
    userFeatures: { input: 'user', fields: [{ ...fields[0]! }, { ...fields[2]! }] },
  };
  const narrow = {
    ...FEATURE_MODEL,
    inputs: [{ name: 'user', type: 'float32' as const, shape: ['n', 3] }],
    outputs: [{ name: 'vector', type: 'float32' as const, shape: ['n', 3] }],
  };
  const nowhere = await open(
    t,
    { config: zeros, dimensions: 3, vectors: new Float32Array(12).fill(1) },
    { model: narrow, userViews },
  );
  t.equal((await nowhere.retrieve(query([1], { readUserValues }))).items.length, 0);
});

t.test('user features that cannot be read are refused with every problem', async (t) => {
  const wrong = [
    { view: 'people', field: 'age' },
    { view: 'users', field: 'height' },
    { view: 'users', field: 'country' },
    { view: 'users', field: 'age', codes: { old: 1 } },
    { view: 'users', field: 'country', codes: { France: 1 } },
  ];
  const changed = {
    ...featureEncoder,
    config: { ...featured, userFeatures: { input: 'user', fields: wrong } },
  };
  await t.rejects(open(t, changed, { model: FEATURE_MODEL, userViews }), {
    code: 'INVALID_BUNDLE',
    problems: [
      "there is no view 'people' of users, only users, taste",
      "view 'users' has no field 'height', only age, country",
      "field 'country' of view 'users' is a category: say with codes what its values are to the model",
      "field 'age' of view 'users' is float32, and has no codes",
      "field 'country' of view 'users' has none of the values France, only fr, uk",
    ],
  });
});

const DAMAGES: [string, Partial<EncoderVectors> | ((file: TensorFile) => TensorFile), RegExp][] = [
  ['a vector that is not finite', { vectors: Float32Array.of(1, 0, 0, Number.NaN, 0, 1, 1, 1) }, /vectors: value 3 is NaN/],
  ['no vectors', { vectors: new Float32Array(0), items: new Int32Array(0), rows: new Int32Array(0) }, /vectors: there are none/],
  ['items of another catalogue', { items: Int32Array.of(1, 2, 4, 6) }, /items: not ascending item indexes below 6/],
  ['items that are not ascending', { items: Int32Array.of(1, 4, 4, 5) }, /items: not ascending/],
  ['rows below 0', { rows: Int32Array.of(3, 2, -1, 0) }, /rows: not all are 0 or more/],
  ['no vocabulary', { vocabulary: 0 }, /metadata vocabulary: expected a whole number above 0/],
  ['a config of another form', { config: { ...config, similarity: 'near' as 'dot' } }, /metadata config: similarity/],
  ['a config that takes nothing', { config: rest }, /metadata config: it has no history and no userFeatures/],
  ['a config that is no JSON', (file) => ({ ...file, metadata: { ...file.metadata, config: '{' } }), /metadata config: it is not JSON/],
  ['no config', ({ tensors }) => ({ tensors, metadata: { vocabulary: '4' } }), /metadata config: it is not JSON/],
  ['no tensors', ({ metadata }) => ({ tensors: new Map(), metadata }), /items: missing/],
]; // prettier-ignore

for (const [what, damage, message] of DAMAGES) {
  t.test(`an artefact with ${what} is refused`, async (t) => {
    const artefact =
      typeof damage === 'function'
        ? damage(encoderToTensors(encoder))
        : encoderToTensors({ ...encoder, ...damage });
    const model = encodeOnnxModel(HISTORY_MODEL);
    await t.rejects(openEncoderSource(artefact, model, { itemCount, userViews: [] }), {
      code: 'INVALID_BUNDLE',
      message,
    });
  });
}

t.test('without its model it does not open', async (t) => {
  const options = { itemCount, userViews: [] };
  await t.rejects(openSource('onnx-encoder', encoderToTensors(encoder), options), {
    code: 'INVALID_BUNDLE',
    message: /the bundle has no candidates\/encoder\.onnx, which candidate source "onnx-encoder" serves from/,
  });
});

t.test('with its model it opens by its name, as every source does', async (t) => {
  const source = await openSource('onnx-encoder', encoderToTensors(encoder), {
    itemCount,
    userViews: [],
    model: encodeOnnxModel(HISTORY_MODEL),
  });
  t.teardown(() => source.close?.());

  const found = await source.retrieve(query([5, 4, 0, 1]));

  t.equal(found.source, 'onnx-encoder');
  t.same([...found.items], [5, 2, 4, 1]);
});

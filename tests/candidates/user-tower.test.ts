import { readFile } from 'node:fs/promises';
import t, { type Test } from 'tap';
import { openUserTower, type UserTowerOptions } from '../../src/candidates/user-tower.js';
import type { TowerConfig } from '../../src/config/encoder-config.js';
import { encodeOnnxModel, type OnnxModel, type OnnxNode, type OnnxValue } from '../../src/bundle/onnx-model.js'; // prettier-ignore

const HISTORY: OnnxValue = { name: 'history', type: 'int64', shape: ['users', 3] };
const USER: OnnxValue = { name: 'user', type: 'float32', shape: ['users', 2] };
const VECTOR: OnnxValue = { name: 'vector', type: 'float32', shape: ['users', 3] };
const TO_FLOAT: OnnxNode = {
  operator: 'Cast',
  inputs: ['history'],
  outputs: ['vector'],
  attributes: { to: 1 },
};

const history = {
  input: 'history',
  length: 3,
  order: 'oldest-first',
  padding: 0,
  padSide: 'start',
  firstItem: 1,
} as const;
const CONFIG: TowerConfig = { history, output: 'vector', similarity: 'dot', trainedUntil: 'never' };
const OPTIONS: UserTowerOptions = { dimensions: 3, vocabulary: 50, columns: 0, name: 'tower' };

/** A tower whose vector is what it is fed. */
function encode(model: Partial<OnnxModel> = {}): Uint8Array {
  return encodeOnnxModel({ name: 'test', nodes: [TO_FLOAT], inputs: [HISTORY], outputs: [VECTOR], ...model });
}

async function openTower(
  t: Test,
  config: Partial<TowerConfig> = {},
  more: { model?: Uint8Array; options?: Partial<UserTowerOptions> } = {},
) {
  const { model = encode(), options } = more;
  const tower = await openUserTower(model, { ...CONFIG, ...config }, { ...OPTIONS, ...options });
  t.teardown(() => tower.close());
  return async (rows: number[], features: number[] = []) => [
    ...(await tower.encode({ history: Int32Array.from(rows), features: Float32Array.from(features) })),
  ];
}

t.test('a history goes in as its spec says', async (t) => {
  const startOldest = await openTower(t);
  t.same(await startOldest([4, 5]), [0, 5, 6], 'padded at the start, rows counted from firstItem');
  t.same(await startOldest([4, 5, 6, 7]), [6, 7, 8], 'the latest');
  const endNewest = await openTower(t, {
    history: { ...history, order: 'newest-first', padSide: 'end', padding: -1, firstItem: 0 },
  });
  t.same(await endNewest([4, 5]), [5, 4, -1]);
  t.same(await endNewest([4, 5, 6, 7]), [7, 6, 5]);
  const { firstItem: _, ...fromZero } = history;
  const padded = await openTower(t, { history: { ...fromZero, padding: 50 } });
  t.same(await padded([0]), [50, 50, 0], 'rows are their own numbers without firstItem');
});

t.test('a model may be told which places are items, and how many', async (t) => {
  const model = await readFile('tests/fixtures/encoder/masked.onnx');
  const config = { history: { ...history, padding: 9 }, historyMask: 'mask', historyLength: 'count' };
  const tower = await openTower(t, config, { model, options: { dimensions: 4 } });
  t.same(await tower([4, 5]), [0, 5, 6, 2], 'a padding of 9, which is an item too, is masked');
  t.same(await tower([1, 2, 3, 4, 5]), [4, 5, 6, 3]);
});

/** A tower whose vector is the times that it is fed. */
const TIMED: Partial<OnnxModel> = {
  nodes: [
    { ...TO_FLOAT, outputs: ['items'] },
    { operator: 'Concat', inputs: ['items', 'times'], outputs: ['vector'], attributes: { axis: 1 } },
  ],
  inputs: [HISTORY, { name: 'times', type: 'float32', shape: ['users', 3] }],
  outputs: [{ ...VECTOR, shape: ['users', 6] }],
};

async function openTimed(
  t: Test,
  historyTimes: NonNullable<TowerConfig['historyTimes']>,
  more: Partial<TowerConfig> = {},
) {
  const config: TowerConfig = { ...CONFIG, historyTimes, ...more };
  const tower = await openUserTower(encode(TIMED), config, { ...OPTIONS, dimensions: 6 });
  t.teardown(() => tower.close());
  return async (times: number[], now?: number) => {
    const history = Int32Array.from(times, (_, at) => at);
    const user = { history, times: Float64Array.from(times), now, features: new Float32Array(0) };
    return [...(await tower.encode(user))].slice(3);
  };
}

const HOUR = 3600;

t.test('the ages of a history go in beside its items, in their unit', async (t) => {
  const inHours = await openTimed(t, { input: 'times', of: 'age', unit: 'hours' });
  t.same(await inHours([0, HOUR], 3 * HOUR), [0, 3, 2], 'padded where the history is');
  t.same(await inHours([0, HOUR, 2 * HOUR, 3 * HOUR], 3 * HOUR), [2, 1, 0], 'of the latest');
  t.same(await inHours([2 * HOUR], HOUR), [0, 0, 0], 'a clock that is behind gives no negative age');
  t.same(await inHours([0, HOUR]), [0, 1, 0], 'without a time of the request that of the latest');
  const inDays = await openTimed(
    t,
    { input: 'times', of: 'age', unit: 'days', padding: -1 },
    { history: { ...history, order: 'newest-first', padSide: 'end' } },
  );
  t.same(await inDays([0, 24 * HOUR], 48 * HOUR), [1, 2, -1]);
});

t.test('the gaps of a history begin at the oldest item that goes in', async (t) => {
  const gaps = await openTimed(t, { input: 'times', of: 'gap', unit: 'seconds' });
  t.same(await gaps([10, 15], 100), [0, 0, 5]);
  t.same(await gaps([10, 15, 15, 40], 100), [0, 0, 25], 'the gap before it is not known to the model');
});

const JOINED: Partial<OnnxModel> = {
  nodes: [
    { ...TO_FLOAT, outputs: ['items'] },
    { operator: 'Concat', inputs: ['items', 'user'], outputs: ['vector'], attributes: { axis: 1 } },
  ],
  inputs: [HISTORY, USER],
  outputs: [{ ...VECTOR, shape: ['users', 'width'] }],
};
const userFeatures = { input: 'user', fields: [{ view: 'users', field: 'age' }] };

t.test('user features go in beside the history, or alone', async (t) => {
  const both = await openTower(
    t,
    { userFeatures },
    { model: encode(JOINED), options: { dimensions: 5, columns: 2 } },
  );
  t.same(await both([], [0.5, 2]), [0, 0, 0, 0.5, 2]);
  const alone: Partial<OnnxModel> = {
    nodes: [{ operator: 'Neg', inputs: ['user'], outputs: ['vector'] }],
    inputs: [USER],
    outputs: [{ ...VECTOR, shape: ['users', 2] }],
  };
  const { history: _, ...config } = CONFIG;
  const tower = await openUserTower(
    encode(alone),
    { ...config, userFeatures },
    { ...OPTIONS, dimensions: 2, columns: 2 },
  );
  t.teardown(() => tower.close());
  const user = { history: new Int32Array(0), features: Float32Array.of(1, 2) };
  t.same([...(await tower.encode(user))], [-1, -2]);
});

const MISFITS: Record<
  string,
  {
    model?: Partial<OnnxModel>;
    config?: Partial<TowerConfig>;
    options?: Partial<UserTowerOptions>;
    problems: string[];
  }
> = {
  'an input that is not declared': {
    model: JOINED,
    options: { dimensions: 5 },
    problems: ["its inputs 'user' are declared to be nothing: say what they take, or export it without them"],
  },
  'an input that it does not have': {
    config: { userFeatures },
    options: { columns: 2 },
    problems: ["no input is named 'user', only 'history'"],
  },
  'other names': {
    config: { history: { ...history, input: 'items' }, output: 'user_vector' },
    problems: [
      "no input is named 'items', only 'history'",
      "its inputs 'history' are declared to be nothing: say what they take, or export it without them",
      "no output is named 'user_vector', only 'vector'",
    ],
  },
  'two outputs, neither of them named': {
    model: {
      nodes: [TO_FLOAT, { operator: 'Neg', inputs: ['vector'], outputs: ['negated'] }],
      outputs: [VECTOR, { ...VECTOR, name: 'negated' }],
    },
    config: { output: 'embedding' },
    problems: ["no output is named 'embedding', only 'vector', 'negated'"],
  },
  'another length of history': {
    config: { history: { ...history, length: 20 } },
    problems: ["input 'history' is int64 [users, 3], should be int64 or int32 [N, 20]"],
  },
  'a fixed batch': {
    model: { inputs: [{ ...HISTORY, shape: [32, 3] }], outputs: [{ ...VECTOR, shape: [32, 3] }] },
    problems: [
      "input 'history' is int64 [32, 3], should be int64 or int32 [N, 3]: one user is asked for at a time, N must be dynamic or 1",
    ],
  },
  'a history of floats': {
    model: {
      nodes: [{ operator: 'Neg', inputs: ['history'], outputs: ['vector'] }],
      inputs: [{ ...HISTORY, type: 'float32' }],
    },
    problems: ["input 'history' is float32 [users, 3], should be int64 or int32 [N, 3]"],
  },
  'vectors of another length than the items have': {
    options: { dimensions: 16 },
    problems: [
      "output 'vector' is float32 [users, 3], should be float32 [N, 16], as long as the vectors of the items",
    ],
  },
  'a padding that is an item': {
    config: { history: { ...history, padding: 7 } },
    problems: [
      'history.padding is 7, which is also the number of an item: the items are 1 to 50 (firstItem says where they begin); ' +
        'or give the model historyLength or historyMask',
    ],
  },
};

for (const [what, { model, config, options, problems }] of Object.entries(MISFITS)) {
  t.test(`a model with ${what} is refused with every problem`, async (t) => {
    await t.rejects(openTower(t, config, { model: encode(model), ...(options && { options }) }), {
      code: 'INVALID_BUNDLE',
      problems,
    });
  });
}

t.test('an output of texts is refused', async (t) => {
  const model = await readFile('tests/fixtures/encoder/labels.onnx');
  await t.rejects(openTower(t, {}, { model }), {
    code: 'INVALID_BUNDLE',
    problems: [/^output 'vector' is string \[1, 3\], should be float32 \[N, 3\]/],
  });
});

t.test('a fixed batch of one, and a model that leaves its sizes open, are as good', async (t) => {
  const one = encode({ inputs: [{ ...HISTORY, shape: [1, 3] }], outputs: [{ ...VECTOR, shape: [1, 3] }] });
  t.same(await (await openTower(t, {}, { model: one }))([1]), [0, 0, 2]);
  const open = encode({
    inputs: [{ ...HISTORY, shape: ['n', 'length'] }],
    outputs: [{ ...VECTOR, shape: ['n', 'd'] }],
  });
  t.same(await (await openTower(t, {}, { model: open }))([1]), [0, 0, 2]);
  await t.rejects(openTower(t, {}, { model: open, options: { dimensions: 4 } }), {
    code: 'INVALID_BUNDLE',
    message: /cannot encode a user of one item, the first: .*gave a vector of shape \[1, 3\], not \[1, 4\]/,
  });
});

t.test('what is no model is refused', async (t) => {
  await t.rejects(openTower(t, {}, { model: new Uint8Array(9) }), {
    code: 'INVALID_BUNDLE',
    message: /The model of tower \(9 bytes\) cannot be read as ONNX/,
  });
});

/** vector = √(10 − history): NaN for items of higher numbers. */
const ROOTS: OnnxNode[] = [
  { ...TO_FLOAT, outputs: ['items'] },
  { operator: 'Constant', inputs: [], outputs: ['ten'], attributes: { value_floats: Float32Array.of(10) } },
  { operator: 'Sub', inputs: ['ten', 'items'], outputs: ['differences'] },
  { operator: 'Sqrt', inputs: ['differences'], outputs: ['vector'] },
];

t.test('a model that gives NaN where it is tried is refused, elsewhere it fails', async (t) => {
  const model = encode({ nodes: ROOTS });
  await t.rejects(openTower(t, {}, { model }), {
    code: 'INVALID_BUNDLE',
    message: /cannot encode a user of one item, the last that it is to know: .*NaN at place 3/,
  });
  const tower = await openTower(t, {}, { model, options: { vocabulary: 5 } });
  await t.rejects(tower([20]), { code: 'SOURCE_FAILED', message: /gave a vector with NaN at place 3/ });
  t.same(await tower([0, 5, 8]), [3, 2, 1], 'the next call is not harmed');
});

t.test('a model that fails is a failed source', async (t) => {
  // Gathers the history at the places that it names itself: there are three.
  const nodes: OnnxNode[] = [
    { ...TO_FLOAT, outputs: ['items'] },
    { operator: 'Gather', inputs: ['items', 'history'], outputs: ['picked'], attributes: { axis: 1 } },
    { operator: 'ReduceMax', inputs: ['picked'], outputs: ['vector'], attributes: { axes: Int32Array.of(1), keepdims: 0 } }, // prettier-ignore
  ];
  const tower = await openTower(t, {}, { model: encode({ nodes }), options: { vocabulary: 2 } });
  await t.rejects(tower([40]), { code: 'SOURCE_FAILED', message: /The model of tower failed: .*Gather/s });
});

t.test('a closed tower fails, and closing twice is once', async (t) => {
  const tower = await openUserTower(encode(), CONFIG, OPTIONS);
  await tower.close();
  await tower.close();
  const user = { history: Int32Array.of(1), features: new Float32Array(0) };
  await t.rejects(tower.encode(user), { code: 'SOURCE_FAILED', message: /is closed/ });
});

t.test('a tower that gives one user two vectors is refused when it is opened', async (t) => {
  const nodes: OnnxNode[] = [
    { ...TO_FLOAT, outputs: ['items'] },
    { operator: 'RandomNormalLike', inputs: ['items'], outputs: ['noise'] },
    { operator: 'Add', inputs: ['items', 'noise'], outputs: ['vector'] },
  ];
  await t.rejects(openTower(t, {}, { model: encode({ nodes }) }), {
    code: 'INVALID_BUNDLE',
    message:
      /^tower gives a user of one item, the first another vector when it is asked again \(place \d: .*model\.eval/,
  });
});

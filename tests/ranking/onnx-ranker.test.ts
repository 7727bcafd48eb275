import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import protobuf from 'protobufjs/light.js';
import t, { type Test } from 'tap';
import type { FeatureMatrix } from '../../src/features/feature-matrix.js';
import { encodeOnnxModel, type OnnxModel, type OnnxNode, type OnnxValue } from '../../src/bundle/onnx-model.js'; // prettier-ignore
import { openOnnxRanker } from '../../src/ranking/onnx-ranker.js';

const FEATURES: OnnxValue = { name: 'features', type: 'float32', shape: ['rows', 2] };
const SCORES: OnnxValue = { name: 'scores', type: 'float32', shape: ['rows'] };

/** scores = features × weights */
const WEIGHTS: OnnxNode = {
  operator: 'Constant',
  inputs: [],
  outputs: ['weights'],
  attributes: { value_floats: Float32Array.of(1, 10) },
};
const product = (output: string): OnnxNode => ({
  operator: 'MatMul',
  inputs: ['features', 'weights'],
  outputs: [output],
});

function encode(model: Partial<OnnxModel>): Uint8Array {
  return encodeOnnxModel({
    name: 'test',
    nodes: [WEIGHTS, product('scores')],
    inputs: [FEATURES],
    outputs: [SCORES],
    ...model,
  });
}

function matrix(...rows: [number, number][]): FeatureMatrix {
  return { data: Float32Array.from(rows.flat()), rows: rows.length, columns: 2 };
}

async function openModel(t: Test, model: Partial<OnnxModel>, options: { rows?: 'together' } = {}) {
  const ranker = await openOnnxRanker(encode(model), { columns: 2, ...options });
  t.teardown(() => ranker.close());
  return ranker;
}

t.test('it gives one score per row', async (t) => {
  const ranker = await openModel(t, {});
  t.equal(ranker.name, 'onnx');
  t.same([...(await ranker.rank(matrix([1, 2], [3, 4])))], [21, 43]);
  t.same([...(await ranker.rank(matrix([5, 0])))], [5]);
});

t.test('scores of shape [N, 1] are as good', async (t) => {
  const ranker = await openModel(t, {
    nodes: [
      { operator: 'Constant', inputs: [], outputs: ['axes'], attributes: { value_ints: Int32Array.of(1) } },
      {
        operator: 'ReduceSum',
        inputs: ['features', 'axes'],
        outputs: ['scores'],
        attributes: { keepdims: 1 },
      },
    ],
    outputs: [{ ...SCORES, shape: ['rows', 1] }],
  });
  t.same([...(await ranker.rank(matrix([1, 2], [3, 4], [5, 6])))], [3, 7, 11]);
});

t.test('names come from the manifest, and a width that the model leaves open is tried out', async (t) => {
  const model = encode({
    nodes: [WEIGHTS, { operator: 'MatMul', inputs: ['x', 'weights'], outputs: ['y'] }],
    inputs: [{ name: 'x', type: 'float32', shape: ['n', 'width'] }],
    outputs: [{ name: 'y', type: 'float32', shape: ['n'] }],
  });
  const names = { inputName: 'x', outputName: 'y', name: 'home' };
  const ranker = await openOnnxRanker(model, { ...names, columns: 2 });
  t.equal(ranker.name, 'home');
  t.same([...(await ranker.rank(matrix([1, 2])))], [21]);
  await ranker.close();
  await t.rejects(openOnnxRanker(model, { ...names, columns: 3 }), {
    code: 'INVALID_BUNDLE',
    message: /'home' cannot score 1 rows of zeros/,
  });
});

t.test('the bytes may be part of a larger buffer, and change after it is open', async (t) => {
  const bytes = encode({});
  const file = new Uint8Array(bytes.length + 20).fill(255);
  file.set(bytes, 7);
  const ranker = await openOnnxRanker(file.subarray(7, 7 + bytes.length), { columns: 2 });
  file.fill(0);
  t.same([...(await ranker.rank(matrix([1, 2])))], [21]);
  await ranker.close();
});

t.test('of several outputs only the one that is named is computed', async (t) => {
  const nodes = [WEIGHTS, product('scores'), { operator: 'Neg', inputs: ['scores'], outputs: ['negated'] }];
  const ranker = await openOnnxRanker(encode({ nodes, outputs: [SCORES, { ...SCORES, name: 'negated' }] }), {
    columns: 2,
    outputName: 'negated',
  });
  t.same([...(await ranker.rank(matrix([1, 2], [3, 4])))], [-21, -43]);
  await ranker.close();
});

t.test('of the two probabilities of a classifier the second is the score', async (t) => {
  const ranker = await openModel(t, {
    nodes: [{ operator: 'Identity', inputs: ['features'], outputs: ['scores'] }],
    outputs: [{ ...SCORES, shape: ['rows', 2] }],
  });
  t.same([...(await ranker.rank(matrix([0.75, 0.25], [0, 1])))], [0.25, 1]);
});

t.test('a model that answers zeros but no other values is refused when it is opened', async (t) => {
  const nodes: OnnxNode[] = [
    WEIGHTS,
    product('products'),
    { operator: 'Neg', inputs: ['products'], outputs: ['negated'] },
    { operator: 'Sqrt', inputs: ['negated'], outputs: ['scores'] },
  ];
  await t.rejects(openModel(t, { nodes }), {
    code: 'INVALID_BUNDLE',
    message: /cannot score 1 rows of values from 0 to 1: .*NaN to row 0/,
  });
});

t.test('no rows give no scores', async (t) => {
  const ranker = await openModel(t, {});
  t.same(await ranker.rank(matrix()), new Float32Array(0));
});

t.test('concurrent calls do not mix', async (t) => {
  const ranker = await openModel(t, {});
  const calls = Array.from({ length: 50 }, (_, call) => ranker.rank(matrix([call, 1], [call, 2])));
  (await Promise.all(calls)).forEach((scores, call) => t.same([...scores], [call + 10, call + 20]));
});

t.test('results of earlier calls stay as they were', async (t) => {
  const ranker = await openModel(t, {});
  const first = await ranker.rank(matrix([1, 2]));
  await ranker.rank(matrix([9, 9]));
  t.same([...first], [21]);
});

t.test('a matrix of another width is a mistake of the caller', async (t) => {
  const ranker = await openModel(t, {});
  const data = new Float32Array(6);
  await t.rejects(ranker.rank({ data, rows: 2, columns: 3 }), RangeError);
  await t.rejects(ranker.rank({ data, rows: 2, columns: 2 }), RangeError);
});

t.test('a closed ranker fails, and closing twice is once', async (t) => {
  const ranker = await openOnnxRanker(encode({}), { columns: 2 });
  await ranker.close();
  await ranker.close();
  await t.rejects(ranker.rank(matrix([1, 2])), { code: 'RANKER_FAILED', message: /'onnx' is closed/ });
});

t.test('scores that are NaN or infinite are refused with score and row', async (t) => {
  const squareRoot = await openModel(t, {
    nodes: [WEIGHTS, product('products'), { operator: 'Sqrt', inputs: ['products'], outputs: ['scores'] }],
  });
  await t.rejects(squareRoot.rank(matrix([4, 0], [-1, 0], [-1, 0])), {
    code: 'RANKER_INVALID_OUTPUT',
    message: /the score NaN to row 1 of 3/,
  });
  t.same([...(await squareRoot.rank(matrix([4, 0])))], [2], 'the next call is not harmed');

  const exponential = await openModel(t, {
    nodes: [WEIGHTS, product('products'), { operator: 'Exp', inputs: ['products'], outputs: ['scores'] }],
  });
  await t.rejects(exponential.rank(matrix([0, 0], [100, 0])), {
    code: 'RANKER_INVALID_OUTPUT',
    message: /the score Infinity to row 1 of 2/,
  });
});

t.test('another number of scores than rows is refused', async (t) => {
  // leaves out the rows whose product is above 50
  const ranker = await openModel(t, {
    nodes: [
      WEIGHTS,
      product('products'),
      {
        operator: 'Constant',
        inputs: [],
        outputs: ['most'],
        attributes: { value_floats: Float32Array.of(50) },
      },
      { operator: 'Less', inputs: ['products', 'most'], outputs: ['kept'] },
      { operator: 'Compress', inputs: ['products', 'kept'], outputs: ['scores'], attributes: { axis: 0 } },
    ],
  });
  t.same([...(await ranker.rank(matrix([1, 2], [3, 4])))], [21, 43]);
  await t.rejects(ranker.rank(matrix([1, 2], [3, 9])), {
    code: 'RANKER_INVALID_OUTPUT',
    message: /scores of shape \[1\] for 2 rows/,
  });
});

t.test('a failure inside ONNX Runtime is a failed ranker, and leaves no scores behind', async (t) => {
  // gathers each row's product at the index that its hundredth names: 0 in the batches that are tried
  const nodes: OnnxNode[] = [
    WEIGHTS,
    product('products'),
    { operator: 'Constant', inputs: [], outputs: ['hundred'], attributes: { value_floats: Float32Array.of(100) } }, // prettier-ignore
    { operator: 'Div', inputs: ['products', 'hundred'], outputs: ['hundredths'] },
    { operator: 'Cast', inputs: ['hundredths'], outputs: ['indexes'], attributes: { to: 7 } },
    { operator: 'Gather', inputs: ['products', 'indexes'], outputs: ['scores'], attributes: { axis: 0 } },
  ];
  const ranker = await openModel(t, { nodes }, { rows: 'together' });
  t.same([...(await ranker.rank(matrix([100, 0], [0, 0])))], [0, 100]);
  await t.rejects(ranker.rank(matrix([700, 0], [0, 0])), {
    code: 'RANKER_FAILED',
    message: /'onnx' failed: .*Gather/s,
  });
  t.same([...(await ranker.rank(matrix([0, 0], [0, 0])))], [0, 0]);
});

t.test('what is no ONNX model is refused', async (t) => {
  const model = encode({});
  for (const [what, bytes] of Object.entries({
    empty: new Uint8Array(0),
    text: new TextEncoder().encode('{"model": "none"}'),
    'cut in half': model.slice(0, model.length / 2),
    'of an unknown operator': encode({
      nodes: [{ operator: 'Nonsense', inputs: ['features'], outputs: ['scores'] }],
    }),
  })) {
    await t.rejects(
      openOnnxRanker(bytes, { columns: 2 }),
      { code: 'INVALID_BUNDLE', message: new RegExp(`\\(${bytes.length} bytes\\) cannot be read as ONNX`) },
      what,
    );
  }
});

const MISFITS: Record<string, { model: Partial<OnnxModel>; problems: (string | RegExp)[] }> = {
  'another width': {
    model: {
      nodes: [WEIGHTS, { operator: 'ReduceMean', inputs: ['features'], outputs: ['scores'], attributes: { axes: Int32Array.of(1), keepdims: 0 } }], // prettier-ignore
      inputs: [{ ...FEATURES, shape: ['rows', 5] }],
    },
    problems: [`input 'features' is float32 [rows, 5], should be float32 [N, 2]`],
  },
  'a fixed number of rows': {
    model: { inputs: [{ ...FEATURES, shape: [1, 2] }], outputs: [{ ...SCORES, shape: [1] }] },
    problems: [
      `input 'features' is float32 [1, 2], should be float32 [N, 2]: export it with a dynamic first dimension (dynamic_axes or dynamic_shapes in torch.onnx.export)`,
    ],
  },
  'another rank': {
    model: {
      inputs: [{ ...FEATURES, shape: ['rows', 3, 2] }],
      outputs: [{ ...SCORES, shape: ['rows', 3] }],
    },
    problems: [
      `input 'features' is float32 [rows, 3, 2], should be float32 [N, 2]`,
      `output 'scores' is float32 [rows, 3], should be float32 [N], [N, 1], or [N, 2] of a classifier`,
    ],
  },
  'other types': {
    model: {
      nodes: [{ operator: 'ReduceMax', inputs: ['features'], outputs: ['scores'], attributes: { axes: Int32Array.of(1), keepdims: 0 } }], // prettier-ignore
      inputs: [{ ...FEATURES, type: 'float64' }],
      outputs: [{ ...SCORES, type: 'float64' }],
    },
    problems: [
      `input 'features' is float64 [rows, 2], should be float32 [N, 2]: export it with a float32 input`,
      `output 'scores' is float64 [rows], should be float32 [N], [N, 1], or [N, 2] of a classifier: cast it to float32`,
    ],
  },
  'two inputs': {
    model: {
      nodes: [{ operator: 'MatMul', inputs: ['features', 'weights'], outputs: ['scores'] }],
      inputs: [FEATURES, { name: 'weights', type: 'float32', shape: [2] }],
    },
    problems: [
      `it has 2 inputs ('features', 'weights'), not one: export it with one [rows × features] input`,
    ],
  },
  'other names': {
    model: {
      nodes: [WEIGHTS, { operator: 'MatMul', inputs: ['x', 'weights'], outputs: ['y'] }],
      inputs: [{ ...FEATURES, name: 'x' }],
      outputs: [{ ...SCORES, name: 'y' }],
    },
    problems: [`no input is named 'features', only 'x'`, `no output is named 'scores', only 'y'`],
  },
};

for (const [what, { model, problems }] of Object.entries(MISFITS)) {
  t.test(`a model with ${what} is refused with every problem`, async (t) => {
    await t.rejects(openOnnxRanker(encode(model), { columns: 2 }), { code: 'INVALID_BUNDLE', problems });
  });
}

t.test('a model whose output is no tensor is refused', async (t) => {
  // The writer knows tensors only. Protobuf messages merge when their bytes are joined: this adds the output to the graph.
  const schema = protobuf.Root.fromJSON({
    nested: {
      Model: { fields: { graph: { id: 7, type: 'Graph' } } },
      Graph: { fields: { output: { id: 12, type: 'Value', rule: 'repeated' } } },
      Value: { fields: { name: { id: 1, type: 'string' }, type: { id: 2, type: 'Type' } } },
      Type: { fields: { tensor: { id: 1, type: 'Tensor' }, sequence: { id: 4, type: 'Sequence' } } },
      Sequence: { fields: { element: { id: 1, type: 'Type' } } },
      Tensor: { fields: { element: { id: 1, type: 'int32' } } },
    },
  });
  const sequence = { name: 'scores', type: { sequence: { element: { tensor: { element: 1 } } } } };
  const model = Buffer.concat([
    encode({
      nodes: [{ operator: 'SequenceConstruct', inputs: ['features'], outputs: ['scores'] }],
      outputs: [],
    }),
    schema
      .lookupType('Model')
      .encode({ graph: { output: [sequence] } })
      .finish(),
  ]);
  await t.rejects(openOnnxRanker(model, { columns: 2 }), {
    code: 'INVALID_BUNDLE',
    problems: [/^output 'scores' is no tensor, .*convert it with zipmap off/],
  });
});

t.test('a model that has no score for zeros is refused when it is opened', async (t) => {
  const model = encode({
    nodes: [WEIGHTS, product('products'), { operator: 'Log', inputs: ['products'], outputs: ['scores'] }],
  });
  await t.rejects(openOnnxRanker(model, { columns: 2 }), {
    code: 'INVALID_BUNDLE',
    message: /cannot score 1 rows of zeros: .*-Infinity to row 0/,
  });
});

t.test('ONNX Runtime reports its use to nobody and leaves nothing in the home folder', async (t) => {
  const home = t.testdir({ 'model.onnx': Buffer.from(encode({})) });
  const source = join(import.meta.dirname, '../../src/ranking/onnx-ranker.js');
  const script = `import { readFileSync } from 'node:fs';
    const { openOnnxRanker } = await import(${JSON.stringify(source)});
    const ranker = await openOnnxRanker(readFileSync('${home}/model.onnx'), { columns: 2 });
    await ranker.close();
    console.log(process.pid);`;
  const args = [...process.execArgv, '--input-type=module', '--eval', script];
  // As at a person's own machine: in CI, the library is silent by itself.
  const env = { PATH: process.env['PATH'], HOME: home, XDG_CACHE_HOME: join(home, 'cache') };
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  t.equal(status, 0, stderr);
  t.notOk(existsSync(join(tmpdir(), `mat-debug-${stdout.trim()}.log`)));
  t.same(readdirSync(home), ['model.onnx']);
});

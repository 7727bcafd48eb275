import t from 'tap';
import { createInt8Search, INT8_MODEL } from '../../src/candidates/int8-search.js';
import { encodeOnnxModel } from '../../src/bundle/onnx-model.js';

t.test('the model is the one that the writer of ONNX models writes', async (t) => {
  const model = encodeOnnxModel({
    name: 'int8-scores',
    nodes: [
      {
        operator: 'MatMulIntegerToFloat',
        domain: 'com.microsoft',
        inputs: ['users', 'factors', 'userScale', 'itemScales', 'userZero'],
        outputs: ['scores'],
      },
    ],
    inputs: [
      { name: 'users', type: 'uint8', shape: ['users', 'dimensions'] },
      { name: 'factors', type: 'int8', shape: ['dimensions', 'items'] },
      { name: 'userScale', type: 'float32', shape: [] },
      { name: 'itemScales', type: 'float32', shape: ['items'] },
      { name: 'userZero', type: 'uint8', shape: [] },
    ],
    outputs: [{ name: 'scores', type: 'float32', shape: ['users', 'items'] }],
  });
  t.equal(INT8_MODEL, Buffer.from(model).toString('base64'));
});

t.test('vectors of any size are told apart, and what is largest fits its bits', async (t) => {
  const factors = Float32Array.of(1e-20, 0, 1e20, 1e18, -1e20, 0, 0, 0);
  const search = createInt8Search({ factors, dimensions: 2 });
  const eligible = new Uint8Array(4).fill(1);
  const { items } = await search.findBest(Float64Array.of(1e-9, -1e-12), { limit: 4, eligible });
  t.same([...items], [1, 0, 3, 2]);
  await search.close();
});

t.test('a product that fails is a failure of the source', async (t) => {
  const search = createInt8Search({ factors: Float32Array.of(1, 2), dimensions: 1 });
  const eligible = new Uint8Array(2).fill(1);
  const ask = async () => search.findBest(Float64Array.of(1), { limit: 1, eligible });
  t.same((await ask()).items, Int32Array.of(1));
  await search.close();
  await t.rejects(ask(), { code: 'SOURCE_FAILED', message: /^The int8 matrix product failed: / });
  await createInt8Search({ factors: Float32Array.of(1), dimensions: 1 }).close();
});

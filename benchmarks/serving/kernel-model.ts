import { encodeOnnxModel } from '../../src/bundle/onnx-model.js';
import { transpose } from '../../src/candidates/batch-scorer.js';

/**
 * An ONNX model of exact retrieval and nothing else: `users` [batch × dimensions] times the factors, and the best `limit`
 * of each row as `scores` and `items`. The factors are constants of the model, which lets ONNX Runtime lay them out once.
 */
export function encodeRetrievalModel(
  factors: Float32Array,
  { dimensions, limit }: { dimensions: number; limit: number },
): Uint8Array {
  const items = factors.length / dimensions;
  return encodeOnnxModel({
    name: 'retrieval',
    nodes: [
      {
        operator: 'Constant',
        inputs: [],
        outputs: ['flat'],
        attributes: { value_floats: transpose(factors, dimensions) },
      },
      {
        operator: 'Constant',
        inputs: [],
        outputs: ['shape'],
        attributes: { value_ints: Int32Array.of(dimensions, items) },
      },
      { operator: 'Constant', inputs: [], outputs: ['k'], attributes: { value_ints: Int32Array.of(limit) } },
      { operator: 'Reshape', inputs: ['flat', 'shape'], outputs: ['factors'] },
      { operator: 'MatMul', inputs: ['users', 'factors'], outputs: ['products'] },
      { operator: 'TopK', inputs: ['products', 'k'], outputs: ['scores', 'items'] },
    ],
    inputs: [{ name: 'users', type: 'float32', shape: ['batch', dimensions] }],
    outputs: [
      { name: 'scores', type: 'float32', shape: ['batch', limit] },
      { name: 'items', type: 'int64', shape: ['batch', limit] },
    ],
  });
}

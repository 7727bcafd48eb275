import { join } from 'node:path';
import type { Manifest } from '../../src/bundle/manifest.js';
import { encodeOnnxModel, type OnnxNode } from '../../src/bundle/onnx-model.js';
import type { PreparedDataset } from '../../src/offline/data/prepared-dataset.js';
import { writeTrainedBundle } from '../../src/offline/training/bundle/write-trained-bundle.js';
import { attribute } from './small-world.js';
import { createSyntheticDataset } from './synthetic-dataset.js';
import { PROVENANCE, smallTrainingConfig, trainSmallBundle } from './trained-bundle.js';

/**
 * What happens in the model when it ranks for a user is decided by the user's age. A thread warms up with the first
 * fifty users, so these come after them.
 */
const AGES = new Map([
  ['u50', -50],
  ['u51', -200],
  ['u52', 1000],
  ['u53', 300],
  ['u54', 4100],
]);

/** Users of the bundle by what the model does for them. */
export const USERS = {
  healthy: ['u1', 'u2', 'u3', 'u4', 'u5', 'u6', 'u7', 'u8'],
  /** Their scores are NaN. */
  invalid: 'u50',
  /** ONNX Runtime fails. */
  failing: 'u51',
  /** Takes tens of milliseconds: with it what a thread can do is known. */
  heavy: 'u53',
  /** Takes about a second. */
  slow: 'u52',
  /** Takes longer than any test. */
  hanging: 'u54',
} as const;

/** Multiplications of two matrices in one run; their width is what an age is over 100, and 1 for people. */
const PRODUCTS = 200;

/**
 * Writes a bundle of the synthetic dataset into `<folder>/bundle` whose ranker fails for some users, really.
 * @param options.hangs every run of it takes longer than any test
 */
export async function writeFaultyBundle(
  folder: string,
  options: { createdAt?: string; products?: number; hangs?: boolean } = {},
): Promise<{ folder: string; manifest: Manifest }> {
  const { products = PRODUCTS, hangs = false, ...provenance } = options;
  const dataset = withAges(createSyntheticDataset());
  const trained = await trainSmallBundle(dataset);
  if (trained.ranker.kind === 'imported') throw new TypeError('it was trained here');
  const onnx = encodeFaultyRanker(trained.ranker.featureOrder, {
    products,
    leastWidth: hangs ? 4000 : 1,
  });
  const bundle = join(folder, 'bundle');
  const manifest = await writeTrainedBundle(
    bundle,
    { ...trained, ranker: { ...trained.ranker, onnx } },
    { dataset, config: smallTrainingConfig(), provenance: { ...PROVENANCE, ...provenance } },
  );
  return { folder: bundle, manifest };
}

function withAges(dataset: PreparedDataset): PreparedDataset {
  const { entities, attributes } = dataset.users;
  const ages = attribute(
    'age',
    'numeric',
    entities.ids.map((id, user) => AGES.get(id) ?? 20 + (user % 40)),
  );
  return { ...dataset, users: { entities, attributes: [ages, ...attributes.slice(1)] } };
}

/**
 * scores = features × weights + √(age + 1) + the largest value of a product of zeros, as wide as the age says.
 * Below −1 the root is NaN, below −100 an index is out of bounds, and the time of the products is the cube of their width.
 */
function encodeFaultyRanker(
  featureOrder: readonly string[],
  { products, leastWidth }: { products: number; leastWidth: number },
): Uint8Array {
  const column = featureOrder.indexOf('user.age');
  if (column < 0) throw new TypeError(`no age among ${featureOrder.join(', ')}`);
  const weights = Float32Array.from(featureOrder, (_, index) => (index === 0 ? 1 : 0));
  return encodeOnnxModel({
    name: 'faulty',
    inputs: [{ name: 'features', type: 'float32', shape: ['rows', featureOrder.length] }],
    outputs: [{ name: 'scores', type: 'float32', shape: ['rows', 1] }],
    nodes: [
      ...listConstants({ one: 1, hundred: 100, zero: 0, 'least width': leastWidth }),
      constant('column', { value_ints: Int32Array.of(column) }),
      constant('weights', { value_floats: weights }),
      constant('last axis', { value_ints: Int32Array.of(1) }),
      node('MatMul', ['features', 'weights'], 'sums'),
      node('Unsqueeze', ['sums', 'last axis'], 'base'),
      node('Gather', ['features', 'column'], 'ages', { axis: 1 }),
      node('Add', ['ages', 'one'], 'ages and one'),
      node('Sqrt', ['ages and one'], 'roots'),
      node('Add', ['base', 'roots'], 'sound'),
      node('ReduceMax', ['ages'], 'age', { axes: Int32Array.of(0, 1), keepdims: 0 }),
      node('Sub', ['age', 'hundred'], 'excess'),
      node('Max', ['excess', 'least width'], 'width'),
      node('Cast', ['width'], 'size', { to: 7 }),
      node('Concat', ['size', 'size'], 'shape', { axis: 0 }),
      node('ConstantOfShape', ['shape'], 'product 0'),
      ...Array.from({ length: products }, (_, index) =>
        node('MatMul', [`product ${index}`, 'product 0'], `product ${index + 1}`),
      ),
      node('ReduceMax', [`product ${products}`], 'nothing', { axes: Int32Array.of(0, 1), keepdims: 0 }),
      node('Add', ['age', 'hundred'], 'age and hundred'),
      node('Min', ['age and hundred', 'zero'], 'lack'),
      node('Cast', ['lack'], 'position', { to: 7 }),
      node('Gather', ['one', 'position'], 'found'),
      node('Add', ['sound', 'nothing'], 'slow'),
      node('Add', ['slow', 'found'], 'scores'),
    ],
  });
}

function listConstants(values: Record<string, number>): OnnxNode[] {
  return Object.entries(values).map(([name, value]) =>
    constant(name, { value_floats: Float32Array.of(value) }),
  );
}

function constant(name: string, attributes: OnnxNode['attributes'] & object): OnnxNode {
  return { operator: 'Constant', inputs: [], outputs: [name], attributes };
}

function node(
  operator: string,
  inputs: readonly string[],
  output: string,
  attributes: OnnxNode['attributes'] = {},
): OnnxNode {
  return { operator, inputs, outputs: [output], attributes };
}

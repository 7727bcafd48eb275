import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { Tensor } from 'onnxruntime-node';
import t, { type Test } from 'tap';
import { encodeOnnxModel, type OnnxAttribute, type OnnxNode } from '../../src/bundle/onnx-model.js';
import { openOnnxSession } from '../../src/bundle/onnx-session.js';
import { createSeededRandom, type SeededRandom } from '../../src/domain/seeded-random.js';
import { openOnnxRanker } from '../../src/ranking/onnx-ranker.js';
import { splitTreeModel } from '../../src/ranking/tree-model.js';
import { openTreeRun } from '../../src/ranking/tree-run.js';

const COLUMNS = 3;
const OPTIONS = { columns: COLUMNS, outputName: 'scores', name: 'trees' };
const MODES = ['BRANCH_LEQ', 'BRANCH_LT', 'BRANCH_GT', 'BRANCH_GTE'];
/** Where float32 has its edges. */
const EDGES = [0, -0, 1, -1, 0.1, 2 ** -149, -(2 ** -149), 3.4e38, Infinity, -Infinity];

type Attributes = Record<string, OnnxAttribute>;

interface Row {
  readonly tree: number;
  readonly node: number;
  readonly mode: string;
  readonly feature: number;
  readonly threshold: number;
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly missing: number;
  readonly weight: number;
}

const LEAF: Row = {
  tree: 0,
  node: 0,
  mode: 'LEAF',
  feature: 0,
  threshold: 0,
  whenTrue: 0,
  whenFalse: 0,
  missing: 0,
  weight: 0,
};

/** Trees that split leaves at random. */
function drawRows(random: SeededRandom, { modes = MODES, trees = 5, splits = 20 } = {}): Row[] {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random.uniform() * values.length)]!;
  return Array.from({ length: trees }, (_, tree) => {
    const leaf = (node: number): Row => ({
      ...LEAF,
      tree,
      node,
      weight: Math.fround(random.uniform() - 0.5),
    });
    const rows = [leaf(0)];
    for (let split = 0; split < splits; split++) {
      const node = pick(rows.filter(({ mode }) => mode === 'LEAF')).node;
      const next = rows.length;
      rows.push(leaf(next), leaf(next + 1));
      const threshold = random.uniform() < 0.2 ? pick(EDGES.slice(0, -1)) : Math.fround(random.uniform());
      rows[node] = {
        ...rows[node]!,
        ...{ mode: pick(modes), feature: Math.floor(random.uniform() * COLUMNS), threshold },
        ...{ whenTrue: next, whenFalse: next + 1, missing: random.uniform() < 0.3 ? 1 : 0 },
      };
    }
    return rows;
  }).flat();
}

function toAttributes(rows: readonly Row[]): Attributes {
  const leaves = rows.filter(({ mode }) => mode === 'LEAF');
  return {
    nodes_treeids: Int32Array.from(rows, ({ tree }) => tree),
    nodes_nodeids: Int32Array.from(rows, ({ node }) => node),
    nodes_modes: rows.map(({ mode }) => mode),
    nodes_featureids: Int32Array.from(rows, ({ feature }) => feature),
    nodes_values: Float32Array.from(rows, ({ threshold }) => threshold),
    nodes_truenodeids: Int32Array.from(rows, ({ whenTrue }) => whenTrue),
    nodes_falsenodeids: Int32Array.from(rows, ({ whenFalse }) => whenFalse),
    nodes_missing_value_tracks_true: Int32Array.from(rows, ({ missing }) => missing),
    target_treeids: Int32Array.from(leaves, ({ tree }) => tree),
    target_nodeids: Int32Array.from(leaves, ({ node }) => node),
    target_ids: new Int32Array(leaves.length),
    target_weights: Float32Array.from(leaves, ({ weight }) => weight),
    n_targets: 1,
  };
}

const LOGISTIC: readonly OnnxNode[] = [
  { operator: 'Neg', inputs: ['sums'], outputs: ['negated'] },
  { operator: 'Exp', inputs: ['negated'], outputs: ['scores'] },
];

function encode(attributes: Attributes, { rest = [] as readonly OnnxNode[], outputs = ['scores'] } = {}) {
  const trees = {
    operator: 'TreeEnsembleRegressor',
    domain: 'ai.onnx.ml',
    inputs: ['features'],
    outputs: [rest.length > 0 ? 'sums' : 'scores'],
    attributes,
  };
  return encodeOnnxModel({
    name: 'test',
    nodes: [trees, ...rest],
    inputs: [{ name: 'features', type: 'float32', shape: ['rows', COLUMNS] }],
    outputs: outputs.map((name) => ({ name, type: 'float32', shape: ['rows', 1] })),
  });
}

async function scoreBothWays(model: Uint8Array, data: Float32Array): Promise<[Float32Array, Float32Array]> {
  const rows = data.length / COLUMNS;
  const session = await openOnnxSession(model, { what: 'a test' });
  const expected = await session.run({ features: new Tensor('float32', data, [rows, COLUMNS]) });
  const trees = await openTreeRun(model, OPTIONS);
  const given = await trees.run({ data, rows, columns: COLUMNS });
  await Promise.all([trees.close(), session.release()]);
  return [expected['scores']!.data as Float32Array, given.data as Float32Array];
}

/** NaN among them. */
function drawFeatures(random: SeededRandom, rows: number): Float32Array {
  return Float32Array.from({ length: rows * COLUMNS }, () => {
    const kind = random.uniform();
    if (kind < 0.1) return Number.NaN;
    return kind < 0.4 ? EDGES[Math.floor(random.uniform() * EDGES.length)]! : random.uniform();
  });
}

t.test('whatever the trees and the rows, the bits are those of ONNX Runtime', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.nat(),
        trees: fc.integer({ min: 1, max: 12 }),
        // Few are computed whole, many are walked.
        splits: fc.oneof(fc.nat(40), fc.integer({ min: 150, max: 250 })),
        rows: fc.constantFrom(1, 7, 8, 9, 256, 257, 304, 305, 700),
        modes: fc.constantFrom(MODES.slice(0, 1), MODES.slice(1, 2), MODES.slice(0, 2), MODES),
        base: fc.constantFrom(undefined, 0.25),
        rest: fc.constantFrom([], LOGISTIC),
      }),
      async ({ seed, trees, splits, rows, modes, base, rest }) => {
        const random = createSeededRandom(seed);
        const attributes = toAttributes(drawRows(random, { trees, splits, modes }));
        const model = encode(
          { ...attributes, ...(base !== undefined && { base_values: Float32Array.of(base) }) },
          { rest },
        );
        const [expected, given] = await scoreBothWays(model, drawFeatures(random, rows));
        return expected.length === rows && expected.every((score, row) => Object.is(score, given[row]));
      },
    ),
    { numRuns: 150, seed: 1 },
  );
  t.pass('all were the same');
});

t.test('models of other trainers have trees of the plain kind, and score the same', async (t) => {
  for (const trainer of ['lightgbm', 'xgboost', 'catboost']) {
    const model = await readFile(`tests/fixtures/onnx/${trainer}.onnx`);
    const session = await openOnnxSession(model, { what: trainer });
    const columns = Number((session.inputMetadata[0] as { shape: readonly unknown[] }).shape[1]);
    const [outputName] = session.outputNames;
    const trees = await openTreeRun(model, { columns, outputName: outputName!, name: trainer });
    const expected = await session.run({
      [session.inputNames[0]!]: new Tensor('float32', trees.probe.data, [trees.probe.rows, columns]),
    });
    t.same((await trees.run(trees.probe)).data, expected[outputName!]!.data, trainer);
    await Promise.all([trees.close(), session.release()]);
  }
});

t.test('a ranker of trees is the kernel where it agrees, and ONNX Runtime where it does not', async (t) => {
  const random = createSeededRandom(3);
  const model = encode(toAttributes(drawRows(random)));
  const matrix = { data: drawFeatures(random, 20), rows: 20, columns: COLUMNS };
  const [expected] = await scoreBothWays(model, matrix.data);
  const ranker = await openOnnxRanker(model, { columns: COLUMNS });
  t.same(await ranker.rank(matrix), expected);
  await ranker.close();
  await t.rejects(ranker.rank(matrix), { code: 'RANKER_FAILED', message: /closed/ });

  await t.test('one that cannot score the rows of thresholds', async (t) => {
    // The square root of what lies below 0 is not a number.
    const stump = [
      { ...LEAF, mode: 'BRANCH_LEQ', threshold: 5, whenTrue: 1, whenFalse: 2 },
      { ...LEAF, node: 1, weight: 4 },
      { ...LEAF, node: 2, weight: -4 },
    ];
    const root: OnnxNode = { operator: 'Sqrt', inputs: ['sums'], outputs: ['scores'] };
    const ranker = await openOnnxRanker(encode(toAttributes(stump), { rest: [root] }), { columns: COLUMNS });
    t.same(
      await ranker.rank({ data: new Float32Array(2 * COLUMNS), rows: 2, columns: COLUMNS }),
      Float32Array.of(2, 2),
    );
    await t.rejects(ranker.rank({ data: Float32Array.of(6, 0, 0), rows: 1, columns: COLUMNS }), {
      code: 'RANKER_INVALID_OUTPUT',
    });
    await ranker.close();
  });
});

function refuses(t: Test, what: string, model: Uint8Array): void {
  t.throws(() => splitTreeModel(model, { columns: COLUMNS }), /no trees of the plain kind/, what);
}

t.test('what is not plain, and what does not hang together, is left to ONNX Runtime', async (t) => {
  const rows = drawRows(createSeededRandom(4), { trees: 2, splits: 3 });
  const good = toAttributes(rows);
  const numbers = (name: string): Int32Array => good[name] as Int32Array;
  t.equal(splitTreeModel(encode(good), { columns: COLUMNS }).trees.length, 2);
  const attributes: Record<string, Attributes> = {
    'two targets': { n_targets: 2 },
    'another target': { target_ids: numbers('target_ids').with(0, 1) },
    'another aggregate': { aggregate_function: 'MAX' },
    'something done to the sums': { post_transform: 'SOFTMAX' },
    'an unknown attribute': { nodes_colours: 1 },
    'two base values': { base_values: Float32Array.of(1, 2) },
    'an unknown comparison': { nodes_modes: rows.map(({ mode }) => mode.replace(/BRANCH_.*/, 'BRANCH_EQ')) },
    'a feature beyond the columns': { nodes_featureids: numbers('nodes_featureids').fill(COLUMNS) },
    'columns of other lengths': { nodes_values: Float32Array.of(1) },
    'texts where numbers belong': { nodes_treeids: ['0'] },
    'a threshold below all numbers': {
      nodes_values: (good['nodes_values'] as Float32Array).map(() => -Infinity),
    },
    'no comparisons': { nodes_modes: 'LEAF' },
    'no thresholds': { nodes_values: 1 },
    'a leaf twice': { target_nodeids: numbers('target_nodeids').fill(numbers('target_nodeids')[0]!) },
    'leaves without weights': { target_weights: Float32Array.of(1) },
    'a child that is not there': { nodes_truenodeids: numbers('nodes_truenodeids').map(() => 99) },
    'a node with two parents': { nodes_truenodeids: numbers('nodes_falsenodeids') },
    'nothing at all': { nodes_treeids: new Int32Array(0) },
  };
  for (const [what, change] of Object.entries(attributes)) refuses(t, what, encode({ ...good, ...change }));

  const chain = Array.from({ length: 70 }, (_, depth): Row[] => [
    {
      ...rows[0]!,
      tree: 0,
      node: 2 * depth,
      mode: 'BRANCH_LEQ',
      whenTrue: 2 * depth + 1,
      whenFalse: 2 * depth + 2,
    },
    { ...rows[0]!, tree: 0, node: 2 * depth + 1, mode: 'LEAF' },
  ]).flat();
  refuses(
    t,
    'a branch that is too deep',
    encode(toAttributes([...chain, { ...rows[0]!, tree: 0, node: 140, mode: 'LEAF' }])),
  );

  const add: OnnxNode = { operator: 'Add', inputs: ['sums', 'features'], outputs: ['scores'] };
  refuses(t, 'features that go elsewhere too', encode(good, { rest: [add] }));
  refuses(t, 'sums that are an output too', encode(good, { rest: LOGISTIC, outputs: ['scores', 'sums'] }));
});

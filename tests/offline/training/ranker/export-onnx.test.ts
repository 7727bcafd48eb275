import { InferenceSession, Tensor } from 'onnxruntime-node';
import protobuf from 'protobufjs/light.js';
import t from 'tap';
import { hashFeatureOrder } from '../../../../src/bundle/manifest.js';
import { createSeededRandom, type SeededRandom } from '../../../../src/domain/seeded-random.js';
import type { FeatureMatrix } from '../../../../src/features/feature-matrix.js';
import {
  exportEnsembleToOnnx,
  verifyOnnxExport,
} from '../../../../src/offline/training/ranker/export-onnx.js';
import { trainGradientBoostedTrees } from '../../../../src/offline/training/ranker/gradient-boosted-trees.js';
import {
  predictEnsemble,
  type RegressionTree,
  type TreeEnsemble,
} from '../../../../src/offline/training/ranker/tree-ensemble.js';
import { buildMatrix, drawRows } from './build-rows.js';

/** Values and thresholds come from one short list, so that rows often lie exactly at a threshold. */
const VALUES = Float32Array.of(
  -3.4e38,
  -1e30,
  -1,
  -0.1,
  -1e-40,
  -0,
  0,
  1e-40,
  0.1,
  0.3,
  1,
  1.0000001,
  1e30,
  3.4e38,
);

const names = (columns: number) => Array.from({ length: columns }, (_, column) => `feature_${column}`);

function drawValue(random: SeededRandom): number {
  return VALUES[random.integer(VALUES.length)]!;
}

function drawMatrix(random: SeededRandom, rows: number, columns: number): FeatureMatrix {
  return buildMatrix(
    Array.from({ length: rows }, () => Array.from({ length: columns }, () => drawValue(random))),
  );
}

/** A tree of random shape: every leaf is split until there are enough. */
function drawTree(random: SeededRandom, leaves: number, columns: number): RegressionTree {
  const nodes = 2 * leaves - 1;
  const tree = {
    column: new Int32Array(nodes).fill(-1),
    threshold: new Float32Array(nodes),
    left: new Int32Array(nodes).fill(-1),
    right: new Int32Array(nodes).fill(-1),
    value: new Float32Array(nodes),
    gain: new Float64Array(nodes),
  };
  const open = [0];
  for (let next = 1; next < nodes; next += 2) {
    const [node] = open.splice(random.integer(open.length), 1);
    tree.column[node!] = random.integer(columns);
    tree.threshold[node!] = drawValue(random);
    tree.left[node!] = next;
    tree.right[node!] = next + 1;
    open.push(next, next + 1);
  }
  for (const leaf of open) tree.value[leaf] = random.normal() * 0.1;
  return tree;
}

function drawEnsemble(
  random: SeededRandom,
  options: { trees: number; maxLeaves: number; columns: number; objective: TreeEnsemble['objective'] },
): TreeEnsemble {
  return {
    objective: options.objective,
    columns: options.columns,
    baseScore: Math.fround(random.normal()),
    trees: Array.from({ length: options.trees }, () =>
      drawTree(random, 1 + random.integer(options.maxLeaves), options.columns),
    ),
    bestIteration: options.trees,
    validationCurve: new Float64Array(0),
  };
}

t.test('random ensembles score alike in ONNX Runtime, at thresholds and at extremes', async (t) => {
  const random = createSeededRandom(21);
  for (const objective of ['logistic', 'lambdarank'] as const) {
    for (const [trees, maxLeaves, columns] of [
      [1, 1, 1],
      [1, 2, 1],
      [3, 1, 4],
      [20, 8, 1],
      [100, 40, 12],
    ] as const) {
      // prettier-ignore
      const ensemble = drawEnsemble(random, { trees, maxLeaves, columns, objective });
      const matrix = drawMatrix(random, 500, columns);
      const onnx = exportEnsembleToOnnx(ensemble, { featureNames: names(columns) });
      const { maxDifference } = await verifyOnnxExport(onnx, ensemble, matrix);
      t.ok(maxDifference <= 1e-6, `${objective}, ${trees} trees, ${columns} columns: ${maxDifference}`);
    }
  }
});

t.test('a trained ensemble scores alike in ONNX Runtime', async (t) => {
  const draw = (seed: number) =>
    drawRows({
      queries: 20,
      rowsPerQuery: 50,
      columns: 5,
      seed,
      grade: ([a, b], u) => (a! * b! + u > 1 ? 1 : 0),
    });
  const [train, unseen] = [draw(1), draw(2)];
  for (const objective of ['logistic', 'lambdarank'] as const) {
    const ensemble = trainGradientBoostedTrees(train, { objective, maxTrees: 100 });
    const onnx = exportEnsembleToOnnx(ensemble, { featureNames: names(5) });
    for (const { matrix } of [train, unseen]) {
      const { maxDifference } = await verifyOnnxExport(onnx, ensemble, matrix);
      t.ok(maxDifference <= 2e-6, `${objective}: ${maxDifference}`);
    }
  }
});

/** One tree with a leaf per margin: row i of the matrix [[0], [1], …] gets margin i. */
function ensembleOfMargins(margins: Float32Array, objective: TreeEnsemble['objective']): TreeEnsemble {
  const inner = margins.length - 1;
  const tree = {
    column: Int32Array.from({ length: inner + margins.length }, (_, node) => (node < inner ? 0 : -1)),
    threshold: Float32Array.from({ length: inner + margins.length }, (_, node) => (node < inner ? node : 0)),
    left: Int32Array.from({ length: inner + margins.length }, (_, node) =>
      node < inner ? inner + node : -1,
    ),
    right: Int32Array.from({ length: inner + margins.length }, (_, node) =>
      node < inner - 1 ? node + 1 : node === inner - 1 ? 2 * inner : -1,
    ),
    value: Float32Array.from({ length: inner + margins.length }, (_, node) =>
      node < inner ? 0 : margins[node - inner]!,
    ),
    gain: new Float64Array(inner + margins.length),
  };
  const empty = new Float64Array(0);
  return { objective, columns: 1, baseScore: 0, trees: [tree], bestIteration: 1, validationCurve: empty };
}

t.test('probabilities of a logistic ranker rise with its margin, small ones keep their digits', async (t) => {
  const margins = Float32Array.from({ length: 2000 }, (_, row) => -30 + row * 0.022);
  const ensemble = ensembleOfMargins(margins, 'logistic');
  const session = await InferenceSession.create(exportEnsembleToOnnx(ensemble, { featureNames: ['a'] }));
  const features = new Tensor('float32', Float32Array.from(margins.keys()), [margins.length, 1]);
  const scores = (await session.run({ features }))['scores']!.data as Float32Array;
  await session.release();
  t.ok(scores.every((score, row) => row === 0 || score >= scores[row - 1]!));
  t.ok(scores.every((score, row) => row === 0 || margins[row]! > 10 || score > scores[row - 1]!));
  const relative = scores.map((score, row) => Math.abs(score * (1 + Math.exp(-margins[row]!)) - 1));
  t.ok(Math.max(...relative) < 1e-6, `largest relative difference ${Math.max(...relative)}`);
});

t.test('extreme margins give probabilities of 0 and 1, not NaN', async (t) => {
  const ensemble = ensembleOfMargins(Float32Array.of(-1e30, -100, 100, 1e30), 'logistic');
  const onnx = exportEnsembleToOnnx(ensemble, { featureNames: ['a'] });
  t.ok((await verifyOnnxExport(onnx, ensemble, buildMatrix([[0], [1], [2], [3]]))).maxDifference < 1e-40);
});

t.test('large lambdarank margins are compared relative to their size', async (t) => {
  const once = ensembleOfMargins(Float32Array.of(-1000.1, 1000.3), 'lambdarank');
  const ensemble = { ...once, trees: Array.from({ length: 50 }, () => once.trees[0]!) };
  const onnx = exportEnsembleToOnnx(ensemble, { featureNames: ['a'] });
  const { maxDifference } = await verifyOnnxExport(onnx, ensemble, buildMatrix([[0], [1]]));
  t.ok(maxDifference > 0 && maxDifference < 2e-6, `${maxDifference}`);
});

t.test('an export that answers otherwise than the trainer is refused with the difference', async (t) => {
  const ensemble = ensembleOfMargins(Float32Array.of(-1, 0.5), 'lambdarank');
  const other = ensembleOfMargins(Float32Array.of(-1, 0.50002), 'lambdarank');
  const onnx = exportEnsembleToOnnx(other, { featureNames: ['a'] });
  await t.rejects(verifyOnnxExport(onnx, ensemble, buildMatrix([[0], [1]])), {
    code: 'TRAINING_FAILED',
    message: /differs from the trained one by 0\.00002/,
  });
  t.equal(
    (await verifyOnnxExport(onnx, ensemble, buildMatrix([[0]]))).maxDifference,
    0,
    'the row that agrees',
  );
});

t.test('the model carries its form, its name, its objective and the hash of its feature order', async (t) => {
  const random = createSeededRandom(1);
  const ensemble = drawEnsemble(random, { trees: 2, maxLeaves: 4, columns: 3, objective: 'lambdarank' });
  const featureNames = ['als_score', 'year_gap', 'genre_affinity'];
  const onnx = exportEnsembleToOnnx(ensemble, { featureNames, modelName: 'home' });
  const session = await InferenceSession.create(onnx);
  t.match(session.inputMetadata, [{ name: 'features', type: 'float32', shape: ['rows', 3] }]);
  t.match(session.outputMetadata, [{ name: 'scores', type: 'float32', shape: ['rows', 1] }]);
  await session.release();
  // ORT's JavaScript API shows no metadata: read fields 7 (graph, of it 2: name) and 14 (metadata_props) back.
  const schema = protobuf.Root.fromJSON({
    nested: {
      Model: {
        fields: { graph: { id: 7, type: 'Graph' }, metadata: { id: 14, type: 'Entry', rule: 'repeated' } },
      },
      Graph: { fields: { name: { id: 2, type: 'string' } } },
      Entry: { fields: { key: { id: 1, type: 'string' }, value: { id: 2, type: 'string' } } },
    },
  });
  t.same(schema.lookupType('Model').decode(onnx).toJSON(), {
    graph: { name: 'home' },
    metadata: [
      { key: 'shortlist.objective', value: 'lambdarank' },
      { key: 'shortlist.feature_order_sha256', value: hashFeatureOrder(featureNames) },
    ],
  });
});

t.test('the same ensemble exports to the same bytes', async (t) => {
  const [first, second] = [1, 2].map(() => {
    const options = { trees: 5, maxLeaves: 9, columns: 2, objective: 'logistic' } as const;
    return exportEnsembleToOnnx(drawEnsemble(createSeededRandom(4), options), { featureNames: names(2) });
  });
  t.same(first, second);
});

t.test('feature names that do not match the columns are refused', async (t) => {
  const ensemble = ensembleOfMargins(Float32Array.of(0, 1), 'lambdarank');
  t.throws(() => exportEnsembleToOnnx(ensemble, { featureNames: ['a', 'b'] }), {
    code: 'TRAINING_FAILED',
    message: /2 feature names for a ranker of 1 columns/,
  });
});

t.test('predictions sum the base score and one leaf per tree', async (t) => {
  const single = (value: number): RegressionTree => ({
    column: Int32Array.of(-1),
    threshold: Float32Array.of(0),
    left: Int32Array.of(-1),
    right: Int32Array.of(-1),
    value: Float32Array.of(value),
    gain: Float64Array.of(0),
  });
  const ensemble = { ...ensembleOfMargins(Float32Array.of(1, 2), 'lambdarank'), baseScore: 0.5 };
  const three = { ...ensemble, trees: [...ensemble.trees, single(4), single(-8)] };
  t.same([...predictEnsemble(three, buildMatrix([[0], [1]]))], [-2.5, -1.5]);
});

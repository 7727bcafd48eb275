import { Tensor } from 'onnxruntime-node';
import { openOnnxSession } from '../bundle/onnx-session.js';
import { createSeededRandom } from '../domain/seeded-random.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';
import { createSessionRun, type ModelRun } from './model-run.js';
import { createTreeKernel } from './tree-kernel.js';
import { splitTreeModel, type TreeModel } from './tree-model.js';
import type { TreeNode } from './tree-node.js';

/** A run whose trees are those of the kernel, and rows to see by that it scores as ONNX Runtime does. */
export interface TreeRun extends ModelRun {
  readonly probe: FeatureMatrix;
}

const PROBE_ROWS = 200;

/**
 * Opens a model whose trees the kernel computes; ONNX Runtime computes the rest from their sums.
 * @throws Error for a model whose trees cannot be taken out of it
 */
export async function openTreeRun(
  model: Uint8Array,
  { columns, outputName, name }: { columns: number; outputName: string; name: string },
): Promise<TreeRun> {
  const { trees, base, rest } = splitTreeModel(model, { columns });
  const kernel = createTreeKernel(trees, { columns });
  const after = rest && (await openRest(rest, { outputName, name }));
  return {
    run: async ({ data, rows }) => {
      const sums = kernel.sum(data);
      for (let row = 0; row < rows; row++) sums[row]! += base;
      return after === undefined
        ? new Tensor('float32', sums, [rows, 1])
        : after.run({ data: sums, rows, columns: 1 });
    },
    close: async () => after?.close(),
    probe: drawProbe(trees, columns),
  };
}

async function openRest(
  { model, input }: NonNullable<TreeModel['rest']>,
  { outputName, name }: { outputName: string; name: string },
): Promise<ModelRun> {
  const session = await openOnnxSession(model, { what: `ranker '${name}'` });
  return createSessionRun(session, { inputName: input, outputName });
}

/** Rows of thresholds, where the branches part, and of what lies around them. */
function drawProbe(trees: readonly TreeNode[], columns: number): FeatureMatrix {
  const random = createSeededRandom(1);
  const thresholds = Array.from({ length: columns }, () => [0]);
  const collect = (node: TreeNode): void => {
    if ('leaf' in node) return;
    thresholds[node.feature]!.push(node.threshold);
    node.children.forEach(collect);
  };
  trees.forEach(collect);
  const data = new Float32Array(PROBE_ROWS * columns);
  for (let at = 0; at < data.length; at++) {
    const values = thresholds[at % columns]!;
    const value = values[Math.floor(random.uniform() * values.length)]!;
    const isAside = random.uniform() < 0.5;
    data[at] = isAside ? value + (random.uniform() - 0.5) * Math.max(1, Math.abs(value)) : value;
  }
  return { data, rows: PROBE_ROWS, columns };
}

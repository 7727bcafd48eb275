import { createAlsSource } from '../../src/candidates/als.js';
import { mergeRetrievals } from '../../src/candidates/merge-candidates.js';
import { historyOf } from '../../src/domain/history.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import { collectFeatureInputs } from '../../src/features/collect-feature-inputs.js';
import { createFeatureAssembler, listFeatures } from '../../src/features/feature-assembler.js';
import type { FeatureMatrix } from '../../src/features/feature-matrix.js';
import { createFeatureRows } from '../../src/features/feature-store.js';
import { createMemoryStore } from '../../src/features/memory-store.js';
import { exportEnsembleToOnnx, verifyOnnxExport } from '../../src/offline/training/ranker/export-onnx.js';
import { trainGradientBoostedTrees } from '../../src/offline/training/ranker/gradient-boosted-trees.js';
import { type SyntheticWorld, WORLD_KNOWN_UNTIL } from './synthetic-world.js';

/** A ranker and the columns that it reads. */
export interface BenchRanker {
  readonly onnx: Uint8Array;
  readonly featureOrder: readonly string[];
  readonly trees: number;
}

/** Candidates of a request of the bench. */
export const CANDIDATES = 200;

const TREES = 100;
/** As deep on average as a full tree of depth 6. */
const LEAVES = 64;
const QUERIES = 100;

/**
 * Trains 100 trees on what serving would hand to the ranker for some users, with labels that are drawn: it learns nothing
 * that is true, and costs what a ranker costs.
 */
export async function trainBenchRanker(world: SyntheticWorld, seed: number): Promise<BenchRanker> {
  const { featureOrder, matrix } = await assembleRows(world);
  const ensemble = trainGradientBoostedTrees(
    { matrix, labels: drawLabels(matrix, seed), groupOffsets: Uint32Array.of(0, matrix.rows) },
    { maxTrees: TREES, maxLeaves: LEAVES, minRowsPerLeaf: 5, seed },
  );
  const onnx = exportEnsembleToOnnx(ensemble, { featureNames: featureOrder });
  await verifyOnnxExport(onnx, ensemble, matrix);
  return { onnx, featureOrder, trees: ensemble.trees.length };
}

/** The feature rows of the first users, made by the code that serves. */
async function assembleRows({ catalogue, histories, als, tables }: SyntheticWorld) {
  const { items, users, item_stats: itemStats, user_stats: userStats } = tables;
  const inputs = collectFeatureInputs({
    catalogue,
    itemTables: [items, itemStats],
    userViews: [users.view, userStats.view],
    sourceNames: ['als'],
    similarItems: undefined,
    followers: undefined,
    contexts: undefined,
    times: undefined,
    target: undefined,
    observer: undefined,
  });
  const featureOrder = listFeatures(inputs);
  const assembler = createFeatureAssembler(inputs, featureOrder);
  const source = createAlsSource(als);
  const stores = [users, userStats].map(createMemoryStore);
  const eligible = new Uint8Array(catalogue.entities.size).fill(1);
  const now = WORLD_KNOWN_UNTIL;
  const parts: Float32Array[] = [];
  for (let user = 0; user < Math.min(QUERIES, users.entities.size); user++) {
    const userId = users.entities.idAt(user);
    const history = historyOf(histories, user);
    const retrieval = await source.retrieve({ userId, history, eligible, limit: CANDIDATES });
    const candidates = mergeRetrievals([retrieval], { limit: CANDIDATES });
    const userRows = stores.map((store) => {
      const rows = createFeatureRows(store.view, 1);
      void store.getMany([userId], rows, { now });
      return rows;
    });
    const query = { candidates, history, typed: () => [], userRows, now, reading: { now } };
    parts.push(assembler.assemble(query).data);
  }
  await source.close?.();
  const data = Float32Array.from(parts.flatMap((part) => [...part]));
  const columns = featureOrder.length;
  return { featureOrder, matrix: { data, rows: data.length / columns, columns } };
}

function drawLabels({ data, rows, columns }: FeatureMatrix, seed: number): Float32Array {
  const random = createSeededRandom(`${seed} labels`);
  const effects = Float32Array.from({ length: columns }, () => random.normal());
  return Float32Array.from({ length: rows }, (_, row) => {
    let margin = random.normal();
    for (let column = 0; column < columns; column++) {
      margin += effects[column]! * Math.sin(6 * data[row * columns + column]!);
    }
    return margin > 0 ? 1 : 0;
  });
}

/**
 * How long the tree ranker takes to train: 750 queries of 200 candidates, 30 features, 200 trees of 31 leaves, one thread.
 * Usage: see benchmarks/README.md. Optional arguments: queries, trees.
 */
import { createSeededRandom } from '../src/domain/seeded-random.js';
import type { RankingObjective } from '../src/offline/training/ranker/boosting-options.js';
import { trainGradientBoostedTrees } from '../src/offline/training/ranker/gradient-boosted-trees.js';
import type { RankingRows } from '../src/offline/training/ranker/ranking-rows.js';

const ROWS_PER_QUERY = 200;
const COLUMNS = 30;

const queries = Number(process.argv[2] ?? 750);
const maxTrees = Number(process.argv[3] ?? 200);
const rows = drawRows(queries);
const positives = rows.labels.reduce((sum, label) => sum + label, 0);
console.log(`${rows.matrix.rows} rows (${positives} relevant) × ${COLUMNS} features, ${queries} queries`);
for (const objective of ['logistic', 'lambdarank'] as const) measure(objective);

function measure(objective: RankingObjective): void {
  const start = performance.now();
  const startCpu = process.cpuUsage();
  const { trees } = trainGradientBoostedTrees(rows, { objective, maxTrees });
  const seconds = (performance.now() - start) / 1000;
  const cpuSeconds = process.cpuUsage(startCpu).user / 1e6;
  const times = `${seconds.toFixed(2)} s (${cpuSeconds.toFixed(2)} s of processor time)`;
  console.log(`${objective}: ${trees.length} trees of at most 31 leaves in ${times}`);
}

/** Two thirds of the features are normal, one third takes five values; ten of them and one product decide relevance. */
function drawRows(queryCount: number): RankingRows {
  const random = createSeededRandom(1);
  const count = queryCount * ROWS_PER_QUERY;
  const data = new Float32Array(count * COLUMNS);
  const labels = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    const values = data.subarray(row * COLUMNS, (row + 1) * COLUMNS);
    let logOdds = -3.5;
    for (let column = 0; column < COLUMNS; column++) {
      values[column] = column % 3 === 2 ? random.integer(5) : random.normal();
      if (column < 10) logOdds += 0.4 * values[column]! * (column % 2 === 0 ? -1 : 1);
    }
    logOdds += 0.5 * values[0]! * values[1]!;
    labels[row] = random.uniform() < 1 / (1 + Math.exp(-logOdds)) ? 1 : 0;
  }
  const groupOffsets = Uint32Array.from({ length: queryCount + 1 }, (_, query) => query * ROWS_PER_QUERY);
  return { matrix: { data, rows: count, columns: COLUMNS }, labels, groupOffsets };
}

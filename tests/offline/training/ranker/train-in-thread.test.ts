import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { trainGradientBoostedTrees } from '../../../../src/offline/training/ranker/gradient-boosted-trees.js';
import type { RankingRows } from '../../../../src/offline/training/ranker/ranking-rows.js';
import { trainInThread } from '../../../../src/offline/training/ranker/train-in-thread.js';

const QUERIES = 2100;
const ROWS_PER_QUERY = 10;

function makeRows(seed: string): RankingRows {
  const random = createSeededRandom(seed);
  const rows = QUERIES * ROWS_PER_QUERY;
  const data = new Float32Array(new SharedArrayBuffer(4 * 3 * rows)).map(() => random.normal());
  return {
    matrix: { data, rows, columns: 3 },
    labels: Float32Array.from({ length: rows }, (_, row) => Number(data[3 * row]! + random.normal() > 1.5)),
    groupOffsets: Uint32Array.from({ length: QUERIES + 1 }, (_, query) => query * ROWS_PER_QUERY),
  };
}

const train = makeRows('train');
const validation = makeRows('validation');
const boosting = { maxTrees: 5, maxLeaves: 7, featureFraction: 0.7, seed: 3 };

t.test('a thread trains the very ensembles that the caller would, several side by side', async (t) => {
  const objectives = ['logistic', 'lambdarank'] as const;
  const grown: number[] = [0, 0];
  const inThreads = await Promise.all(
    objectives.map((objective, index) => {
      const progress = { advance: () => grown[index]!++, finish: () => undefined };
      return trainInThread(train, { ...boosting, objective, validation, progress });
    }),
  );
  objectives.forEach((objective, index) => {
    t.same(inThreads[index], trainGradientBoostedTrees(train, { ...boosting, objective, validation }));
    t.equal(grown[index], boosting.maxTrees, 'told of every tree');
  });
});

t.test('what it cannot learn from is refused as by the caller, with every problem', async (t) => {
  const labels = train.labels.map((label, row) => (row === 7 ? -1 : label));
  await t.rejects(trainInThread({ ...train, labels }, boosting), {
    code: 'TRAINING_FAILED',
    problems: ['training label -1 of row 7 is not a grade of 0 to 30'],
  });
});

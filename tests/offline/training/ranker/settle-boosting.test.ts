import t from 'tap';
import { readConfigFile } from '../../../../src/config/read-config-file.js';
import { TrainingConfig } from '../../../../src/config/training-config.js';
import { settleBoosting } from '../../../../src/offline/training/ranker/settle-boosting.js';

const { ranker } = readConfigFile(TrainingConfig, 'configs/training.yaml');
const request = { queries: 1000, candidates: 300 };

t.test('more queries bear larger steps, within bounds', async (t) => {
  const rates = [1, 10_000, 40_000, 90_000, 1e7].map(
    (queries) => settleBoosting({ ...ranker, learningRate: 'auto' }, { ...request, queries }).learningRate,
  );
  t.same(rates, [0.05, 0.05, 0.1, 0.15, 0.2]);
  t.equal(settleBoosting({ ...ranker, learningRate: 0.3 }, { ...request, queries: 1e6 }).learningRate, 0.3);
});

t.test(
  'a budget is the number of trees that fit in it, for the candidates and leaves that there are',
  async (t) => {
    const treesFor = (changes: Partial<typeof ranker>, candidates = 300): number =>
      settleBoosting({ ...ranker, ...changes }, { ...request, candidates }).maxTrees;
    const within = treesFor({ budgetMs: 0.1, maxLeaves: 15 });
    t.equal(within, Math.floor(0.1 / ((0.18 * 15 * 300) / 1e6)));
    t.equal(treesFor({ budgetMs: 0.2, maxLeaves: 30 }), within);
    t.equal(treesFor({ budgetMs: 0.1, maxLeaves: 15 }, 30), 10 * within + 4);
    t.equal(treesFor({ budgetMs: 0.1, maxTrees: 7 }), 7);
    const { budgetMs: _, ...unbounded } = ranker;
    t.equal(settleBoosting(unbounded, request).maxTrees, ranker.maxTrees);
  },
);

t.test('a budget that no tree fits in is refused with what one tree takes', async (t) => {
  t.throws(() => settleBoosting({ ...ranker, budgetMs: 0.0008 }, request), {
    code: 'INVALID_CONFIG',
    message: /ranker\.budgetMs is 0\.0008, and one tree of 15 leaves takes 0\.00081 ms for 300 candidates/,
  });
});

t.test('the shipped limits are far from where early stopping ends', async (t) => {
  t.ok(settleBoosting(ranker, request).maxTrees >= 600);
});

import t from 'tap';
import { toHistories } from '../../../../src/domain/interactions.js';
import { SILENT_PROGRESS, type ProgressReporter } from '../../../../src/offline/progress/progress.js';
import { splitChronologically } from '../../../../src/offline/protocol/splits.js';
import {
  chooseAlsWeights,
  type AlsChoice,
} from '../../../../src/offline/training/candidates/choose-als-weights.js';
import { createSyntheticDataset } from '../../../support/synthetic-dataset.js';
import { smallTrainingConfig } from '../../../support/trained-bundle.js';

const small = smallTrainingConfig();
const OPEN = {
  ...small,
  als: { ...small.als, unobservedWeight: 'auto' as const, regularisation: 'auto' as const },
};
const split = splitChronologically(createSyntheticDataset().interactions);

function choose(
  config: Parameters<typeof chooseAlsWeights>[1]['config'] = OPEN,
  options: { threads?: number; progress?: ProgressReporter } = {},
): Promise<AlsChoice> {
  return chooseAlsWeights(split, { config, threads: 1, progress: SILENT_PROGRESS, ...options });
}

t.test('the pair with the highest nDCG is chosen', async (t) => {
  const { tried, unobservedWeight, regularisation, ...facts } = await choose();
  const best = Math.max(...tried.map(({ ndcg }) => ndcg));
  t.match(
    tried.find(({ ndcg }) => ndcg === best),
    { unobservedWeight, regularisation },
  );
  t.ok(best > Math.min(...tried.map(({ ndcg }) => ndcg)));
  t.match(facts, {
    k: 100,
    queries: split.queries.length,
    interactions: toHistories(split.train).items.length,
  });
});

t.test('any number of threads makes the same choice', async (t) => {
  t.same(await choose(OPEN, { threads: 3 }), await choose());
});

t.test('the weights that are tried go by the density of the data', async (t) => {
  const { offsets, items } = toHistories(split.train);
  const users = offsets.length - 1;
  const density = items.length / (users * new Set(items).size);
  const { tried } = await choose();
  const ratio = tried[0]!.unobservedWeight / density;
  t.ok(tried[0]!.unobservedWeight === 1 || (ratio > 5 && ratio < 20), `${ratio}`);
});

t.test('a number stays as it is', async (t) => {
  const { tried } = await choose({ ...OPEN, als: { ...OPEN.als, regularisation: 0.02 } });
  t.same([...new Set(tried.map(({ regularisation }) => regularisation))], [0.02]);
  t.ok(new Set(tried.map(({ unobservedWeight }) => unobservedWeight)).size > 1);
});

t.test('the choice is said', async (t) => {
  const said: string[] = [];
  const progress: ProgressReporter = {
    start: (label) => ({ advance: () => undefined, finish: (summary) => said.push(`${label}: ${summary}`) }),
  };
  await choose(OPEN, { progress });
  t.match(said, [
    /^numbers of als: unobservedWeight [\d.]+, regularisation [\d.]+: nDCG@100 0\.\d{4} of \d+ users/,
  ]);
});

import t from 'tap';
import { listProblems } from '../../src/config/list-problems.js';
import { readConfigFile } from '../../src/config/read-config-file.js';
import { TrainingConfig } from '../../src/config/training-config.js';
import { applyProfile } from '../../src/config/training-profile.js';

const SHIPPED = readConfigFile(TrainingConfig, 'configs/training.yaml');

t.test('full is the config as it is', async (t) => {
  t.equal(applyProfile(SHIPPED, 'full'), SHIPPED);
});

t.test('quick is less work of the same kind', async (t) => {
  const { als, ranker, ...rest } = applyProfile(SHIPPED, 'quick');
  const { als: shippedAls, ranker: shippedRanker, ...shippedRest } = SHIPPED;
  t.same(rest, shippedRest);
  t.same(als, { ...shippedAls, epochs: 8 });
  t.same(ranker, {
    ...shippedRanker,
    rollingCuts: 3,
    maxRows: 200_000,
    learningRate: 0.15,
    maxTrees: 100,
    earlyStoppingRounds: 20,
  });
});

t.test('a quick config is a config, whatever the numbers', async (t) => {
  const small = {
    ...SHIPPED,
    als: { ...SHIPPED.als, epochs: 1 },
    ranker: { ...SHIPPED.ranker, rollingCuts: 1, maxRows: 1, learningRate: 0.9, maxTrees: 1 },
  };
  const quick = applyProfile(small, 'quick');
  t.same(listProblems(TrainingConfig, quick, { origin: 'quick' }), []);
  t.match(quick, {
    als: { epochs: 1 },
    ranker: { rollingCuts: 1, maxRows: 1, learningRate: 1, maxTrees: 1 },
  });
});

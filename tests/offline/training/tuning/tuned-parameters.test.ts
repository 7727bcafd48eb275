import t from 'tap';
import { SOURCES } from '../../../../src/candidates/sources.js';
import { listProblems } from '../../../../src/config/list-problems.js';
import { TrainingConfig } from '../../../../src/config/training-config.js';
import {
  applyValues,
  drawTrial,
  findCandidates,
  listTunedParameters,
  TRIALS_PER_CANDIDATES,
  TUNED_PARAMETERS,
} from '../../../../src/offline/training/tuning/tuned-parameters.js';
import { smallTrainingConfig } from '../../../support/trained-bundle.js';

const config = smallTrainingConfig();
const everything = { seed: 42, parameters: TUNED_PARAMETERS };
const manyTrials = Array.from({ length: 400 }, (_, trial) => trial);

t.test('trial 0 changes nothing', async (t) => {
  t.same(drawTrial(0, everything), {});
  t.same(applyValues(config, {}), config);
});

t.test('a trial depends on the seed and its number only', async (t) => {
  const backwards = manyTrials.toReversed().map((trial) => drawTrial(trial, everything));
  t.same(
    manyTrials.map((trial) => drawTrial(trial, everything)),
    backwards.toReversed(),
  );
  t.notSame(drawTrial(5, everything), drawTrial(6, everything));
  t.notSame(drawTrial(5, everything), drawTrial(5, { ...everything, seed: 43 }));
});

t.test('what the dataset cannot have changes no other value', async (t) => {
  const parameters = listTunedParameters(new Set(['als', 'trending']), { hasOrder: true });
  t.same(
    parameters.filter(({ sources }) => sources !== undefined).map(({ name }) => name),
    ['als.unobservedWeight', 'als.regularisation', 'trending.halfLifeDays'],
  );
  const values = drawTrial(9, { seed: 42, parameters });
  t.match(drawTrial(9, everything), values);
  t.equal(Object.keys(values).length, parameters.length);
});

t.test(
  'trials share their candidate sources, and the first that has new ones has the ranker of the config',
  async (t) => {
    const candidatesOf = (trial: number): unknown =>
      Object.entries(drawTrial(trial, everything)).filter(([name]) => !name.startsWith('ranker.'));
    for (const trial of manyTrials) {
      const first = findCandidates(trial) * TRIALS_PER_CANDIDATES;
      t.same(candidatesOf(trial), candidatesOf(first));
      const isFirst = trial === first;
      t.equal(Object.hasOwn(drawTrial(trial, everything), 'ranker.l2'), !isFirst);
    }
    t.same(candidatesOf(3), []);
    t.notSame(candidatesOf(4), candidatesOf(8));
  },
);

t.test('every value fits the training config, and the draws use the whole range', async (t) => {
  const trials = manyTrials.map((trial) => drawTrial(trial, everything));
  for (const values of trials) {
    t.same(listProblems(TrainingConfig, applyValues(config, values), { origin: 'trial' }), []);
  }
  for (const { name, least, most, scale, sources } of TUNED_PARAMETERS) {
    const [section, key] = name.split('.') as ['ranker', 'l2'];
    const shipped: unknown = config[section][key];
    t.ok(typeof shipped === 'number' || shipped === 'auto', `${name} is a setting`);
    for (const source of sources ?? []) t.ok(source in SOURCES);
    const drawn = trials.flatMap((values) => (name in values ? [values[name]!] : []));
    const middle = scale === 'linear' ? (least + most) / 2 : Math.sqrt(least * most);
    t.ok(drawn.every((value) => value >= least && value <= most));
    const below = drawn.filter((value) => value < middle).length / drawn.length;
    t.ok(below > 0.4 && below < 0.6, `${name}: ${below} of the draws are in the lower half`);
  }
});

t.test('the config of a trial is a copy', async (t) => {
  const before = structuredClone(config);
  const changed = applyValues(config, { 'ranker.l2': 7, 'ease.recencyExponent': 0.25 });
  t.match(changed, { ranker: { l2: 7, maxTrees: config.ranker.maxTrees }, ease: { recencyExponent: 0.25 } });
  t.same(config, before);
});

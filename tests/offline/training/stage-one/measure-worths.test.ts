import t from 'tap';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { splitChronologically } from '../../../../src/offline/protocol/splits.js';
import { createCandidateEngine } from '../../../../src/offline/training/stage-one/create-candidate-engine.js';
import {
  describeWorths,
  listWorths,
  measureWorths,
  weighEngine,
} from '../../../../src/offline/training/stage-one/measure-worths.js';
import { fitStageOne } from '../../../../src/offline/training/stage-one/stage-one.js';
import { createSyntheticDataset } from '../../../support/synthetic-dataset.js';
import { SCENARIOS, smallTrainingConfig } from '../../../support/trained-bundle.js';

const dataset = createSyntheticDataset();
const split = splitChronologically(dataset.interactions);
const scenario = SCENARIOS.get('home')!;
const stageOne = await fitStageOne(split, dataset, {
  config: smallTrainingConfig(),
  progress: SILENT_PROGRESS,
});
const engine = await createCandidateEngine(stageOne, dataset, scenario);
const options = { scenario, k: 10, seed: 42 };

t.test('the best source is worth 1, the others a share of it', async (t) => {
  const worths = await measureWorths(split.queries, engine, options);
  t.equal(Math.max(...worths.values()), 1);
  t.ok([...worths.values()].every((worth) => worth > 0 && worth <= 1));
  t.same(await measureWorths(split.queries, engine, options), worths, 'the same again');
});

t.test('fresh, whose items nobody can have taken, is not measured', async (t) => {
  const worths = await measureWorths(split.queries, engine, options);
  t.same(
    [...worths.keys()].sort(),
    Object.keys(scenario.sources)
      .filter((name) => name !== 'fresh')
      .sort(),
  );
});

t.test('few queries say little: worths are drawn to 1', async (t) => {
  const lowest = async (count: number): Promise<number> =>
    Math.min(...(await measureWorths(split.queries.slice(0, count), engine, options)).values());
  t.ok((await lowest(1)) >= 20 / 21);
  t.ok((await lowest(79)) < 0.9);
});

t.test('where no source finds anything, nothing is measured, and that is said', async (t) => {
  const missed = split.queries.map((query) => ({ ...query, relevant: Int32Array.of(59) }));
  const worths = await measureWorths(missed, engine, options);
  t.equal(worths.size, 0);
  t.match(describeWorths(listWorths(worths, scenario)), /quotas stay/);
});

t.test('an engine with worths has other quotas, and the sources below popularity are named', (t) => {
  const worths = new Map([
    ['als', 0.1],
    ['ease', 1],
    ['popular', 0.5],
  ]);
  const { sources } = weighEngine(engine, worths).scenarios.get('home')!;
  t.ok(sources['als']! < 5 && sources['ease']! > 150);
  t.match(
    describeWorths(listWorths(worths, scenario)),
    /^als 0.10 \(80 → 1 places\), .*; worse than popular, so that others have most of their places: als$/,
  );
  t.end();
});

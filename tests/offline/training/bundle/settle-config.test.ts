import { join } from 'node:path';
import t from 'tap';
import { closeEngine } from '../../../../src/engine/close-engine.js';
import { openEngine } from '../../../../src/engine/open-engine.js';
import { weighScenario } from '../../../../src/pipeline/weigh-scenarios.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { splitChronologically } from '../../../../src/offline/protocol/splits.js';
import { settleConfig } from '../../../../src/offline/training/bundle/settle-config.js';
import { writeTrainedBundle } from '../../../../src/offline/training/bundle/write-trained-bundle.js';
import { createSyntheticDataset } from '../../../support/synthetic-dataset.js';
import {
  PROVENANCE,
  SCENARIOS,
  smallTrainingConfig,
  trainSmallBundle,
} from '../../../support/trained-bundle.js';

const dataset = createSyntheticDataset();
const small = smallTrainingConfig();
const config = { ...small, als: { ...small.als, unobservedWeight: 'auto' as const } };
const options = { config, trainingProtocol: 'chronological' as const, progress: SILENT_PROGRESS };

t.test('a config with nothing left to choose is taken as it is', async (t) => {
  const known = splitChronologically(dataset.interactions);
  t.same(await settleConfig(known, { ...options, config: small }), { config: small });
});

t.test('nothing that comes after what is known changes the choice', async (t) => {
  const known = splitChronologically(dataset.interactions);
  const { train, knownUntil } = known;
  const item = dataset.interactions.item.slice();
  const rows = new Set(Array.from(train.timestamp, (time, row) => `${train.user[row]} ${time}`));
  dataset.interactions.timestamp.forEach((time, row) => {
    if (!rows.has(`${dataset.interactions.user[row]} ${time}`)) item[row] = 0;
  });
  const changed = splitChronologically({ ...dataset.interactions, item });
  t.same(changed.train, train);
  t.same(await settleConfig(changed, options), await settleConfig({ train, knownUntil }, options));
});

t.test('a bundle keeps what was chosen, and serves by what its sources are worth', async (t) => {
  const trained = await trainSmallBundle(dataset, { config });
  t.equal(trained.config.als.unobservedWeight, trained.alsChoice!.unobservedWeight);
  const folder = join(t.testdir(), 'bundle');
  const manifest = await writeTrainedBundle(folder, trained, { dataset, config, provenance: PROVENANCE });
  t.same(manifest.training['als'], trained.alsChoice);
  for (const [name, worth] of trained.worths) t.equal(manifest.sources[name]!.worth, worth, name);
  const engine = await openEngine(folder, SCENARIOS);
  t.teardown(() => closeEngine(engine));
  const home = SCENARIOS.get('home')!;
  t.same(engine.scenarios.get('home'), weighScenario(home, trained.worths));
  t.notSame(engine.scenarios.get('home')!.sources, home.sources);
});

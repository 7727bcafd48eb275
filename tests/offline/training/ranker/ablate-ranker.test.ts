import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import { ablateRanker } from '../../../../src/offline/training/ranker/ablate-ranker.js';
import { listFeatureGroups } from '../../../../src/offline/training/ranker/feature-groups.js';
import { trainRanker } from '../../../../src/offline/training/ranker/train-ranker.js';
import type { LabelledQuery } from '../../../../src/offline/training/ranker/training-rows.js';
import { smallTrainingConfig } from '../../../support/trained-bundle.js';

const FEATURES = ['als.score', 'item.worth', 'item.noise'];
const config = smallTrainingConfig();
const scenario = { maxCandidates: 20 };

/** `item.worth` alone says which candidate was taken. */
function drawQueries(): LabelledQuery[] {
  const random = createSeededRandom(1);
  return Array.from({ length: 60 }, (_, user) => {
    const data = Float32Array.from({ length: 20 * FEATURES.length }, () => random.normal());
    const labels = Float32Array.from({ length: 20 }, (_, row) => (data[row * 3 + 1]! > 1 ? 1 : 0));
    return { user, items: Int32Array.from(labels.keys()), data, labels, weights: labels.map(() => 1) };
  });
}

t.test('a ranker without the group that knew the answer no longer knows it', async (t) => {
  const labelled = drawQueries();
  const ranker = await trainRanker(labelled, FEATURES, { config, scenario, progress: SILENT_PROGRESS });
  const steps: string[] = [];
  const progress = {
    start: (label: string) => {
      steps.push(label);
      return SILENT_PROGRESS.start(label);
    },
  };
  const group = { name: 'item', features: ['item.worth', 'item.gone'] };
  const without = await ablateRanker(ranker, group, { labelled, config, scenario, progress });
  t.same(without.featureOrder, ['als.score', 'item.noise']);
  t.equal(without.ensemble.objective, ranker.ensemble.objective);
  t.equal(without.rows, ranker.rows);
  const best = ({ ensemble }: typeof ranker): number => Math.max(...ensemble.validationCurve);
  t.ok(best(ranker) > 0.95 && best(without) < 0.7, `${best(ranker)} ${best(without)}`);
  t.match(steps, [/^without item: ranker/]);
  t.equal(steps.length, 1, 'the objective was chosen before');
});

t.test('the columns that are left keep their values', async (t) => {
  const labelled = drawQueries();
  const ranker = await trainRanker(labelled, FEATURES, { config, scenario, progress: SILENT_PROGRESS });
  const group = { name: 'retrieval', features: ['als.score'] };
  const options = { labelled, config, scenario, progress: SILENT_PROGRESS };
  const { ensemble } = await ablateRanker(ranker, group, options);
  t.ok(Math.max(...ensemble.validationCurve) > 0.95);
});

t.test('a group is what the ranker reads of it, and retrieval is divided by source', async (t) => {
  const groups = [
    { name: 'retrieval', features: ['als.score', 'als.reciprocal_rank', 'ease.score', 'fusion.score'] },
    { name: 'plays', features: ['plays.week'] },
    { name: 'user', features: ['user.age'] },
  ];
  t.same(listFeatureGroups(groups, ['plays.week', 'als.score', 'fusion.score']), [
    { name: 'retrieval', features: ['als.score', 'fusion.score'] },
    { name: 'retrieval: als', features: ['als.score'] },
    { name: 'retrieval: fusion', features: ['fusion.score'] },
    { name: 'plays', features: ['plays.week'] },
  ]);
});

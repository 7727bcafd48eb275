import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { PreparedDataset } from '../data/prepared-dataset.js';
import type { TrainedBundle } from '../training/bundle/train-bundle.js';
import { listFeatureGroups, type NamedFeatures } from '../training/ranker/feature-groups.js';
import { gainImportance } from '../training/ranker/tree-ensemble.js';
import { createTrainingAssembler } from '../training/stage-one/create-candidate-engine.js';
import type { EvaluationSplit } from '../protocol/splits.js';
import type { RankerFigures, SplitRanker } from './evaluation-result.js';

/** The groups that features of a trained bundle belong to; none where its ranker was trained elsewhere. */
export function findFeatureGroups(
  { stageOne, ranker }: TrainedBundle,
  dataset: PreparedDataset,
  scenario: ScenarioConfig,
): readonly NamedFeatures[] {
  if (ranker.kind === 'imported') return [];
  const assembler = createTrainingAssembler(stageOne, dataset, scenario);
  return listFeatureGroups(assembler.groups, ranker.featureOrder);
}

/** Figures of training the ranker of a bundle, with the gain of its features and their groups. */
export function describeRanker(
  ranker: TrainedBundle['ranker'],
  groups: readonly NamedFeatures[],
): RankerFigures {
  if (ranker.kind === 'imported') {
    return {
      objective: 'imported',
      trees: 0,
      validationMetric: 'nDCG@10',
      validationCurve: [],
      featureImportance: [],
      featureGroups: [],
    };
  }
  const { ensemble, featureOrder, choice } = ranker;
  const gains = gainImportance(ensemble);
  return {
    objective: ensemble.objective,
    trees: ensemble.trees.length,
    validationMetric: 'nDCG@10',
    validationCurve: [...ensemble.validationCurve],
    choice,
    featureImportance: featureOrder.map((feature, column) => ({ feature, gain: gains[column]! })),
    featureGroups: groups.map(({ name, features }) => ({
      group: name,
      features: features.length,
      gain: features.reduce((sum, feature) => sum + gains[featureOrder.indexOf(feature)]!, 0),
    })),
  };
}

/** The ranker that was trained for a split, in a few words; none where it was trained elsewhere. */
export function describeSplitRanker(
  ranker: TrainedBundle['ranker'],
  { label }: Pick<EvaluationSplit, 'label'>,
): SplitRanker[] {
  if (ranker.kind === 'imported') return [];
  const { objective, trees } = ranker.ensemble;
  return [{ split: label, objective, trees: trees.length, isTossUp: ranker.choice.isTossUp }];
}

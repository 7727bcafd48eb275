import type { ScenarioConfig } from '../../config/scenario-config.js';
import type { PreparedDataset } from '../data/prepared-dataset.js';
import type { TrainedBundle } from '../training/bundle/train-bundle.js';
import { listFeatureGroups, type NamedFeatures } from '../training/ranker/feature-groups.js';
import { gainImportance } from '../training/ranker/tree-ensemble.js';
import { createTrainingAssembler } from '../training/stage-one/create-candidate-engine.js';
import type { RankerFigures } from './evaluation-result.js';

/** What the features of a trained bundle are told apart by; nothing where its ranker was trained elsewhere. */
export function findFeatureGroups(
  { stageOne, ranker }: TrainedBundle,
  dataset: PreparedDataset,
  scenario: ScenarioConfig,
): readonly NamedFeatures[] {
  if (ranker.kind === 'imported') return [];
  const assembler = createTrainingAssembler(stageOne, dataset, scenario);
  return listFeatureGroups(assembler.groups, ranker.featureOrder);
}

/** How the ranker of a bundle was trained, with what its features and their groups did for it. */
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
  const { ensemble, featureOrder } = ranker;
  const gains = gainImportance(ensemble);
  return {
    objective: ensemble.objective,
    trees: ensemble.trees.length,
    validationMetric: 'nDCG@10',
    validationCurve: [...ensemble.validationCurve],
    featureImportance: featureOrder.map((feature, column) => ({ feature, gain: gains[column]! })),
    featureGroups: groups.map(({ name, features }) => ({
      group: name,
      features: features.length,
      gain: features.reduce((sum, feature) => sum + gains[featureOrder.indexOf(feature)]!, 0),
    })),
  };
}

import type { FeatureGroup } from '../../../features/feature-group.js';

/** Features that are judged together. */
export type NamedFeatures = Pick<FeatureGroup, 'name' | 'features'>;

const RETRIEVAL = 'retrieval';

/**
 * The groups of features that an evaluation tells apart: those of the assembler, a declared view by its name, and below
 * `retrieval` what each source and fusion have in it (`retrieval: als`). Only features that are in `featureOrder`; groups
 * that have none of them are left out.
 */
export function listFeatureGroups(
  groups: readonly NamedFeatures[],
  featureOrder: readonly string[],
): readonly NamedFeatures[] {
  const read = new Set(featureOrder);
  return groups
    .flatMap((group) => (group.name === RETRIEVAL ? [group, ...divideBySource(group)] : [group]))
    .map(({ name, features }) => ({ name, features: features.filter((feature) => read.has(feature)) }))
    .filter(({ features }) => features.length > 0);
}

function divideBySource({ name, features }: NamedFeatures): NamedFeatures[] {
  const sourceOf = (feature: string): string => feature.split('.')[0]!;
  return [...new Set(features.map(sourceOf))].map((source) => ({
    name: `${name}: ${source}`,
    features: features.filter((feature) => sourceOf(feature) === source),
  }));
}

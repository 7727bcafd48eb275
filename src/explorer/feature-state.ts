import type { Feature } from './contract.js';

/** Whether a value lies outside of what training saw of most rows. */
export function isOutside({ value, typical }: Pick<Feature, 'value' | 'typical'>): boolean {
  const [low, high] = typical ?? [];
  return low !== undefined && high !== undefined && (value < low || value > high);
}

/** The words that mark a feature; none where it is as usual. */
export function listMarks(feature: Omit<Feature, 'group'>): string[] {
  return [
    ...(feature.status === 'PRESENT' ? [] : [feature.status]),
    ...(isOutside(feature) ? ['OUTSIDE'] : []),
  ];
}

/** Features of a group, with what the group adds to the score where that is known. */
export interface FeatureGroup {
  readonly name: string;
  readonly contribution: number | undefined;
  readonly features: (readonly [label: string, feature: Feature])[];
}

/** The features by group, the groups that add or take most first. The name of the group is not repeated in those of its features. */
export function groupFeatures(
  features: readonly (readonly [name: string, feature: Feature])[],
  contributions: Readonly<Record<string, number>> = {},
): FeatureGroup[] {
  const groups = new Map<string, FeatureGroup>();
  for (const [name, feature] of features) {
    const { group } = feature;
    const found = groups.get(group) ?? { name: group, contribution: contributions[group], features: [] };
    groups.set(group, found);
    found.features.push([name.startsWith(`${group}.`) ? name.slice(group.length + 1) : name, feature]);
  }
  const sizeOf = ({ contribution }: FeatureGroup): number => Math.abs(contribution ?? 0);
  return [...groups.values()].sort((one, other) => sizeOf(other) - sizeOf(one));
}

/** Where the typical range and the value lie on a scale of 0 to 100 that holds both, with room at its ends. */
export function layOutRange(value: number, [low, high]: readonly [number, number]) {
  const least = Math.min(low, value);
  const span = Math.max(high, value) - least || 1;
  const at = (point: number): number => 8 + (84 * (point - least)) / span;
  return { low: at(low), high: at(high), value: at(value) };
}

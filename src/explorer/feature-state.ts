import type { Feature } from './contract.js';

/** Whether a value lies outside of what training saw of most rows. */
export function isOutside({ value, typical }: Pick<Feature, 'value' | 'typical'>): boolean {
  const [low, high] = typical ?? [];
  return low !== undefined && high !== undefined && (value < low || value > high);
}

/** The words that mark a feature; none where it is as usual. */
export function listMarks(feature: Feature): string[] {
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

/**
 * The features by group, the groups that add or take most first. A feature is of the group that its name begins with; what a source says is of
 * `retrieval`.
 */
export function groupFeatures(
  features: readonly (readonly [name: string, feature: Feature])[],
  sources: readonly string[],
  contributions: Readonly<Record<string, number>> = {},
): FeatureGroup[] {
  const groups = new Map<string, FeatureGroup>();
  for (const [name, feature] of features) {
    const dot = name.indexOf('.');
    const family = dot > 0 ? name.slice(0, dot) : 'other';
    const isRetrieval = family === 'fusion' || sources.includes(family);
    const group = isRetrieval ? 'retrieval' : family;
    const found = groups.get(group) ?? { name: group, contribution: contributions[group], features: [] };
    groups.set(group, found);
    found.features.push([isRetrieval ? name : name.slice(dot + 1), feature]);
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

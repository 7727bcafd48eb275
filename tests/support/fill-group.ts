import type { FeatureGroup, FeatureQuery } from '../../src/features/feature-group.js';

/** What a group writes for each candidate, by name; a feature that it does not write is not there. */
export function fillGroup(group: FeatureGroup, query: FeatureQuery): Record<string, number>[] {
  const rows = Array.from(query.candidates.items, (): Record<string, number> => ({}));
  group.fill(query, (row, feature, value) => (rows[row]![group.features[feature]!] = value));
  return rows;
}

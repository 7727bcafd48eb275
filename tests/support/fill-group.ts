import type { FeatureGroup, FeatureQuery } from '../../src/features/feature-group.js';

/** What a group that reads no view writes for each candidate, by name; a feature that it does not write is not there. */
export function fillGroup(
  group: FeatureGroup,
  query: Pick<FeatureQuery, 'candidates' | 'history' | 'now' | 'context'>,
): Record<string, number>[] {
  const rows = Array.from(query.candidates.items, (): Record<string, number> => ({}));
  const hydrated = { ...query, userRows: [], itemRows: [], reading: { now: query.now } };
  const { features, fill } = group;
  fill(hydrated, (row, feature, value) => (rows[row]![features[feature]!] = value));
  return rows;
}

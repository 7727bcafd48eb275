import type { FeatureGroup, FeatureQuery } from '../../src/features/feature-group.js';

/** What a group that reads no view writes for each candidate, by name; a feature that it does not write is not there. */
export function fillGroup(
  group: FeatureGroup,
  query: Pick<FeatureQuery, 'candidates' | 'history' | 'now' | 'context'> &
    Partial<Pick<FeatureQuery, 'typed'>>,
): Record<string, number>[] {
  const count = query.candidates.items.length;
  const written = new Map<string, Float32Array>();
  const hydrated = { typed: () => [], ...query, userRows: [], itemRows: [], reading: { now: query.now } };
  const { features, fill } = group;
  fill(hydrated, (feature) => {
    const data = new Float32Array(count);
    written.set(features[feature]!, data);
    return { data, start: 0, step: 1 };
  });
  return Array.from({ length: count }, (_, row) =>
    Object.fromEntries(Array.from(written, ([name, data]) => [name, data[row]!])),
  );
}

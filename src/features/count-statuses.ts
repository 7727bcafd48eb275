import type { FeatureRead } from './feature-observer.js';
import { type FeatureRows, VALUE_STATUS } from './feature-store.js';
import type { FeatureView } from './feature-view.js';

/** Counts the statuses of the first `count` rows of a view that were read. */
export function countStatuses(
  { name, fields }: FeatureView,
  { statuses }: FeatureRows,
  options: { count: number },
): FeatureRead {
  const counts = [0, 0, 0, 0];
  for (let at = 0; at < options.count * fields.length; at++) counts[statuses[at]!]!++;
  return {
    view: name,
    present: counts[VALUE_STATUS.PRESENT]!,
    defaulted: counts[VALUE_STATUS.DEFAULTED]!,
    stale: counts[VALUE_STATUS.STALE]!,
    unknownEntity: counts[VALUE_STATUS.UNKNOWN_ENTITY]!,
  };
}

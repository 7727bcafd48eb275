import type { FeatureRead } from './feature-observer.js';
import type { FeatureTable } from './feature-table.js';

/** How many values of the rows at these indexes are present and how many defaults; below 0 is an unknown entity. */
export function countStatuses(
  { view, columns, defaulted }: FeatureTable,
  indexes: ArrayLike<number>,
): FeatureRead {
  let known = 0;
  for (let at = 0; at < indexes.length; at++) if (indexes[at]! >= 0) known++;
  let defaults = 0;
  for (const rows of defaulted) {
    if (rows.size === 0) continue;
    for (let at = 0; at < indexes.length; at++) if (indexes[at]! >= 0 && rows.has(indexes[at]!)) defaults++;
  }
  return {
    view: `${view.entity}s`,
    present: known * columns.length - defaults,
    defaulted: defaults,
    unknownEntity: (indexes.length - known) * columns.length,
  };
}

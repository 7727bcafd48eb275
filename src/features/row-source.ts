import type { FeatureTable } from './feature-table.js';
import type { RowSource } from './materialise-view.js';

/** @param eventTime Unix seconds that the table is known up to */
export function readRowsOfTable(
  { view, entities, columns, defaulted }: FeatureTable,
  eventTime: number,
): RowSource {
  return {
    view,
    ids: entities.ids,
    eventTime,
    fillRow: (row, values) =>
      columns.forEach((column, field) => {
        values[field] = defaulted[field]!.has(row) ? Number.NaN : column[row]!;
      }),
  };
}

import type { FeatureTable } from './feature-table.js';
import { placesOf, widthOf } from './feature-view.js';
import type { LoadableRows } from './materialise-view.js';

/** The rows of a table, to be loaded into an online store. */
export function readRowsOfTable(table: FeatureTable): LoadableRows {
  const { view, entities } = table;
  const places = placesOf(view);
  return {
    view,
    ids: entities.ids,
    eventTimeOf: (row) => table.eventTimeOf(row),
    fillRow: (row, values) =>
      view.fields.forEach((description, field) => {
        const end = places[field]! + widthOf(description);
        for (let place = places[field]!; place < end; place++) {
          values[place] = table.isDefaulted(row, field) ? Number.NaN : table.valueAt(row, place);
        }
      }),
  };
}

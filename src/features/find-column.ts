import type { FeatureTable } from './feature-table.js';
import { placesOf } from './feature-view.js';

/** Reads one field of a view by entity index; undefined for a view that has no field of this name. */
export function findColumn(table: FeatureTable, name: string): ((entity: number) => number) | undefined {
  const { view } = table;
  const place = placesOf(view)[view.fields.findIndex((field) => field.name === name)];
  return place === undefined ? undefined : (entity) => table.valueAt(entity, place);
}

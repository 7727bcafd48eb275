import type { FeatureTable } from './feature-table.js';

/** Reads one field of a view by entity index; undefined for a view that has no field of this name. */
export function findColumn(table: FeatureTable, name: string): ((entity: number) => number) | undefined {
  const column = table.columns[table.view.fields.findIndex((field) => field.name === name)];
  return column && ((entity) => column[entity]!);
}

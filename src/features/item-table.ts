import type { Catalogue } from '../domain/catalogue.js';
import type { FeatureTable } from './feature-table.js';

/** The table of an item view, and how to find an item in it. */
export interface ItemTable {
  readonly table: FeatureTable;
  /** The row of each item index, -1 for an item that the view does not have; absent where the row is the item index. */
  readonly rowOf?: Int32Array;
}

/** An item view has ids of its own: this looks them up once, so that no request has to. */
export function alignToCatalogue(table: FeatureTable, { entities }: Catalogue): ItemTable {
  if (table.entities.findDifference(entities) < 0) return { table };
  return {
    table,
    rowOf: Int32Array.from({ length: entities.size }, (_, item) => table.entities.find(entities.idAt(item))),
  };
}

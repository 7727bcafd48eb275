import type { AttributeColumn, EntityTable } from '../../domain/catalogue.js';
import type { IdIndex } from '../../domain/id-index.js';
import type { FeatureTable } from '../../features/feature-table.js';
import type { FeatureView } from '../../features/feature-view.js';
import { encodeAttribute, type ViewColumn } from './encode-attribute.js';

/** The columns that a view takes from the dataset's own table, in its order. */
export function encodeColumns({ attributes }: EntityTable): ViewColumn[] {
  return attributes.filter(isColumnFeature).map(encodeAttribute);
}

/** The table of a view, where every bundle has it. */
export function createViewTable(
  entity: FeatureView['entity'],
  entities: IdIndex,
  columns: readonly ViewColumn[],
): FeatureTable {
  return {
    view: {
      name: `${entity}s`,
      entity,
      key: `${entity}_id`,
      file: `features/${entity}s.parquet`,
      fields: columns.map((column) => column.field),
    },
    entities,
    columns: columns.map((column) => column.values),
    defaulted: columns.map((column) => column.defaulted),
  };
}

/** Multi-valued attributes and texts have no column of their own; affinity features read the former. */
function isColumnFeature({ feature, role }: AttributeColumn): boolean {
  return feature && role !== 'multi-valued' && role !== 'text';
}

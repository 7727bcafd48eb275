import type { AttributeColumn, EntityTable } from '../../../domain/catalogue.js';
import type { IdIndex } from '../../../domain/id-index.js';
import { createTableBuilder, type FeatureTable, type TableBuilder } from '../../../features/feature-table.js';
import { type FeatureView, placesOf, widthOf } from '../../../features/feature-view.js';
import type { PreparedFreshness } from '../../data/prepared-views.js';
import { encodeAttribute, type ViewColumn } from './encode-attribute.js';
import { findOwn } from '../../../domain/find-own.js';

/** The columns that a view takes from the dataset's own table, in its order. */
export function encodeColumns({ attributes }: EntityTable): ViewColumn[] {
  return attributes.filter(isColumnFeature).map(encodeAttribute);
}

/** The time of a view that every bundle has. */
export interface ViewTimes {
  /** Unix seconds that all its rows are of. */
  readonly knownUntil: number;
  /** How long its values are good for, and where they are served. */
  readonly freshness: PreparedFreshness;
}

/** The table of a view, where every bundle has it. */
export function createViewTable(
  { entity, entities }: { entity: FeatureView['entity']; entities: IdIndex },
  columns: readonly ViewColumn[],
  options: ViewTimes,
): FeatureTable {
  const { fieldTimeToLiveSeconds = {}, ...freshness } = options.freshness;
  const view: FeatureView = {
    name: `${entity}s`,
    entity,
    key: `${entity}_id`,
    file: `features/${entity}s.parquet`,
    ...freshness,
    fields: columns.map(({ field }) => {
      const timeToLiveSeconds = findOwn(fieldTimeToLiveSeconds, field.name);
      return timeToLiveSeconds === undefined ? field : { ...field, timeToLiveSeconds };
    }),
  };
  const builder = createTableBuilder(view, entities.size, options);
  const places = placesOf(view);
  columns.forEach((column, field) => {
    for (let row = 0; row < entities.size; row++) {
      setValue(builder, column, { row, field, place: places[field]! });
    }
  });
  return builder.finish(entities);
}

function setValue(
  builder: TableBuilder,
  { field: description, values }: ViewColumn,
  { row, field, place }: { row: number; field: number; place: number },
): void {
  const width = widthOf(description);
  if (Number.isNaN(values[row * width])) {
    builder.setDefault(row, field);
    return;
  }
  for (let component = 0; component < width; component++) {
    builder.set(row, place + component, values[row * width + component]!);
  }
}

/** Multi-valued attributes and texts have no column of their own; affinity features read the former. */
function isColumnFeature({ feature, role }: AttributeColumn): boolean {
  return feature && role !== 'multi-valued' && role !== 'text';
}

import { IdIndex } from '../../src/domain/id-index.js';
import { createTableBuilder, type FeatureTable } from '../../src/features/feature-table.js';
import { type FeatureField, type FeatureView, placesOf, widthOf } from '../../src/features/feature-view.js';

/** Unix seconds of the rows of a test's table. */
export const KNOWN_UNTIL = 1_700_000_000;

/** A value of a field as a test writes it; undefined where the entity has none. */
export type FieldValue = number | readonly number[] | undefined;

/** A table of rows in order, each with its id and a value per field; `eventTimes` where the view has an event time. */
export function tableOf(
  view: FeatureView,
  rows: Iterable<readonly [id: string, values: readonly FieldValue[]]>,
  options: { eventTimes?: readonly number[] } = {},
): FeatureTable {
  const list = [...rows];
  const builder = createTableBuilder(view, list.length, { knownUntil: KNOWN_UNTIL });
  const places = placesOf(view);
  list.forEach(([, values], row) =>
    values.forEach((value, field) => {
      if (value === undefined) builder.setDefault(row, field);
      else [value].flat().forEach((number, at) => builder.set(row, places[field]! + at, number));
    }),
  );
  options.eventTimes?.forEach((time, row) => builder.setEventTime(row, time));
  return builder.finish(new IdIndex(list.map(([id]) => id)));
}

/** A table column by column: each the values of a field, NaN where an entity has none. */
export function tableOfColumns(
  view: FeatureView,
  ids: readonly string[],
  columns: readonly ArrayLike<number>[],
): FeatureTable {
  return tableOf(
    view,
    ids.map((id, row) => [
      id,
      columns.map((column) => (Number.isNaN(column[row]) ? undefined : column[row]!)),
    ]),
  );
}

/** A view whose fields are all float32, or what `columns` says, with its table. */
export function featureTable(
  entity: 'item' | 'user',
  ids: readonly string[],
  columns: Record<string, { values: readonly FieldValue[] } & Partial<Omit<FeatureField, 'name'>>>,
): FeatureTable {
  const view: FeatureView = {
    name: `${entity}s`,
    entity,
    key: `${entity}_id`,
    file: `features/${entity}s.parquet`,
    fields: Object.entries(columns).map(([name, column]) => {
      const { values: _values, ...field } = column;
      return { name, type: 'float32', default: 0, ...field };
    }),
  };
  return tableOf(
    view,
    ids.map((id, row) => [id, Object.values(columns).map(({ values }) => values[row])]),
  );
}

/** What a table has of each field: its values by row, component after component. */
export function columnsOf(table: FeatureTable): number[][] {
  const places = placesOf(table.view);
  return table.view.fields.map((field, index) =>
    Array.from({ length: table.entities.size }, (_, row) =>
      Array.from({ length: widthOf(field) }, (__, component) =>
        table.valueAt(row, places[index]! + component),
      ),
    ).flat(),
  );
}

/** The rows that have the default, by field. */
export function defaultedRowsOf(table: FeatureTable): number[][] {
  return table.view.fields.map((_, field) =>
    Array.from({ length: table.entities.size }, (__, row) => row).filter((row) =>
      table.isDefaulted(row, field),
    ),
  );
}

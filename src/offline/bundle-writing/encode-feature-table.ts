import type { SchemaElement } from 'hyparquet';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import type { FeatureTable } from '../../features/feature-table.js';
import { type FeatureField, placesOf } from '../../features/feature-view.js';

/** Rows decoded in one go: few enough to yield to other work in between, enough to compress well. */
const ROW_GROUP_ROWS = 50_000;

/**
 * The parquet file of a feature table: the id as REQUIRED text, the event time as REQUIRED double, an int32 as OPTIONAL
 * int32, a vector as REQUIRED bytes (its components as little-endian float32), any other field as REQUIRED float32,
 * unencoded under Snappy, which is what a reader turns into a table fastest. A value that was defaulted is written as NaN,
 * or null where it is an int32, which says that there is none. The same table gives the same bytes.
 */
export function encodeFeatureTable(table: FeatureTable): Uint8Array {
  const { view, entities } = table;
  const { eventTimes } = table.parts;
  const places = placesOf(view);
  const columnData: ColumnSource[] = [
    { name: view.key, data: [...entities.ids] },
    ...(typeof eventTimes === 'number' || view.eventTime === undefined
      ? []
      : [{ name: view.eventTime, data: eventTimes }]),
    ...view.fields.map(({ name }, field): ColumnSource => ({
      name,
      data: encodeField(table, { field, place: places[field]! }),
    })),
  ].map((column) => ({ ...column, encoding: 'PLAIN' }));
  return new Uint8Array(
    parquetWriteBuffer({
      columnData,
      schema: describeColumns(table, columnData.length),
      rowGroupSize: ROW_GROUP_ROWS,
      createdBy: 'shortlist',
    }),
  );
}

function describeColumns({ view }: FeatureTable, columns: number): SchemaElement[] {
  const times = view.eventTime === undefined ? [] : [view.eventTime];
  return [
    { name: 'features', num_children: columns },
    { name: view.key, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
    ...times.map((name): SchemaElement => ({ name, type: 'DOUBLE', repetition_type: 'REQUIRED' })),
    ...view.fields.map(describeField),
  ];
}

function describeField({ name, type, length }: FeatureField): SchemaElement {
  if (type === 'int32') return { name, type: 'INT32', repetition_type: 'OPTIONAL' };
  if (length === undefined) return { name, type: 'FLOAT', repetition_type: 'REQUIRED' };
  return { name, type: 'FIXED_LEN_BYTE_ARRAY', type_length: 4 * length, repetition_type: 'REQUIRED' };
}

function encodeField(
  table: FeatureTable,
  { field, place }: { field: number; place: number },
): ColumnSource['data'] {
  const rows = table.entities.size;
  const { type, length } = table.view.fields[field]!;
  const valueAt = (row: number, component = 0): number =>
    table.isDefaulted(row, field) ? Number.NaN : table.valueAt(row, place + component);
  if (type === 'int32') {
    return Array.from({ length: rows }, (_, row) =>
      table.isDefaulted(row, field) ? null : table.valueAt(row, place),
    );
  }
  if (length === undefined) return Float32Array.from({ length: rows }, (_, row) => valueAt(row));
  return Array.from(
    { length: rows },
    (_, row) =>
      new Uint8Array(Float32Array.from({ length }, (__, component) => valueAt(row, component)).buffer),
  );
}

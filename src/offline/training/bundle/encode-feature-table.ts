import type { SchemaElement } from 'hyparquet';
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer';
import type { FeatureTable } from '../../../features/feature-table.js';
import { type FeatureField, placesOf } from '../../../features/feature-view.js';

/** Rows that a reader has in hand at once: few enough for the processor's cache, enough to be worth a look at the footer. */
const ROW_GROUP_ROWS = 8_192;

/**
 * The parquet file of a feature table: the id as REQUIRED text, the event time as REQUIRED double, an int32 as int32, a
 * vector as REQUIRED bytes (its components as little-endian float32), any other field as REQUIRED float32, all of it
 * unencoded and not compressed, which is what a reader turns into a table fastest. A value that was defaulted is written
 * as NaN, or null where it is an int32 (OPTIONAL then), which says that there is none. The same table gives the same bytes.
 */
export function encodeFeatureTable(table: FeatureTable): Uint8Array {
  const rows = table.entities.size;
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({
    writer: bytes,
    schema: describeColumns(table),
    codec: 'UNCOMPRESSED',
    statistics: false,
    createdBy: 'shortlist',
  });
  for (let start = 0; start < rows; start += ROW_GROUP_ROWS) {
    const range = { start, end: Math.min(rows, start + ROW_GROUP_ROWS) };
    void writer.write({
      columnData: encodeRows(table, range).map((column) => ({
        ...column,
        encoding: 'PLAIN',
        offsetIndex: false,
      })),
      rowGroupSize: ROW_GROUP_ROWS,
    });
  }
  void writer.finish();
  return bytes.getBytes();
}

/** Rows from `start` to before `end`. */
interface RowRange {
  readonly start: number;
  readonly end: number;
}

function describeColumns(table: FeatureTable): SchemaElement[] {
  const { key, eventTime, fields } = table.view;
  const columns: SchemaElement[] = [
    { name: key, type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
    ...(eventTime === undefined
      ? []
      : [{ name: eventTime, type: 'DOUBLE', repetition_type: 'REQUIRED' } as const]),
    ...fields.map((field, index) => describeField(field, isComplete(table, index))),
  ];
  return [{ name: 'features', num_children: columns.length }, ...columns];
}

function describeField({ name, type, length }: FeatureField, complete: boolean): SchemaElement {
  if (type === 'int32') return { name, type: 'INT32', repetition_type: complete ? 'REQUIRED' : 'OPTIONAL' };
  if (length === undefined) return { name, type: 'FLOAT', repetition_type: 'REQUIRED' };
  return { name, type: 'FIXED_LEN_BYTE_ARRAY', type_length: 4 * length, repetition_type: 'REQUIRED' };
}

function isComplete(table: FeatureTable, field: number): boolean {
  for (let row = 0; row < table.entities.size; row++) if (table.isDefaulted(row, field)) return false;
  return true;
}

function encodeRows(table: FeatureTable, range: RowRange): ColumnSource[] {
  const { view, entities } = table;
  const places = placesOf(view);
  const time = view.eventTime;
  return [
    { name: view.key, data: mapRows(range, (row) => entities.idAt(row)) },
    ...(time === undefined ? [] : [{ name: time, data: mapRows(range, (row) => table.eventTimeOf(row)) }]),
    ...view.fields.map(({ name }, field) => ({
      name,
      data: encodeField(table, { field, place: places[field]!, range }),
    })),
  ];
}

function encodeField(
  table: FeatureTable,
  { field, place, range }: { field: number; place: number; range: RowRange },
): ColumnSource['data'] {
  const { type, length } = table.view.fields[field]!;
  const valueAt = (row: number, component = 0): number =>
    table.isDefaulted(row, field) ? Number.NaN : table.valueAt(row, place + component);
  if (type === 'int32') {
    return mapRows(range, (row) => (table.isDefaulted(row, field) ? null : table.valueAt(row, place)));
  }
  if (length === undefined) {
    return new Float32Array(range.end - range.start).map((_, offset) => valueAt(range.start + offset));
  }
  return mapRows(range, (row) => {
    const vector = Float32Array.from({ length }, (_, component) => valueAt(row, component));
    return new Uint8Array(vector.buffer);
  });
}

function mapRows<T>({ start, end }: RowRange, valueOf: (row: number) => T): T[] {
  return Array.from({ length: end - start }, (_, offset) => valueOf(start + offset));
}

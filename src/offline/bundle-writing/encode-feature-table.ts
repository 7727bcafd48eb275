import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import type { FeatureTable } from '../../features/feature-table.js';
import type { RowSet } from '../../features/row-set.js';

/** Rows decoded in one go: few enough to yield to other work in between, enough to compress well. */
const ROW_GROUP_ROWS = 50_000;

/**
 * The parquet file of a feature table: the id as REQUIRED text, each field as REQUIRED float32, unencoded under Snappy,
 * which is what a reader turns into typed arrays fastest. A value that was defaulted is written as NaN, which says that
 * there is none. The same table gives the same bytes.
 * @throws {RangeError} when a column has not one value per entity
 */
export function encodeFeatureTable(table: FeatureTable): Uint8Array {
  const { view, entities, columns, defaulted } = table;
  const ids: ColumnSource = { name: view.key, data: [...entities.ids], type: 'STRING', nullable: false };
  const fields = view.fields.map(({ name }, index): ColumnSource => {
    const data = columns[index]!;
    if (data.length !== entities.size) {
      throw new RangeError(`column ${name} has ${data.length} values for ${entities.size} entities`);
    }
    return {
      name,
      data: withoutDefaults(data, defaulted[index]!),
      type: 'FLOAT',
      nullable: false,
      encoding: 'PLAIN',
    };
  });
  return new Uint8Array(
    parquetWriteBuffer({
      columnData: [ids, ...fields],
      rowGroupSize: ROW_GROUP_ROWS,
      createdBy: 'shortlist',
    }),
  );
}

function withoutDefaults(values: Float32Array, defaulted: RowSet): Float32Array {
  if (defaulted.size === 0) return values;
  return values.map((value, row) => (defaulted.has(row) ? Number.NaN : value));
}

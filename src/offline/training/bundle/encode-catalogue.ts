import type { SchemaElement } from 'hyparquet';
import { type ColumnSource, parquetWriteBuffer } from 'hyparquet-writer';
import type { AttributeColumn, Catalogue, ColumnRole } from '../../../domain/catalogue.js';
import { CATALOGUE_KEY } from '../../../features/read-catalogue.js';

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8', logical_type: { type: 'STRING' } } as const;
const toTextSchema = (name: string): SchemaElement[] => [{ name, ...TEXT, repetition_type: 'OPTIONAL' }];
const SCHEMAS: Record<ColumnRole, (name: string) => SchemaElement[]> = {
  numeric: (name) => [{ name, type: 'DOUBLE', repetition_type: 'OPTIONAL' }],
  boolean: (name) => [{ name, type: 'BOOLEAN', repetition_type: 'OPTIONAL' }],
  categorical: toTextSchema,
  text: toTextSchema,
  'multi-valued': (name) => [
    {
      name,
      repetition_type: 'OPTIONAL',
      num_children: 1,
      converted_type: 'LIST',
      logical_type: { type: 'LIST' },
    },
    { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
    { name: 'element', ...TEXT, repetition_type: 'REQUIRED' },
  ],
};
const ROW_GROUP_ROWS = 50_000;

/**
 * The parquet file of a catalogue: `item_id` as REQUIRED text, then one optional column per attribute: texts and
 * categories as text, numbers as double, booleans as boolean, multi-valued attributes as LIST of text.
 * The same catalogue gives the same bytes.
 */
export function encodeCatalogue(catalogue: Catalogue): Uint8Array {
  const { entities, attributes } = catalogue;
  const columns = [{ name: CATALOGUE_KEY, data: [...entities.ids] }, ...attributes.map(toColumn)];
  const schema: SchemaElement[] = [
    { name: 'catalogue', num_children: columns.length },
    { name: CATALOGUE_KEY, ...TEXT, repetition_type: 'REQUIRED' },
    ...attributes.flatMap(({ name, role }) => SCHEMAS[role](name)),
  ];
  return new Uint8Array(
    parquetWriteBuffer({ columnData: columns, schema, rowGroupSize: ROW_GROUP_ROWS, createdBy: 'shortlist' }),
  );
}

function toColumn({ name, role, values }: AttributeColumn): ColumnSource {
  const isText = role === 'text' || role === 'categorical';
  return {
    name,
    data: isText ? values.map((value) => (value === undefined ? undefined : String(value))) : [...values],
  };
}

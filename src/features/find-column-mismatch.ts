import type { SchemaTree } from 'hyparquet';
import type { FeatureField } from './feature-view.js';

const NUMERIC_TYPES: ReadonlySet<string | undefined> = new Set([
  'FLOAT',
  'DOUBLE',
  'INT32',
  'INT64',
  'BOOLEAN',
]);
const OTHER_MEANINGS = /^(DATE|TIME|INTERVAL)/;

/** Why a column of a parquet file cannot hold the values of a field, if it cannot. */
export function findMismatch(column: SchemaTree | undefined, field: FeatureField): string | undefined {
  if (column === undefined) return `it has no column ${field.name}`;
  if (field.type === 'vector') return findVectorMismatch(column, field);
  if (isNumeric(column)) return undefined;
  return `column ${field.name} is ${describe(column)}, not numeric`;
}

function findVectorMismatch(column: SchemaTree, { name, length }: FeatureField): string | undefined {
  const { type, type_length: bytes } = column.element;
  const element = column.children[0]?.children[0];
  if (describe(column) === 'LIST' && element !== undefined && isNumeric(element)) return undefined;
  if (describe(column) !== 'FIXED_LEN_BYTE_ARRAY') {
    return `column ${name} is ${describe(column)}, not a list of numbers or a vector of float32`;
  }
  if (bytes === 4 * length!) return undefined;
  return `column ${name} is ${type} of ${bytes} bytes, a vector of ${length} float32 has ${4 * length!}`;
}

function isNumeric(column: SchemaTree): boolean {
  return NUMERIC_TYPES.has(column.element.type) && !OTHER_MEANINGS.test(describe(column));
}

function describe({ element }: SchemaTree): string {
  return element.logical_type?.type ?? element.converted_type ?? element.type ?? 'a group of columns';
}

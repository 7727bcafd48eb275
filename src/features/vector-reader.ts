import type { TableBuilder } from './feature-table.js';
import type { FeatureField } from './feature-view.js';
import type { ColumnVisitor } from './parquet-file.js';
import type { RowProblems } from './row-problems.js';

/** The destination of the values of one field, and of their problems. */
export interface FieldTarget {
  readonly builder: TableBuilder;
  readonly field: FeatureField;
  /** Of the view's fields. */
  readonly index: number;
  /** Where it begins in a row of so many values. */
  readonly place: number;
  readonly width: number;
  readonly found: RowProblems;
}

/**
 * Takes vectors as bytes (little-endian float32, as bundles have them) or as lists of numbers. One that is null, or all
 * NaN, is missing; one of another length, or with a component that is no finite float32, is a problem.
 */
export function createVectorReader(target: FieldTarget): ColumnVisitor {
  const scratch = new Float32Array(target.field.length!);
  const bytes = new Uint8Array(scratch.buffer);
  return (column, firstRow) => {
    for (let offset = 0; offset < column.length; offset++) {
      const value = column[offset];
      if (value instanceof Uint8Array) bytes.set(value);
      else if (!readList(value, { scratch, row: firstRow + offset, found: target.found })) continue;
      storeVector(scratch, firstRow + offset, target);
    }
  };
}

/** Whether the list could be read; a list that is missing reads as all NaN. */
function readList(
  value: unknown,
  { scratch, row, found }: { scratch: Float32Array; row: number; found: RowProblems },
): boolean {
  if (value === null || value === undefined) {
    scratch.fill(Number.NaN);
    return true;
  }
  const list = value as ArrayLike<number | bigint | null | undefined>;
  if (list.length !== scratch.length) {
    found.add('length', row, `the vector has ${list.length} components, not ${scratch.length}`);
    return false;
  }
  for (let at = 0; at < list.length; at++) scratch[at] = Number(list[at] ?? Number.NaN);
  return true;
}

function storeVector(
  vector: Float32Array,
  row: number,
  { builder, index, place, width, found }: FieldTarget,
): void {
  let missing = 0;
  let sum = 0;
  for (let at = 0; at < vector.length; at++) {
    if (Number.isNaN(vector[at])) missing++;
    // Less itself, a number is 0, and NaN or an infinity is NaN, which no later sum hides.
    sum += vector[at]! - vector[at]!;
  }
  if (missing === vector.length) {
    builder.setDefault(row, index);
    return;
  }
  if (sum !== 0) found.add('component', row, 'the vector has a component that is not a finite float32');
  builder.values.set(vector, row * width + place);
}

import type { FeatureColumn } from './feature-group.js';

/** Writes what is the same for every candidate. */
export function writeConstant({ data, start, step }: FeatureColumn, rows: number, value: number): void {
  for (let row = 0, at = start; row < rows; row++, at += step) data[at] = value;
}

/** Writes every `stride`th of some values, from the one at `first`. */
export function writeValues(
  { data, start, step }: FeatureColumn,
  rows: number,
  { values, first, stride }: { values: Float32Array | Float64Array; first: number; stride: number },
): void {
  for (let row = 0, at = start, from = first; row < rows; row++, at += step, from += stride)
    data[at] = values[from]!;
}

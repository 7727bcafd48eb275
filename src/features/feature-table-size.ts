import type { FeatureTable } from './feature-table.js';

/** Letters of a UUID: what an id is taken to have where its file has not been read yet. */
const ASSUMED_ID_BYTES = 36;

/** Where an id begins, and 1.5 slots of 4 bytes to find it by. */
const INDEX_BYTES = 10;

/** A float32, and the bit that says whether it is the default. */
const VALUE_BYTES = 4 + 1 / 8;

/**
 * Bytes that the table of a view takes in memory: rows × (4.125 × fields + bytes of an id + 10).
 * @param shape.idBytes mean length of an id in UTF-8; 36 where nothing better is known
 */
export function estimateTableBytes(shape: { rows: number; fields: number; idBytes?: number }): number {
  const { rows, fields, idBytes = ASSUMED_ID_BYTES } = shape;
  return Math.ceil(rows * (VALUE_BYTES * fields + idBytes + INDEX_BYTES));
}

/** Bytes that a table takes in memory: all of them lie in typed arrays. */
export function tableBytes({ columns, defaulted, entities }: FeatureTable): number {
  const values = columns.reduce((sum, column) => sum + column.byteLength, 0);
  const bits = defaulted.reduce((sum, rows) => sum + rows.bytes.byteLength, 0);
  return values + bits + entities.sizeBytes;
}

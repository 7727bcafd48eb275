import { defaultedBytesOf } from './feature-table.js';
import { type FeatureView, rowWidthOf } from './feature-view.js';

/** Letters of a UUID: what an id is taken to have where its file has not been read yet. */
const ASSUMED_ID_BYTES = 36;

/** Where an id begins, and 1.5 slots of 4 bytes to find it by. */
const INDEX_BYTES = 10;

/**
 * Bytes that the table of a view takes in memory: rows × (4 × width + ⌈fields / 8⌉ + bytes of an id + 10, and 8 where the
 * view has an event time). The width counts 1 per field, or the length of a vector.
 * @param shape.idBytes mean length of an id in UTF-8; 36 where nothing better is known
 */
export function estimateTableBytes(view: FeatureView, shape: { rows: number; idBytes?: number }): number {
  const { rows, idBytes = ASSUMED_ID_BYTES } = shape;
  const timeBytes = view.eventTime === undefined ? 0 : 8;
  const rowBytes = 4 * rowWidthOf(view) + defaultedBytesOf(view) + timeBytes;
  return Math.ceil(rows * (rowBytes + idBytes + INDEX_BYTES));
}

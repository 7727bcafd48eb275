import { createSharedMemory, type SharedMemory } from '../bundle/wasm-module.js';
import type { ItemVectors } from './item-search.js';

/**
 * Item vectors as bytes, by descending length, with what they differ from the vectors by at most. It lies in memory that threads share,
 * and may be sent to them.
 */
export interface Int8Rows {
  readonly memory: SharedMemory;
  readonly itemCount: number;
  readonly dimensions: number;
}

/** Rows that are scored side by side. */
export const TILE = 16;

/** Bytes of one number of each row of a tile. */
const PER_ROW = 4 * TILE;

/** Dimensions are filled up with zeros to a multiple of this. */
export const STEP = 8;

/** The largest whole number of an item's vector. */
const ITEM_MAXIMUM = 127;

/** What WebAssembly can address. */
const MOST_BYTES = 2 ** 32;

/** Vectors that are longer are not approximated: sums of their squares and products with users are finite. */
const LONGEST = 2 ** 60;

/** Covers float32 rounding, relative to the length of a vector: see docs/adr/0027. */
const ROUNDING = 2 ** -20;

/** Covers numbers that are too small for float32, for users whose vector is no shorter than `SHORTEST_USER`. */
const UNDERFLOW = 2 ** -89;

/** The largest whole number of a user's vector: 15 bits, where sums of products fit 32. */
export function userMaximum(dimensions: number): number {
  return Math.min(32_767, Math.floor((2 ** 31 - 1) / (ITEM_MAXIMUM * dimensions)));
}

/** How far a user's whole numbers are from the vector at most, as a share of its length. */
function userError(dimensions: number): number {
  return (0.5001 * Math.sqrt(dimensions)) / userMaximum(dimensions);
}

/**
 * Bytes of a tile: two of each of its rows, then the next two; then, of each row, what its whole numbers are to be multiplied by, how far
 * its score may be off (of rows that stand for no item the lowest number there is), and its item. What belongs together is read together.
 */
export function placeTile(dimensions: number) {
  const rows = TILE * STEP * Math.ceil(dimensions / STEP);
  return { scales: rows, bounds: rows + PER_ROW, items: rows + 2 * PER_ROW, bytes: rows + 3 * PER_ROW };
}

/** Number of tiles. */
export function countTiles(itemCount: number): number {
  return Math.ceil(itemCount / TILE);
}

/** Per tile, no less than the length of its vectors and of all that follow. */
export function viewLengths({ memory, itemCount, dimensions }: Int8Rows): Float32Array {
  const tiles = countTiles(itemCount);
  return new Float32Array(memory.buffer, tiles * placeTile(dimensions).bytes, tiles);
}

/**
 * Quantises item vectors. The same vectors give the same bytes.
 * @returns undefined where they are too many, or one is too long or not finite
 */
export function quantiseItems({ factors, dimensions }: ItemVectors): Int8Rows | undefined {
  const itemCount = factors.length / dimensions;
  const lengths = measureLengths({ factors, dimensions });
  const tiles = countTiles(itemCount);
  const bytes = tiles * (placeTile(dimensions).bytes + Float32Array.BYTES_PER_ELEMENT);
  if (bytes > MOST_BYTES || !lengths.every((length) => length <= LONGEST)) return undefined;
  const memory = createSharedMemory(bytes);
  const rows: Int8Rows = { memory, itemCount, dimensions };
  const longest = viewLengths(rows);
  const order = orderByLength(lengths);
  for (let tile = 0; tile < tiles; tile++) {
    const items = order.subarray(tile * TILE, (tile + 1) * TILE);
    longest[tile] = lengths[items[0]!]! * (1 + ROUNDING) + UNDERFLOW;
    writeTile(items, tile, { factors, lengths, rows });
  }
  return rows;
}

function writeTile(
  items: Int32Array,
  tile: number,
  { factors, lengths, rows }: { factors: Float32Array; lengths: Float64Array; rows: Int8Rows },
): void {
  const { dimensions, memory } = rows;
  const at = placeTile(dimensions);
  const start = tile * at.bytes;
  const bytes = new Int8Array(memory.buffer, start, at.scales);
  const scales = new Float32Array(memory.buffer, start + at.scales, TILE);
  const bounds = new Float32Array(memory.buffer, start + at.bounds, TILE).fill(Number.NEGATIVE_INFINITY);
  new Int32Array(memory.buffer, start + at.items, TILE).set(items);
  items.forEach((item, row) => {
    const vector = factors.subarray(item * dimensions, (item + 1) * dimensions);
    const scale = measureScale(vector);
    scales[row] = scale;
    let quantised = 0;
    let rest = 0;
    for (let k = 0; k < dimensions; k++) {
      const whole = scale === 0 ? 0 : clamp(Math.round(vector[k]! / scale));
      bytes[(k >> 1) * 2 * TILE + 2 * row + (k & 1)] = whole;
      quantised += (scale * whole) ** 2;
      rest += (vector[k]! - scale * whole) ** 2;
    }
    bounds[row] = boundError({
      rest: Math.sqrt(rest),
      quantised: Math.sqrt(quantised),
      length: lengths[item]!,
      dimensions,
    });
  });
}

/** What the whole numbers of a vector are to be multiplied by. */
function measureScale(vector: Float32Array): number {
  let largest = 0;
  for (const value of vector) largest = Math.max(largest, Math.abs(value));
  return Math.fround(largest / ITEM_MAXIMUM);
}

/**
 * How far the score of a row is from that of its vector at most, per length of the user's vector: by Cauchy and Schwarz what was rounded
 * away of the item's vector, what is of the user's, and float32 (docs/adr/0027).
 */
function boundError(of: { rest: number; quantised: number; length: number; dimensions: number }): number {
  const exact = of.rest + of.quantised * (userError(of.dimensions) + ROUNDING) + of.length * ROUNDING;
  return exact * (1 + ROUNDING) + UNDERFLOW;
}

function clamp(value: number): number {
  return Math.max(-ITEM_MAXIMUM, Math.min(ITEM_MAXIMUM, value));
}

function measureLengths({ factors, dimensions }: ItemVectors): Float64Array {
  const lengths = new Float64Array(factors.length / dimensions);
  for (let item = 0, at = 0; item < lengths.length; item++) {
    let sum = 0;
    for (const end = at + dimensions; at < end; at++) sum += factors[at]! * factors[at]!;
    lengths[item] = Math.sqrt(sum);
  }
  return lengths;
}

/** Items by descending length, then ascending index. */
function orderByLength(lengths: Float64Array): Int32Array {
  const order = Int32Array.from(lengths.keys());
  return order.sort((one, other) => lengths[other]! - lengths[one]! || one - other);
}

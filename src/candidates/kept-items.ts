import { findFloor } from '../domain/top-k.js';
import { RECORD } from './int8-kernel.js';
import type { SearchOptions } from './item-search.js';

/** Below every bound of an item, above those of rows that stand for none. */
const NOTHING_YET = -3.4e38;

/** Words of a record. */
const LOWER = RECORD.lower / 4;
const UPPER = RECORD.upper / 4;
const ITEMS = RECORD.items / 4;
const WORDS = RECORD.bytes / 4;
const LANES = 4;
/** Records that are taken before room is made for more. */
const CHUNK = 64;
const CHUNK_WORDS = CHUNK * WORDS;

/** Items beyond the limit that are held before those are dropped that cannot be among the best any more. */
const SLACK = 256;

/** The memory of a kernel, in words. */
export interface Records {
  readonly floats: Float32Array;
  readonly words: Int32Array;
}

/** Keeps items that may be among the best, by bounds of their scores. */
export interface KeptItems {
  /** Forgets what it kept. */
  reset(options: SearchOptions): void;
  /** What the upper bound of an item has to reach: `limit` items have a score of that at least. */
  least(): number;
  /** Takes the records between two words. */
  take(records: Records, place: { from: number; to: number }): void;
  /** The items that may be among the best, in any order, until it is reset. */
  items(): Int32Array;
}

/** Keeps nothing before it is reset. */
export function createKeptItems(): KeptItems {
  const held: Held = {
    limit: 0,
    eligible: new Uint8Array(0),
    least: NOTHING_YET,
    size: 0,
    capacity: 0,
    items: new Int32Array(0),
    lower: new Float32Array(0),
    upper: new Float32Array(0),
  };
  return {
    reset: ({ limit, eligible }) => {
      Object.assign(held, { limit, eligible, least: NOTHING_YET, size: 0 });
      setCapacity(held, 2 * limit + SLACK);
    },
    least: () => held.least,
    take: (records, { from, to }) => {
      for (let start = from; start < to; start += CHUNK_WORDS) {
        append(held, records, { from: start, to: Math.min(start + CHUNK_WORDS, to) });
        if (held.size > held.capacity) drop(held);
      }
    },
    items: () => {
      drop(held);
      return held.items.subarray(0, held.size);
    },
  };
}

/** What is kept, with the bounds of each. */
interface Held {
  limit: number;
  eligible: Uint8Array;
  least: number;
  size: number;
  /** Items that are held before some are dropped. */
  capacity: number;
  items: Int32Array;
  lower: Float32Array;
  upper: Float32Array;
}

/** Makes room for as many, and what a chunk may add. */
function setCapacity(held: Held, wanted: number): void {
  held.capacity = wanted;
  const room = wanted + LANES * CHUNK + 1;
  if (held.items.length >= room) return;
  const { size, items, lower, upper } = held;
  held.items = new Int32Array(room);
  held.lower = new Float32Array(room);
  held.upper = new Float32Array(room);
  held.items.set(items.subarray(0, size));
  held.lower.set(lower.subarray(0, size));
  held.upper.set(upper.subarray(0, size));
}

/** Drops the items that cannot be among the best any more. */
function drop(held: Held): void {
  const { limit, size, items, lower, upper } = held;
  if (size < limit) return;
  const floor = Math.max(held.least, findFloor(lower, { size, count: limit }));
  let kept = 0;
  for (let at = 0; at < size; at++) {
    items[kept] = items[at]!;
    lower[kept] = lower[at]!;
    upper[kept] = upper[at]!;
    kept += upper[at]! >= floor ? 1 : 0;
  }
  held.least = floor;
  held.size = kept;
  if (2 * kept > held.capacity) setCapacity(held, 2 * kept + SLACK);
}

function append(held: Held, { floats, words }: Records, { from, to }: { from: number; to: number }): void {
  const { least, eligible, items, lower, upper } = held;
  let { size } = held;
  for (let record = from; record < to; record += WORDS) {
    for (let lane = 0; lane < LANES; lane++) {
      const bound = floats[record + UPPER + lane]!;
      if (!(bound >= least)) continue;
      const item = words[record + ITEMS + lane]!;
      if (eligible[item] === 0) continue;
      items[size] = item;
      lower[size] = floats[record + LOWER + lane]!;
      upper[size++] = bound;
    }
  }
  held.size = size;
}

import { compileWasm, createOwnMemory, WASM, type WasmCode } from '../../bundle/wasm-module.js';
import type { ItemLinks } from '../../domain/item-links.js';

/** What the links that were followed say of a candidate: places in its record of float64. */
export const RECORD = { best: 0, hits: 1, decayed: 2, mean: 3, size: 4 } as const;

/** Follows the links of items to the candidates of one query at a time, in memory that the next query uses again. */
export interface LinkFollower {
  /** Gives a record per candidate, all zeros, in candidate order. */
  begin(candidates: Int32Array): Float64Array;
  /**
   * Adds the links of an item to the records of those candidates that they lead to.
   * @param options.weight of the item in `decayed`
   * @param options.items how many items are followed, for `mean`
   */
  follow(item: number, options: { weight: number; items: number }): void;
  end(candidates: Int32Array): void;
}

const [FLOAT, DOUBLE] = [4, 8];
const RECORD_BYTES = RECORD.size * DOUBLE;
/** Addresses: at 0 the record of what is no candidate, then pairs of float64 that a kernel is told, then the links of an item. */
const TOLD = { factors: 32, divisors: 48, mask: 64, ones: 80 } as const;
const LINKS = 96;

/**
 * In WebAssembly, which adds to both sums of a record at once. A link that leads to no candidate adds to a record that nobody reads: whether one
 * does could not be guessed, and a wrong guess costs more. 50 items with 200 links each take 0.03 ms, in JavaScript 0.054.
 */
export function createLinkFollower({ offsets, neighbours, similarities }: ItemLinks): LinkFollower {
  const longest = offsets.reduce((most, end, at) => Math.max(most, end - (offsets[at - 1] ?? 0)), 0);
  const items = offsets.length - 1;
  let capacity = 512;
  let kernel = openKernel({ longest, items, capacity });

  return {
    begin: (candidates) => {
      if (candidates.length > capacity) {
        capacity = 2 * candidates.length;
        kernel = openKernel({ longest, items, capacity });
      }
      const { records, recordOf, firstRecord } = kernel;
      const used = records.subarray(0, RECORD.size * candidates.length).fill(0);
      for (let row = 0; row < candidates.length; row++) {
        recordOf[candidates[row]!] = firstRecord + RECORD_BYTES * row;
      }
      return used;
    },
    follow: (item, { weight, items: followed }) => {
      const [from, to] = [offsets[item]!, offsets[item + 1]!];
      if (from === to) return;
      kernel.neighbours.set(neighbours.subarray(from, to));
      kernel.similarities.set(similarities.subarray(from, to));
      kernel.factors[0] = weight;
      kernel.divisors[1] = followed;
      kernel.addLinks(to - from);
    },
    end: (candidates) => {
      for (let row = 0; row < candidates.length; row++) kernel.recordOf[candidates[row]!] = 0;
    },
  };
}

interface Size {
  /** Links of an item at most. */
  readonly longest: number;
  readonly items: number;
  /** Candidates at most. */
  readonly capacity: number;
}

/** Lays out the memory of a kernel; behind the links are the address of each item's record, and the records. */
function openKernel({ longest, items, capacity }: Size) {
  const room = 2 * Math.ceil(longest / 2);
  const similaritiesAt = LINKS + FLOAT * room;
  const recordOfAt = similaritiesAt + FLOAT * room;
  const firstRecord = recordOfAt + FLOAT * 2 * Math.ceil(items / 2);
  const own = createOwnMemory(firstRecord + RECORD_BYTES * capacity);
  const { buffer } = own;
  const pairAt = (place: number): Float64Array => new Float64Array(buffer, place, 2);
  pairAt(TOLD.factors).fill(1);
  pairAt(TOLD.divisors).fill(1);
  pairAt(TOLD.ones)[1] = 1;
  new Uint32Array(buffer, TOLD.mask, 2).fill(0xffffffff);
  const [addLinks] = compileWasm([describeAddLinks({ similaritiesAt, recordOfAt })])({ own });
  return {
    neighbours: new Int32Array(buffer, LINKS, longest),
    similarities: new Float32Array(buffer, similaritiesAt, longest),
    recordOf: new Int32Array(buffer, recordOfAt, items),
    records: new Float64Array(buffer, firstRecord, RECORD.size * capacity),
    factors: pairAt(TOLD.factors),
    divisors: pairAt(TOLD.divisors),
    firstRecord,
    addLinks: addLinks!,
  };
}

/** addLinks(count): of each link to its record, best and hits, then decayed and mean, side by side. */
function describeAddLinks({ similaritiesAt, recordOfAt }: { similaritiesAt: number; recordOfAt: number }) {
  const { get, set, i32, v128, f64x2, loop, repeatIf } = WASM;
  const told = (place: number): WasmCode => v128.load(i32.of(0), place);
  const half = (place: number): WasmCode => v128.load(get('record'), DOUBLE * place);
  const keep = (value: WasmCode, place: number): WasmCode => v128.store(get('record'), value, DOUBLE * place);
  const share = f64x2.divide(f64x2.multiply(get('similarity'), told(TOLD.factors)), told(TOLD.divisors));
  const best = v128.and(get('similarity'), told(TOLD.mask));
  const neighbour = i32.load(get('link'), LINKS);
  return {
    name: 'addLinks',
    parameters: ['count'],
    locals: ['link', 'record'],
    vectors: ['similarity'],
    code: loop([
      set('record', i32.load(i32.shiftLeft(neighbour, i32.of(2)), recordOfAt)),
      set('similarity', f64x2.from(v128.loadSplat(get('link'), similaritiesAt))),
      keep(f64x2.larger(f64x2.add(half(RECORD.best), told(TOLD.ones)), best), RECORD.best),
      keep(f64x2.add(half(RECORD.decayed), share), RECORD.decayed),
      set('link', i32.add(get('link'), i32.of(FLOAT))),
      set('count', i32.add(get('count'), i32.of(-1))),
      repeatIf(get('count')),
    ]),
  };
}

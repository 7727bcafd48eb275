import {
  compileWasm,
  createOwnMemory,
  WASM,
  type WasmCode,
  type WasmFunction,
} from '../bundle/wasm-module.js';
import type { TreeKernel, TreeNode } from './tree-node.js';

/** Rows that go through a tree side by side: the float32 of a vector. */
const LANES = 4;

/**
 * Rows that are computed at a time. The values of a column lie together, and columns 19 cache lines apart: where they were a power of
 * two apart, they would push each other out of the cache.
 */
const CHUNK = 304;

/** Bytes of a float32. */
const FLOAT = 4;

/**
 * Trees compiled to a function each: every branch compares four rows at once and chooses between what its children give, from the leaves
 * up, so that nothing is asked, looked up or waited for. It computes all branches where a walk computes those on its way; but rows that walk
 * side by side go as deep as the deepest leaf, each by itself. 300 rows of 94 columns by 177 trees of 15 leaves: a walk 0.39 ms, choices 0.14 ms
 * (docs/performance.md).
 * @param trees one or more
 */
export function createTreeChoices(trees: readonly TreeNode[], { columns }: { columns: number }): TreeKernel {
  const numbers = trees.flatMap(listNumbers);
  const sumsAt = FLOAT * numbers.length;
  const places = { sums: sumsAt, rows: sumsAt + FLOAT * CHUNK };
  const own = createOwnMemory(places.rows + FLOAT * CHUNK * columns);
  const memory = own.buffer;
  new Float32Array(memory).set(numbers);
  const input = new Float32Array(memory, places.rows, CHUNK * columns);
  const sums = new Float32Array(memory, places.sums, CHUNK);
  const adders = compileWasm(describeTrees(trees, places))({ own });

  return {
    sum: (rows) => {
      const count = rows.length / columns;
      const result = new Float32Array(count);
      for (let first = 0; first < count; first += CHUNK) {
        const size = Math.min(CHUNK, count - first);
        transpose(rows.subarray(first * columns, (first + size) * columns), columns, input);
        sums.fill(0);
        for (const addLeaves of adders) addLeaves(size);
        result.set(sums.subarray(0, size), first);
      }
      return result;
    },
  };
}

/** Column by column. Four rows at a time, which share a cache line of each column, take half as long as one. */
function transpose(rows: Float32Array, columns: number, target: Float32Array): void {
  const last = rows.length - columns;
  for (let row = 0, from = 0; from <= last; row += LANES, from += LANES * columns) {
    // Beyond the last row stands the last one again.
    const second = Math.min(from + columns, last);
    const third = Math.min(from + 2 * columns, last);
    const fourth = Math.min(from + 3 * columns, last);
    for (let column = 0, to = row; column < columns; column++, to += CHUNK) {
      target[to] = rows[from + column]!;
      target[to + 1] = rows[second + column]!;
      target[to + 2] = rows[third + column]!;
      target[to + 3] = rows[fourth + column]!;
    }
  }
}

/** The leaves and thresholds of a tree, in the order in which its function reads them. */
function listNumbers(node: TreeNode): number[] {
  return 'leaf' in node ? [node.leaf] : [...node.children.flatMap(listNumbers), node.threshold];
}

/** Addresses in the memory of the kernel; that of the numbers is 0. */
interface Places {
  readonly sums: number;
  readonly rows: number;
}

/** addLeaves(count), for each tree: adds the leaves of so many rows to their sums. */
function describeTrees(trees: readonly TreeNode[], places: Places): WasmFunction[] {
  const { get, set, i32, f32x4, v128, loop, repeatIf } = WASM;
  let numbers = 0;
  const readNumber = (): WasmCode => v128.loadSplat(i32.of(0), FLOAT * numbers++);
  const choose = (node: TreeNode): WasmCode => {
    if ('leaf' in node) return readNumber();
    const [first, second] = node.children.map(choose) as [WasmCode, WasmCode];
    const value = v128.load(get('row'), places.rows + FLOAT * CHUNK * node.feature);
    const threshold = readNumber();
    // What is not a number is neither more nor at most.
    return node.missingIsBelow
      ? v128.choose(second, first, f32x4.isMore(value, threshold))
      : v128.choose(first, second, f32x4.isAtMost(value, threshold));
  };
  const sum = v128.load(get('row'), places.sums);
  return trees.map((tree, index) => ({
    name: `addLeaves${index}`,
    parameters: ['count'],
    locals: ['row'],
    code: loop([
      v128.store(get('row'), f32x4.add(sum, choose(tree)), places.sums),
      set('row', i32.add(get('row'), i32.of(FLOAT * LANES))),
      set('count', i32.add(get('count'), i32.of(-LANES))),
      repeatIf(i32.isMore(get('count'), i32.of(0))),
    ]),
  }));
}

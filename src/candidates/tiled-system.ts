import { compileWasm, createOwnMemory, WASM, type WasmCode } from '../bundle/wasm-module.js';

// Symmetric systems in whole 4 × 4 tiles: what both solvers of iALS sum up and solve.

/** 64 rows × 64 dimensions of float64 are 32 KB: one block stays in the first-level cache while all its tiles are summed. */
export const BLOCK_ROWS = 64;

/** Rows are padded with zeros to whole 4 × 4 tiles, so that the tile loop needs no edge cases. */
export function padToTile(dimensions: number): number {
  return (dimensions + 3) & ~3;
}

/** A system of equations, and a block of rows whose products are added to it. */
export interface GramSum {
  /** [BLOCK_ROWS × stride] */
  readonly block: Float64Array;
  /** [stride × stride], of which the lower triangle of tiles is used. */
  readonly system: Float64Array;
  /** Adds the Gram of the first `rows` rows of the block, 1 or more, to the system. */
  readonly addBlock: (rows: number) => void;
}

/** Both zero. */
export function createGramSum(stride: number): GramSum {
  const blockBytes = DOUBLE * BLOCK_ROWS * stride;
  const own = createOwnMemory(blockBytes + DOUBLE * stride * stride);
  const [addGram] = start({ own });
  return {
    block: new Float64Array(own.buffer, 0, BLOCK_ROWS * stride),
    system: new Float64Array(own.buffer, blockBytes, stride * stride),
    addBlock: (rows) => addGram!(rows, DOUBLE * stride, blockBytes),
  };
}

const DOUBLE = 8;
const TILE = 4;
const TILE_BYTES = TILE * DOUBLE;
const VECTOR_BYTES = 2 * DOUBLE;
const ROWS = Array.from({ length: TILE }, (_, row) => row);
const SUMS = ROWS.flatMap((row) => [0, 1].map((half) => ({ row, half, name: `sum${row}${half}` })));

/**
 * addGram(rows, stride, system), in bytes but for the rows, of the block at 0. The sixteen sums of a 4 × 4 tile stay in registers, two in each: 64
 * rows of 64 dimensions take 0.018 ms, in JavaScript 0.069. Each sum has the order of the rows.
 */
const start = compileWasm([
  {
    name: 'addGram',
    parameters: ['rows', 'stride', 'system'],
    locals: ['i', 'j', 'row', 'left', 'to'],
    vectors: ['half0', 'half1', 'value', ...SUMS.map(({ name }) => name)],
    code: writeTiles(),
  },
]);

function writeTiles(): WasmCode {
  const { get, set, i32, v128, f64x2, loop, repeatIf } = WASM;
  const increase = (name: string, by: WasmCode): WasmCode => set(name, i32.add(get(name), by));
  const multiply = ROWS.map((row) => [
    set('value', v128.loadSplat64(i32.add(get('row'), get('i')), DOUBLE * row)),
    SUMS.filter((sum) => sum.row === row).map(({ name, half }) =>
      set(name, f64x2.add(get(name), f64x2.multiply(get('value'), get(`half${half}`)))),
    ),
  ]);
  const addSums = ROWS.map((row) => [
    SUMS.filter((sum) => sum.row === row).map(({ name, half }) => {
      const place = half * VECTOR_BYTES;
      return v128.store(get('to'), f64x2.add(v128.load(get('to'), place), get(name)), place);
    }),
    increase('to', get('stride')),
  ]);
  const tile = [
    SUMS.map(({ name }) => set(name, v128.zero())),
    set('row', i32.of(0)),
    set('left', get('rows')),
    loop([
      [0, 1].map((half) => set(`half${half}`, v128.load(i32.add(get('row'), get('j')), half * VECTOR_BYTES))),
      multiply,
      increase('row', get('stride')),
      increase('left', i32.of(-1)),
      repeatIf(get('left')),
    ]),
    set('to', i32.add(get('system'), get('j'))),
    addSums,
  ];
  return [
    set('i', i32.of(0)),
    loop([
      set('j', i32.of(0)),
      loop([tile, increase('j', i32.of(TILE_BYTES)), repeatIf(i32.isZero(i32.isMore(get('j'), get('i'))))]),
      ROWS.map(() => increase('system', get('stride'))),
      increase('i', i32.of(TILE_BYTES)),
      repeatIf(i32.isMore(get('stride'), get('i'))),
    ]),
  ];
}

/** Adds a value to the first `dimensions` entries of the diagonal. */
export function addToDiagonal(
  system: Float64Array,
  value: number,
  shape: { dimensions: number; stride: number },
): void {
  for (let row = 0; row < shape.dimensions; row++) system[row * (shape.stride + 1)]! += value;
}

/**
 * Cholesky: replaces the lower triangle of the system by L with L Lᵀ = system. Reads nothing above the diagonal.
 * Four rows at a time share the loads of the pivot row and give four independent sums to the processor.
 */
export function factorise(system: Float64Array, dimensions: number, stride: number): void {
  for (let column = 0; column < dimensions; column++) {
    const pivotRow = column * stride;
    let square = system[pivotRow + column]!;
    for (let k = 0; k < column; k++) square -= system[pivotRow + k]! * system[pivotRow + k]!;
    const pivot = Math.sqrt(square);
    const inverse = 1 / pivot;
    system[pivotRow + column] = pivot;

    let row = column + 1;
    for (; row + 3 < dimensions; row += 4) {
      const r0 = row * stride,
        r1 = r0 + stride,
        r2 = r1 + stride,
        r3 = r2 + stride;
      let s0 = system[r0 + column]!,
        s1 = system[r1 + column]!,
        s2 = system[r2 + column]!,
        s3 = system[r3 + column]!;
      for (let k = 0; k < column; k++) {
        const value = system[pivotRow + k]!;
        s0 -= system[r0 + k]! * value;
        s1 -= system[r1 + k]! * value;
        s2 -= system[r2 + k]! * value;
        s3 -= system[r3 + k]! * value;
      }
      system[r0 + column] = s0 * inverse;
      system[r1 + column] = s1 * inverse;
      system[r2 + column] = s2 * inverse;
      system[r3 + column] = s3 * inverse;
    }
    for (; row < dimensions; row++) {
      const at = row * stride;
      let sum = system[at + column]!;
      for (let k = 0; k < column; k++) sum -= system[at + k]! * system[pivotRow + k]!;
      system[at + column] = sum * inverse;
    }
  }
}

/** Solves L Lᵀ x = b in place: `solution` holds b before and x after. */
export function substitute(lower: Float64Array, solution: Float64Array, stride: number): void {
  const last = solution.length - 1;
  for (let row = 0; row <= last; row++) {
    let sum = solution[row]!;
    for (let k = 0; k < row; k++) sum -= lower[row * stride + k]! * solution[k]!;
    solution[row] = sum / lower[row * (stride + 1)]!;
  }
  for (let row = last; row >= 0; row--) {
    const value = solution[row]! / lower[row * (stride + 1)]!;
    solution[row] = value;
    for (let k = 0; k < row; k++) solution[k]! -= lower[row * stride + k]! * value;
  }
}

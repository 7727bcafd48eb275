import { type InferenceSession, Tensor } from 'onnxruntime-node';
import { encodeOnnxModel } from '../../../bundle/onnx-model.js';
import { openOnnxSession } from '../../../bundle/onnx-session.js';
import { factorise, padToTile } from '../../../candidates/tiled-system.js';

/**
 * Rows that are swept at a time. Products of this depth run at 80 billion multiply-adds a second on two threads, those of half of it at 70.
 * With twice of it the pivots, which are inverted in one thread, take longer than is won.
 */
const BLOCK = 512;

/** A square matrix in float32, row-major. */
export interface FloatMatrix {
  readonly order: number;
  readonly values: Float32Array;
}

/** A matrix of zeros. */
export function createFloatMatrix(order: number): FloatMatrix {
  return { order, values: new Float32Array(order * order) };
}

/** Bytes of a matrix of this order and of what `invertByBlocks` works in. */
export function countInverseBytes(order: number): number {
  return 4 * order * (order + 3 * BLOCK);
}

/** Sweeps that `invertByBlocks` reports for a matrix of this order. */
export function countSweeps(order: number): number {
  return Math.ceil(order / BLOCK);
}

/**
 * Replaces a symmetric positive definite matrix, of which only the lower triangle is read, by its inverse, full. In place, by the sweep
 * operator (Goodnight, "A Tutorial on the SWEEP Operator", 1979) on blocks. K is a block of the diagonal and C what is below
 * and beside it: A ← A − C K⁻¹ Cᵀ elsewhere, C ← C K⁻¹, K ← −K⁻¹. All blocks swept give −A⁻¹. With K = L Lᵀ and
 * V = C L⁻ᵀ these are V Vᵀ, V L⁻¹ and L⁻ᵀ L⁻¹: what rounding costs is then that of Cholesky, where a product with K⁻¹
 * itself loses a thousand times as much on columns that are nearly alike. About order³ / 2 multiply-adds, nearly all in ONNX Runtime's
 * matrix product in float32; L and L⁻¹ are computed in float64. The diagonal of the result holds NaN where the matrix was not
 * positive definite.
 * @param options.threads of the matrix product
 * @param options.onSweep called after each sweep
 */
export async function invertByBlocks(
  matrix: FloatMatrix,
  options: { threads: number; onSweep?: () => void },
): Promise<void> {
  const { order } = matrix;
  const size = order * Math.min(BLOCK, order);
  const buffers: Buffers = {
    columns: new Float32Array(size),
    halves: new Float32Array(size),
    product: new Float32Array(size),
  };
  const session = await openOnnxSession(encodeProduct(), { what: 'the matrix product', ...options });
  try {
    for (let start = 0; start < order; start += BLOCK) {
      await sweep({ ...matrix, ...buffers, session, start, rows: Math.min(BLOCK, order - start) });
      options.onSweep?.();
    }
  } finally {
    await session.release();
  }
  negateAndMirror(matrix);
}

interface Buffers {
  /** C, then C K⁻¹, [order × rows]; zero in place of K. */
  readonly columns: Float32Array;
  /** V = C L⁻ᵀ, [order × rows]. */
  readonly halves: Float32Array;
  /** One block row of V Vᵀ. */
  readonly product: Float32Array;
}

/** The sweep of the block that begins at `start`. */
interface Sweep extends FloatMatrix, Buffers {
  readonly session: InferenceSession;
  readonly start: number;
  readonly rows: number;
}

async function sweep(work: Sweep): Promise<void> {
  const { order, rows, start } = work;
  const columns = work.columns.subarray(0, order * rows);
  const halves = work.halves.subarray(0, order * rows);
  const { lower, upper } = invertFactor(work);
  takeColumns(work);
  await multiply(work, { a: columns, b: lower, into: halves });
  for (let from = 0; from < order; from += BLOCK) if (from !== start) await updateRows(work, from);
  await multiply(work, { a: halves, b: upper, into: columns });
  const pivot = new Float32Array(rows * rows);
  await multiply(work, { a: upper, b: upper, into: pivot });
  putColumns(work, pivot);
}

/** L⁻¹ and L⁻ᵀ of K = L Lᵀ, [rows × rows]. */
function invertFactor({ values, order, start, rows }: Sweep): Record<'lower' | 'upper', Float32Array> {
  const stride = padToTile(rows);
  const factor = new Float64Array(stride * stride);
  for (let row = 0; row < rows; row++) {
    const from = (start + row) * order + start;
    factor.set(values.subarray(from, from + row + 1), row * stride);
  }
  factorise(factor, rows, stride);
  const lower = new Float32Array(rows * rows);
  const upper = new Float32Array(rows * rows);
  const inverse = new Float64Array(rows * rows);
  for (let row = 0; row < rows; row++) {
    const own = inverse.subarray(row * rows, row * rows + row + 1);
    own[row] = 1;
    for (let k = 0; k < row; k++) {
      const value = factor[row * stride + k]!;
      for (let column = 0; column <= k; column++) own[column]! -= value * inverse[k * rows + column]!;
    }
    const pivot = factor[row * stride + row]!;
    for (let column = 0; column <= row; column++) {
      own[column]! /= pivot;
      lower[row * rows + column] = own[column]!;
      upper[column * rows + row] = own[column]!;
    }
  }
  return { lower, upper };
}

function takeColumns({ values, order, start, rows, columns }: Sweep): void {
  for (let row = 0; row < rows; row++) {
    const from = (start + row) * order;
    for (let other = 0; other < start; other++) columns[other * rows + row] = values[from + other]!;
  }
  columns.fill(0, start * rows, (start + rows) * rows);
  for (let other = start + rows; other < order; other++) {
    const from = other * order + start;
    columns.set(values.subarray(from, from + rows), other * rows);
  }
}

/** The update of a block row, up to and with its block of the diagonal. */
async function updateRows(work: Sweep, from: number): Promise<void> {
  const { values, order, rows, halves, product } = work;
  const to = Math.min(from + BLOCK, order);
  const into = product.subarray(0, (to - from) * to);
  await multiply(work, {
    a: halves.subarray(from * rows, to * rows),
    b: halves.subarray(0, to * rows),
    into,
  });
  for (let row = from; row < to; row++) {
    const target = row * order;
    const source = (row - from) * to;
    for (let column = 0; column < to; column++) values[target + column]! -= into[source + column]!;
  }
}

/** Writes C K⁻¹ and −K⁻¹ back. */
function putColumns({ values, order, start, rows, columns }: Sweep, pivot: Float32Array): void {
  for (let row = 0; row < rows; row++) {
    const to = (start + row) * order;
    for (let other = 0; other < start; other++) values[to + other] = columns[other * rows + row]!;
    for (let column = 0; column < rows; column++) values[to + start + column] = -pivot[row * rows + column]!;
  }
  for (let other = start + rows; other < order; other++)
    values.set(columns.subarray(other * rows, (other + 1) * rows), other * order + start);
}

/** By blocks, so that what is written across rows stays in the cache. */
function negateAndMirror({ values, order }: FloatMatrix): void {
  for (let from = 0; from < order; from += MIRRORED) {
    for (let row = 0; row < order; row++) {
      const to = Math.min(from + MIRRORED, row + 1);
      for (let column = from; column < to; column++) {
        const value = -values[row * order + column]!;
        values[row * order + column] = value;
        values[column * order + row] = value;
      }
    }
  }
}

/** Columns that are mirrored at a time. */
const MIRRORED = 16;

/** into [m × n] = a [m × k] · bᵀ, with b [n × k]. */
async function multiply(
  { session, rows }: Sweep,
  { a, b, into }: Record<'a' | 'b' | 'into', Float32Array>,
): Promise<void> {
  const [m, n] = [a.length / rows, b.length / rows];
  await session.run(
    { a: new Tensor('float32', a, [m, rows]), b: new Tensor('float32', b, [n, rows]) },
    { product: new Tensor('float32', into, [m, n]) },
  );
}

function encodeProduct(): Uint8Array {
  return encodeOnnxModel({
    name: 'product',
    nodes: [{ operator: 'Gemm', inputs: ['a', 'b'], outputs: ['product'], attributes: { transB: 1 } }],
    inputs: [
      { name: 'a', type: 'float32', shape: ['m', 'k'] },
      { name: 'b', type: 'float32', shape: ['n', 'k'] },
    ],
    outputs: [{ name: 'product', type: 'float32', shape: ['m', 'n'] }],
  });
}

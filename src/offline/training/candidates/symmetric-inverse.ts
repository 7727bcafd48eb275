/** Rows and columns are worked on in blocks of this size; a block of 64 × 64 float64 is 32 KB. */
const BLOCK = 64;

/** Depth of one pass of the kernel: two blocks of 64 rows × 256 are 256 KB and stay in the second-level cache. */
const DEPTH = 256;

/** A square matrix, row-major, whose order is a multiple of the block size. */
export interface BlockedMatrix {
  readonly order: number;
  readonly values: Float64Array;
}

/** The identity matrix of at least `order` rows, as `invertSymmetric` takes it: what is not overwritten does not mix in. */
export function createBlockedMatrix(order: number): BlockedMatrix {
  const padded = Math.ceil(order / BLOCK) * BLOCK;
  const values = new Float64Array(padded * padded);
  for (let row = 0; row < padded; row++) values[row * (padded + 1)] = 1;
  return { order: padded, values };
}

/**
 * Replaces a symmetric positive definite matrix, of which only the lower triangle is read, by its inverse, full. In place:
 * A = L Lᵀ (Cholesky), then U = L⁻ᵀ in the upper triangle, then A⁻¹ = U Uᵀ. About order³ / 2 multiplications, all but the
 * block diagonals in one kernel. The result holds NaN where the matrix was not positive definite.
 */
export function invertSymmetric(matrix: BlockedMatrix, options: { onBlock?: () => void } = {}): void {
  const corners = new Float64Array(matrix.order * BLOCK);
  const work: Work = { ...matrix, corners, sums: new Float64Array(BLOCK * BLOCK) };
  for (let start = 0; start < matrix.order; start += BLOCK) {
    factoriseColumns(work, start);
    options.onBlock?.();
  }
  for (let start = 0; start < matrix.order; start += BLOCK) {
    invertRows(work, start);
    options.onBlock?.();
  }
  for (let start = 0; start < matrix.order; start += BLOCK) {
    multiplyRows(work, start);
    options.onBlock?.();
  }
  mirror(matrix);
}

/** Number of blocks that `invertSymmetric` reports for a matrix of this order. */
export function countInversionBlocks({ order }: BlockedMatrix): number {
  return (3 * order) / BLOCK;
}

interface Work extends BlockedMatrix {
  /** The diagonal blocks of U, one below the other, zero below their diagonals. */
  readonly corners: Float64Array;
  /** One block of sums of products, overwritten by each call of the kernel's callers. */
  readonly sums: Float64Array;
}

/** Left-looking: one block column of L, from all block columns before it. */
function factoriseColumns(work: Work, start: number): void {
  const { values, order, sums } = work;
  for (let rows = start; rows < order; rows += BLOCK) {
    sums.fill(0);
    addProducts(work, { a: values, rows, b: values, columns: start, from: 0, to: start });
    for (let row = 0; row < BLOCK; row++) {
      for (let column = 0; column < BLOCK; column++)
        values[(rows + row) * order + start + column]! -= sums[row * BLOCK + column]!;
    }
    if (rows === start) factoriseCorner(work, start);
    else solveAgainstCorner(work, rows, start);
  }
}

function factoriseCorner({ values, order }: Work, start: number): void {
  for (let column = start; column < start + BLOCK; column++) {
    for (let row = column; row < start + BLOCK; row++) {
      let sum = values[row * order + column]!;
      for (let k = start; k < column; k++) sum -= values[row * order + k]! * values[column * order + k]!;
      values[row * order + column] = row === column ? Math.sqrt(sum) : sum / values[column * (order + 1)]!;
    }
  }
}

/** X Lᵀ = B for the rows of a block below the corner L, in place. */
function solveAgainstCorner({ values, order }: Work, rows: number, start: number): void {
  for (let row = rows * order; row < (rows + BLOCK) * order; row += order) {
    for (let column = start; column < start + BLOCK; column++) {
      const pivotRow = column * order;
      let sum = values[row + column]!;
      for (let k = start; k < column; k++) sum -= values[row + k]! * values[pivotRow + k]!;
      values[row + column] = sum / values[pivotRow + column]!;
    }
  }
}

/** One block row of L⁻¹, written as a block column of U = L⁻ᵀ into the upper triangle. */
function invertRows(work: Work, start: number): void {
  const { values, order, corners, sums } = work;
  for (let target = 0; target < start; target += BLOCK) {
    sums.fill(0);
    addProducts(work, {
      a: values,
      rows: start,
      b: corners,
      columns: target,
      from: target,
      to: target + BLOCK,
    });
    addProducts(work, {
      a: values,
      rows: start,
      b: values,
      columns: target,
      from: target + BLOCK,
      to: start,
    });
    substituteSums(work, start);
    for (let row = 0; row < BLOCK; row++) {
      for (let column = 0; column < BLOCK; column++)
        values[(target + column) * order + start + row] = -sums[row * BLOCK + column]!;
    }
  }
  sums.fill(0);
  for (let row = 0; row < BLOCK; row++) sums[row * (BLOCK + 1)] = 1;
  substituteSums(work, start);
  for (let row = 0; row < BLOCK; row++) {
    for (let column = 0; column <= row; column++)
      corners[(start + column) * BLOCK + row] = sums[row * BLOCK + column]!;
  }
}

/** L X = S for the corner L at `start`, in place of the sums S. */
function substituteSums({ values, order, sums }: Work, start: number): void {
  for (let row = 0; row < BLOCK; row++) {
    const pivotRow = (start + row) * order + start;
    for (let k = 0; k < row; k++) {
      const factor = values[pivotRow + k]!;
      for (let column = 0; column < BLOCK; column++)
        sums[row * BLOCK + column]! -= factor * sums[k * BLOCK + column]!;
    }
    const pivot = values[pivotRow + row]!;
    for (let column = 0; column < BLOCK; column++) sums[row * BLOCK + column]! /= pivot;
  }
}

/** One block row of U Uᵀ, up to the diagonal, in place of L, which is no longer needed. */
function multiplyRows(work: Work, start: number): void {
  const { values, order, corners, sums } = work;
  for (let target = 0; target <= start; target += BLOCK) {
    sums.fill(0);
    const b = target === start ? corners : values;
    addProducts(work, { a: corners, rows: start, b, columns: target, from: start, to: start + BLOCK });
    addProducts(work, {
      a: values,
      rows: start,
      b: values,
      columns: target,
      from: start + BLOCK,
      to: order,
    });
    for (let row = 0; row < BLOCK; row++) {
      const from = row * BLOCK;
      values.set(sums.subarray(from, from + BLOCK), (start + row) * order + target);
    }
  }
}

function mirror({ values, order }: BlockedMatrix): void {
  for (let row = 0; row < order; row++) {
    for (let column = 0; column < row; column++) values[column * order + row] = values[row * order + column]!;
  }
}

interface Product {
  /** The matrix itself, or the corners, of which a block has only the columns of its own diagonal block. */
  readonly a: Float64Array;
  readonly rows: number;
  readonly b: Float64Array;
  readonly columns: number;
  /** Columns of the matrix over which products are summed: multiples of the block size. */
  readonly from: number;
  readonly to: number;
}

/**
 * The kernel: adds Σ_k a[row, k] · b[column, k] to the sums, for a block of rows and a block of rows called columns.
 * Sixteen sums per 4 × 4 tile are written out one by one, so that they stay in registers.
 */
function addProducts({ order, values, sums }: Work, { a, rows, b, columns, from, to }: Product): void {
  const strideA = a === values ? order : BLOCK;
  const strideB = b === values ? order : BLOCK;
  // Corners begin at the first column that is summed over.
  const shiftA = a === values ? 0 : from;
  const shiftB = b === values ? 0 : from;
  for (let start = from; start < to; start += DEPTH) {
    const depth = Math.min(DEPTH, to - start);
    for (let row = 0; row < BLOCK; row += 4) {
      const a0 = (rows + row) * strideA + start - shiftA,
        a1 = a0 + strideA,
        a2 = a1 + strideA,
        a3 = a2 + strideA;
      for (let column = 0; column < BLOCK; column += 4) {
        const b0 = (columns + column) * strideB + start - shiftB,
          b1 = b0 + strideB,
          b2 = b1 + strideB,
          b3 = b2 + strideB;
        let s00 = 0,
          s01 = 0,
          s02 = 0,
          s03 = 0;
        let s10 = 0,
          s11 = 0,
          s12 = 0,
          s13 = 0;
        let s20 = 0,
          s21 = 0,
          s22 = 0,
          s23 = 0;
        let s30 = 0,
          s31 = 0,
          s32 = 0,
          s33 = 0;
        for (let k = 0; k < depth; k++) {
          const x0 = a[a0 + k]!,
            x1 = a[a1 + k]!,
            x2 = a[a2 + k]!,
            x3 = a[a3 + k]!;
          const y0 = b[b0 + k]!,
            y1 = b[b1 + k]!,
            y2 = b[b2 + k]!,
            y3 = b[b3 + k]!;
          s00 += x0 * y0;
          s01 += x0 * y1;
          s02 += x0 * y2;
          s03 += x0 * y3;
          s10 += x1 * y0;
          s11 += x1 * y1;
          s12 += x1 * y2;
          s13 += x1 * y3;
          s20 += x2 * y0;
          s21 += x2 * y1;
          s22 += x2 * y2;
          s23 += x2 * y3;
          s30 += x3 * y0;
          s31 += x3 * y1;
          s32 += x3 * y2;
          s33 += x3 * y3;
        }
        const r0 = row * BLOCK + column,
          r1 = r0 + BLOCK,
          r2 = r1 + BLOCK,
          r3 = r2 + BLOCK;
        sums[r0]! += s00;
        sums[r0 + 1]! += s01;
        sums[r0 + 2]! += s02;
        sums[r0 + 3]! += s03;
        sums[r1]! += s10;
        sums[r1 + 1]! += s11;
        sums[r1 + 2]! += s12;
        sums[r1 + 3]! += s13;
        sums[r2]! += s20;
        sums[r2 + 1]! += s21;
        sums[r2 + 2]! += s22;
        sums[r2 + 3]! += s23;
        sums[r3]! += s30;
        sums[r3 + 1]! += s31;
        sums[r3 + 2]! += s32;
        sums[r3 + 3]! += s33;
      }
    }
  }
}

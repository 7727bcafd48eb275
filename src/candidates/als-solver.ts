/** One side of the iALS problem, seen from the other: what a vector is solved against. */
export interface LeastSquaresProblem {
  readonly dimensions: number;
  /** [partners × dimensions] vectors of the entities on the other side. */
  readonly factors: Float32Array;
  /** [dimensions × dimensions] Gram of `factors`, as `computeGram` gives it. */
  readonly gram: Float32Array | Float64Array;
  /** How many entities the other side has, for the scale of the regularisation. */
  readonly partnerCount: number;
  /** Weight of every pair, observed or not (α0 of the paper); 0 or more. */
  readonly unobservedWeight: number;
  /** λ of the paper; above 0. */
  readonly regularisation: number;
  /** ν of the paper: 0 regularises every vector alike, 1 in proportion to its number of observations. */
  readonly regularisationExponent: number;
}

export interface FactorSolver {
  /**
   * Writes the vector w of an entity that interacted with `partners` (indexes, unique) into `into`: the minimum of
   * Σ_partners c (1 − w·h)² + α0 Σ_all (w·h)² + λ (Σ_partners c + α0 |all|)^ν ‖w‖². Zero when there are no partners, or
   * none counts.
   *
   * @param confidences c of each partner (Hu, Koren and Volinsky, 2008), 0 or more; all 1 when undefined
   */
  solve(partners: Int32Array, into: Float32Array | Float64Array, confidences?: Float32Array): void;
}

// 64 rows × 64 dimensions of float64 are 32 KB: one block stays in the first-level cache while all its tiles are summed.
const BLOCK_ROWS = 64;

/**
 * The least-squares step of iALS (Rendle, Krichene, Zhang and Koren, 2021), for training and for folding in at serving time.
 * Solves one vector at a time in its own scratch memory and allocates nothing per solve.
 */
export function createFactorSolver(problem: LeastSquaresProblem): FactorSolver {
  const { dimensions, factors } = problem;
  const stride = padToTile(dimensions);
  const unobserved = scaleIntoTiles(problem, stride);
  const system = new Float64Array(stride * stride);
  const block = new Float64Array(BLOCK_ROWS * stride);
  const solution = new Float64Array(dimensions);

  return {
    solve: (partners, into, confidences) => {
      const observed = confidences === undefined ? partners.length : sumOf(confidences);
      if (observed === 0) {
        into.fill(0);
        return;
      }
      system.set(unobserved);
      solution.fill(0);
      for (let start = 0; start < partners.length; start += BLOCK_ROWS) {
        const rows = Math.min(BLOCK_ROWS, partners.length - start);
        gatherRows(
          { factors, partners, confidences },
          { start, rows, dimensions, stride, block, sum: solution },
        );
        addGramOfBlock(block, rows, { stride, system });
      }
      addToDiagonal(system, regularisationOf(problem, observed), { dimensions, stride });
      factorise(system, dimensions, stride);
      substitute(system, solution, stride);
      into.set(solution);
    },
  };
}

/**
 * How many dimensions `createDescentSolver` solves at once. An epoch on 0.9 million pairs at 64 dimensions takes 2.5 s of processor time
 * with all 64, 1.9 s with 32 and 1.3 s with 16, and 16 epochs give the same nDCG (docs/evaluation.md).
 */
const DESCENT_DIMENSIONS = 16;

/**
 * The step of iALS++ (Rendle, Krichene, Zhang and Koren, "iALS++: Speeding up Matrix Factorization with Subspace Optimization", 2021): `solve`
 * starts from what `into` holds and minimises the same loss over 16 dimensions after the other. With up to 16 dimensions that is
 * the minimum, with more it comes closer with each epoch, for a work per pair that is linear in the dimensions.
 */
export function createDescentSolver(problem: LeastSquaresProblem): FactorSolver {
  const { dimensions } = problem;
  const blocks = Array.from({ length: Math.ceil(dimensions / DESCENT_DIMENSIONS) }, (_, index) =>
    cutSubspace(problem, index * DESCENT_DIMENSIONS),
  );
  const vector = new Float64Array(dimensions);
  let errors = new Float64Array(BLOCK_ROWS);

  return {
    solve: (partners, into, confidences) => {
      const observed = confidences === undefined ? partners.length : sumOf(confidences);
      if (observed === 0) {
        into.fill(0);
        return;
      }
      if (errors.length < partners.length) errors = new Float64Array(2 * partners.length);
      vector.set(into);
      const row: DescentRow = { partners, confidences, vector, errors };
      measureErrors(problem.factors, row);
      const regularisation = regularisationOf(problem, observed);
      for (const block of blocks) descend(problem, row, { ...block, regularisation });
      into.set(vector);
    },
  };
}

/** The Gram matrix Fᵀ F of [rows × dimensions] factors, full and symmetric. */
export function computeGram(factors: Float32Array, dimensions: number): Float64Array {
  const stride = padToTile(dimensions);
  const system = new Float64Array(stride * stride);
  const block = new Float64Array(BLOCK_ROWS * stride);
  const rowCount = factors.length / dimensions;
  for (let start = 0; start < rowCount; start += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, rowCount - start);
    for (let row = 0; row < rows; row++) {
      const from = (start + row) * dimensions;
      block.set(factors.subarray(from, from + dimensions), row * stride);
    }
    addGramOfBlock(block, rows, { stride, system });
  }
  const gram = new Float64Array(dimensions * dimensions);
  for (let row = 0; row < dimensions; row++) {
    for (let column = 0; column <= row; column++) {
      const value = system[row * stride + column]!;
      gram[row * dimensions + column] = value;
      gram[column * dimensions + row] = value;
    }
  }
  return gram;
}

/** True when every solve against this problem has exactly one finite answer: its system matrix is positive definite. */
export function isSolvable(problem: LeastSquaresProblem): boolean {
  const { dimensions } = problem;
  const stride = padToTile(dimensions);
  const system = scaleIntoTiles(problem, stride);
  addToDiagonal(system, regularisationOf(problem, 1), { dimensions, stride });
  factorise(system, dimensions, stride);
  for (let row = 0; row < dimensions; row++) {
    const pivot = system[row * (stride + 1)]!;
    if (!(pivot > 0 && pivot < Infinity)) return false;
  }
  return true;
}

/** Rows are padded with zeros to whole 4 × 4 tiles, so that the tile loop needs no edge cases. */
function padToTile(dimensions: number): number {
  return (dimensions + 3) & ~3;
}

function sumOf(confidences: Float32Array): number {
  let sum = 0;
  for (const confidence of confidences) sum += confidence;
  return sum;
}

/** The part of the system that all entities share: α0 times the Gram, padded. */
function scaleIntoTiles(problem: LeastSquaresProblem, stride: number): Float64Array {
  const { dimensions, gram, unobservedWeight } = problem;
  const system = new Float64Array(stride * stride);
  for (let row = 0; row < dimensions; row++) {
    for (let column = 0; column < dimensions; column++) {
      system[row * stride + column] = unobservedWeight * gram[row * dimensions + column]!;
    }
  }
  return system;
}

function regularisationOf(problem: LeastSquaresProblem, observed: number): number {
  const { regularisation, regularisationExponent, unobservedWeight, partnerCount } = problem;
  return regularisation * (observed + unobservedWeight * partnerCount) ** regularisationExponent;
}

/** Copies vectors, each times √c, into the block, and adds them, each times c, to the sum. A c of 1 changes no bit. */
function gatherRows(
  from: { factors: Float32Array; partners: Int32Array; confidences: Float32Array | undefined },
  target: {
    start: number;
    rows: number;
    dimensions: number;
    stride: number;
    block: Float64Array;
    sum: Float64Array;
  },
): void {
  const { factors, partners, confidences } = from;
  const { start, rows, dimensions, stride, block, sum } = target;
  for (let row = 0; row < rows; row++) {
    const first = partners[start + row]! * dimensions;
    const to = row * stride;
    const confidence = confidences === undefined ? 1 : confidences[start + row]!;
    const root = Math.sqrt(confidence);
    for (let column = 0; column < dimensions; column++) {
      const value = factors[first + column]!;
      block[to + column] = root * value;
      sum[column]! += confidence * value;
    }
  }
}

/** What one solve of `createDescentSolver` works on. */
interface DescentRow {
  readonly partners: Int32Array;
  readonly confidences: Float32Array | undefined;
  readonly vector: Float64Array;
  /** w·h − 1 of each partner, kept as the vector changes. */
  readonly errors: Float64Array;
}

/** Some dimensions, one after the other, with the scratch memory to solve them. */
interface Subspace {
  readonly first: number;
  readonly width: number;
  readonly stride: number;
  /** α0 times the rows of the Gram. */
  readonly unobserved: Float64Array;
  readonly system: Float64Array;
  readonly block: Float64Array;
  readonly step: Float64Array;
}

function cutSubspace(problem: LeastSquaresProblem, first: number): Subspace {
  const { dimensions, gram, unobservedWeight } = problem;
  const width = Math.min(DESCENT_DIMENSIONS, dimensions - first);
  const stride = padToTile(width);
  const rows = gram.subarray(first * dimensions, (first + width) * dimensions);
  return {
    first,
    width,
    stride,
    unobserved: Float64Array.from(rows, (value) => unobservedWeight * value),
    system: new Float64Array(stride * stride),
    block: new Float64Array(BLOCK_ROWS * stride),
    step: new Float64Array(width),
  };
}

function measureErrors(factors: Float32Array, { partners, vector, errors }: DescentRow): void {
  for (let place = 0; place < partners.length; place++) {
    const from = partners[place]! * vector.length;
    let score = 0;
    for (let k = 0; k < vector.length; k++) score += factors[from + k]! * vector[k]!;
    errors[place] = score - 1;
  }
}

/** Moves the vector to the minimum over the dimensions of the subspace, the others held. */
function descend(
  { factors, dimensions }: LeastSquaresProblem,
  row: DescentRow,
  subspace: Subspace & { regularisation: number },
): void {
  const { partners, vector, errors } = row;
  const { first, width, stride, system, block, step, regularisation } = subspace;
  startSystem(subspace, vector);
  for (let start = 0; start < partners.length; start += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, partners.length - start);
    gatherSubspace(factors, row, { ...subspace, dimensions, start, rows });
    addGramOfBlock(block, rows, { stride, system });
  }
  addToDiagonal(system, regularisation, { dimensions: width, stride });
  factorise(system, width, stride);
  substitute(system, step, stride);
  for (let k = 0; k < width; k++) vector[first + k]! -= step[k]!;
  for (let place = 0; place < partners.length; place++) {
    const from = partners[place]! * dimensions + first;
    let change = 0;
    for (let k = 0; k < width; k++) change += factors[from + k]! * step[k]!;
    errors[place]! -= change;
  }
}

/** The part of system and gradient that does not come from observed pairs. */
function startSystem(subspace: Subspace & { regularisation: number }, vector: Float64Array): void {
  const { first, width, stride, unobserved, system, step, regularisation } = subspace;
  for (let k = 0; k < width; k++) {
    const from = k * vector.length;
    let slope = regularisation * vector[first + k]!;
    for (let other = 0; other < vector.length; other++) slope += unobserved[from + other]! * vector[other]!;
    step[k] = slope;
    for (let other = 0; other <= k; other++) system[k * stride + other] = unobserved[from + first + other]!;
  }
}

/** As `gatherRows`, of the dimensions of a subspace; the sum is that of the gradient. */
function gatherSubspace(
  factors: Float32Array,
  { partners, confidences, errors }: DescentRow,
  target: Subspace & { dimensions: number; start: number; rows: number },
): void {
  const { first, width, stride, block, step, dimensions, start, rows } = target;
  for (let row = 0; row < rows; row++) {
    const from = partners[start + row]! * dimensions + first;
    const to = row * stride;
    const confidence = confidences === undefined ? 1 : confidences[start + row]!;
    const root = Math.sqrt(confidence);
    const pull = confidence * errors[start + row]!;
    for (let k = 0; k < width; k++) {
      const value = factors[from + k]!;
      block[to + k] = root * value;
      step[k]! += pull * value;
    }
  }
}

/**
 * Adds the Gram of the first `rows` rows of the block to the lower triangle of the system.
 * Sixteen sums per 4 × 4 tile stay in registers: 2.9 billion multiply-adds a second at 64 dimensions, against 2.1 of
 * rank-4 updates that go through memory (Node 20, one EPYC core).
 */
function addGramOfBlock(
  block: Float64Array,
  rows: number,
  target: { stride: number; system: Float64Array },
): void {
  const { stride, system } = target;
  for (let i = 0; i < stride; i += 4) {
    for (let j = 0; j <= i; j += 4) {
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
      for (let row = 0, at = 0; row < rows; row++, at += stride) {
        const a0 = block[at + i]!,
          a1 = block[at + i + 1]!,
          a2 = block[at + i + 2]!,
          a3 = block[at + i + 3]!;
        const b0 = block[at + j]!,
          b1 = block[at + j + 1]!,
          b2 = block[at + j + 2]!,
          b3 = block[at + j + 3]!;
        s00 += a0 * b0;
        s01 += a0 * b1;
        s02 += a0 * b2;
        s03 += a0 * b3;
        s10 += a1 * b0;
        s11 += a1 * b1;
        s12 += a1 * b2;
        s13 += a1 * b3;
        s20 += a2 * b0;
        s21 += a2 * b1;
        s22 += a2 * b2;
        s23 += a2 * b3;
        s30 += a3 * b0;
        s31 += a3 * b1;
        s32 += a3 * b2;
        s33 += a3 * b3;
      }
      const r0 = i * stride + j,
        r1 = r0 + stride,
        r2 = r1 + stride,
        r3 = r2 + stride;
      system[r0]! += s00;
      system[r0 + 1]! += s01;
      system[r0 + 2]! += s02;
      system[r0 + 3]! += s03;
      system[r1]! += s10;
      system[r1 + 1]! += s11;
      system[r1 + 2]! += s12;
      system[r1 + 3]! += s13;
      system[r2]! += s20;
      system[r2 + 1]! += s21;
      system[r2 + 2]! += s22;
      system[r2 + 3]! += s23;
      system[r3]! += s30;
      system[r3 + 1]! += s31;
      system[r3 + 2]! += s32;
      system[r3 + 3]! += s33;
    }
  }
}

function addToDiagonal(
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
function factorise(system: Float64Array, dimensions: number, stride: number): void {
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
function substitute(lower: Float64Array, solution: Float64Array, stride: number): void {
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

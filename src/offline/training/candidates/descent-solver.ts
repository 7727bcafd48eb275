import {
  countObserved,
  type FactorSolver,
  type LeastSquaresProblem,
  regularisationOf,
} from '../../../candidates/als-solver.js';
import {
  addToDiagonal,
  BLOCK_ROWS,
  createGramSum,
  type GramSum,
  factorise,
  padToTile,
  substitute,
} from '../../../candidates/tiled-system.js';

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
      const observed = countObserved(partners, confidences);
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

/** What one solve of `createDescentSolver` works on. */
interface DescentRow {
  readonly partners: Int32Array;
  readonly confidences: Float32Array | undefined;
  readonly vector: Float64Array;
  /** w·h − 1 of each partner, kept as the vector changes. */
  readonly errors: Float64Array;
}

/** Some dimensions, one after the other, with the scratch memory to solve them. */
interface Subspace extends GramSum {
  readonly first: number;
  readonly width: number;
  readonly stride: number;
  /** α0 times the rows of the Gram. */
  readonly unobserved: Float64Array;
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
    ...createGramSum(stride),
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
  const { first, width, stride, system, addBlock, step, regularisation } = subspace;
  startSystem(subspace, vector);
  for (let start = 0; start < partners.length; start += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, partners.length - start);
    gatherSubspace(factors, row, { ...subspace, dimensions, start, rows });
    addBlock(rows);
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

/** Copies the dimensions of a subspace, each row times √c, into the block, and adds them to the gradient. */
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

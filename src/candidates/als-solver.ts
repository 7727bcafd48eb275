import {
  addToDiagonal,
  BLOCK_ROWS,
  createGramSum,
  factorise,
  padToTile,
  substitute,
} from './tiled-system.js';

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

/** Solves for the vectors of users or items against fixed vectors of the other kind. */
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

/**
 * The least-squares step of iALS (Rendle, Krichene, Zhang and Koren, 2021), for training and for folding in at serving time.
 * Solves one vector at a time in its own scratch memory and allocates nothing per solve.
 */
export function createFactorSolver(problem: LeastSquaresProblem): FactorSolver {
  const { dimensions, factors } = problem;
  const stride = padToTile(dimensions);
  const unobserved = scaleIntoTiles(problem, stride);
  const { system, block, addBlock } = createGramSum(stride);
  const solution = new Float64Array(dimensions);

  return {
    solve: (partners, into, confidences) => {
      const observed = countObserved(partners, confidences);
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
        addBlock(rows);
      }
      addToDiagonal(system, regularisationOf(problem, observed), { dimensions, stride });
      factorise(system, dimensions, stride);
      substitute(system, solution, stride);
      into.set(solution);
    },
  };
}

/** The Gram matrix Fᵀ F of [rows × dimensions] factors, full and symmetric. */
export function computeGram(factors: Float32Array, dimensions: number): Float64Array {
  const stride = padToTile(dimensions);
  const { system, block, addBlock } = createGramSum(stride);
  const rowCount = factors.length / dimensions;
  for (let start = 0; start < rowCount; start += BLOCK_ROWS) {
    const rows = Math.min(BLOCK_ROWS, rowCount - start);
    for (let row = 0; row < rows; row++) {
      const from = (start + row) * dimensions;
      block.set(factors.subarray(from, from + dimensions), row * stride);
    }
    addBlock(rows);
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

/** Σ c of the partners: how many there are, where all count alike. */
export function countObserved(partners: Int32Array, confidences: Float32Array | undefined): number {
  if (confidences === undefined) return partners.length;
  let sum = 0;
  for (const confidence of confidences) sum += confidence;
  return sum;
}

/** λ (observed + α0 |all|)^ν: what is added to the diagonal for a vector with so many observations. */
export function regularisationOf(problem: LeastSquaresProblem, observed: number): number {
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

import { createDescentSolver } from './descent-solver.js';
import { rowOf, valuesOf, type SparseRows } from './sparse-rows.js';

/** Users or items in iALS: what each is solved from, and where its vector goes. */
export interface FactorSide {
  /** Partners of each row, indexes of the other side; their values are confidences. */
  readonly rows: SparseRows;
  /** [rows × dimensions] */
  readonly factors: Float32Array;
  /** How many of the other side each row is regularised by. */
  readonly partnerCount: number;
}

/** The whole problem of iALS; every part of it may lie in shared memory. */
export interface FactorProblem {
  readonly users: FactorSide;
  readonly items: FactorSide;
  readonly settings: {
    readonly dimensions: number;
    readonly unobservedWeight: number;
    readonly regularisation: number;
    readonly regularisationExponent: number;
  };
}

/** Half an epoch: the vectors of one side are solved, those of the other stay. */
export interface HalfEpoch {
  readonly side: 'users' | 'items';
  /** Gram of the other side's vectors. */
  readonly gram: Float64Array;
}

/** Rows that a thread takes at once. */
const CHUNK_ROWS = 64;

/**
 * Solves rows of one side until none is left. `cursor` holds one number, the next chunk of rows, which all threads at work on the
 * same half epoch share: they end together however long the rows are, and a vector is the same whoever solves it.
 */
export function solveRows(problem: FactorProblem, half: HalfEpoch, cursor: Int32Array): void {
  const { rows, factors, partnerCount } = problem[half.side];
  const partners = problem[half.side === 'users' ? 'items' : 'users'].factors;
  const { dimensions } = problem.settings;
  const solver = createDescentSolver({
    ...problem.settings,
    factors: partners,
    gram: half.gram,
    partnerCount,
  });
  const rowCount = rows.offsets.length - 1;
  for (let start = takeChunk(cursor); start < rowCount; start = takeChunk(cursor)) {
    const end = Math.min(start + CHUNK_ROWS, rowCount);
    for (let row = start; row < end; row++) {
      const into = factors.subarray(row * dimensions, (row + 1) * dimensions);
      solver.solve(rowOf(rows, row), into, valuesOf(rows, row));
    }
  }
}

function takeChunk(cursor: Int32Array): number {
  return Atomics.add(cursor, 0, 1) * CHUNK_ROWS;
}

import t from 'tap';
import { openRowThreads } from '../../../../src/offline/training/candidates/row-threads.js';
import type { FactorProblem, FactorSide } from '../../../../src/offline/training/candidates/solve-rows.js';
import { shareRows } from '../../../../src/offline/training/candidates/sparse-rows.js';

const side = (columns: Int32Array): FactorSide => ({
  rows: shareRows({ offsets: Uint32Array.of(0, 1), columns }),
  factors: new Float32Array(new SharedArrayBuffer(8)).fill(1),
  partnerCount: 1,
});
const problem: FactorProblem = {
  users: side(Int32Array.of(0)),
  items: side(Int32Array.of(0)),
  settings: { dimensions: 2, unobservedWeight: 0.1, regularisation: 0.1, regularisationExponent: 1 },
};

t.test('a thread that fails is an error that says why, and none is left running', async (t) => {
  const { factors: _, ...broken } = problem.items;
  const threads = openRowThreads({ ...problem, items: broken as FactorSide }, { threads: 2 });
  await t.rejects(threads.solve({ side: 'users', gram: new Float64Array(4) }), {
    code: 'TRAINING_FAILED',
    message: /thread of implicit ALS failed: Cannot read properties of undefined/,
  });
  // The test could not end while one runs.
  await threads.close();
});

t.test('threads write into the memory that they share with the caller', async (t) => {
  const threads = openRowThreads(problem, { threads: 2 });
  await threads.solve({ side: 'users', gram: Float64Array.of(1, 1, 1, 1) });
  // The minimum of (1 − 2w)² + 0.1 (2w)² + 0.11 · 2w² for both components alike.
  const expected = 1 / (2 + 0.2 + 0.11);
  t.ok(problem.users.factors.every((value) => Math.abs(value - expected) < 1e-6));
  await threads.close();
});

import * as fc from 'fast-check';
import t from 'tap';
import { computeGram, createFactorSolver, isSolvable } from '../../src/candidates/als-solver.js';
import { createDescentSolver } from '../../src/offline/training/candidates/descent-solver.js';
import { createSeededRandom } from '../../src/domain/seeded-random.js';

interface Problem {
  dimensions: number;
  factors: Float32Array;
  gram: Float64Array;
  partnerCount: number;
  unobservedWeight: number;
  regularisation: number;
  regularisationExponent: number;
}

function drawProblem(options: { dimensions: number; partners: number; seed?: number }): Problem {
  const { dimensions, partners, seed = 1 } = options;
  const random = createSeededRandom(`solver ${seed}`);
  const factors = Float32Array.from({ length: partners * dimensions }, () => random.normal());
  return {
    dimensions,
    factors,
    gram: computeGram(factors, dimensions),
    partnerCount: partners,
    unobservedWeight: 0.2,
    regularisation: 0.05,
    regularisationExponent: 0.7,
  };
}

function rowsOf({ factors, dimensions }: Problem): number[][] {
  return Array.from({ length: factors.length / dimensions }, (_, row) => [
    ...factors.subarray(row * dimensions, (row + 1) * dimensions),
  ]);
}

// 1 to 13 dimensions meet every remainder of the 4 × 4 tiles; 1 to 150 partners meet blocks that are empty, part and full.
const sizes = fc.record({
  dimensions: fc.integer({ min: 1, max: 13 }),
  partners: fc.integer({ min: 1, max: 150 }),
  seed: fc.integer({ min: 0, max: 1000 }),
});

t.test('a Gram matrix is the products of the columns, summed over all rows', async () => {
  fc.assert(
    fc.property(sizes, (size) => {
      const problem = drawProblem(size);
      const rows = rowsOf(problem);
      return problem.gram.every((value, at) => {
        const [i, j] = [Math.floor(at / size.dimensions), at % size.dimensions];
        return isClose(
          value,
          rows.reduce((sum, row) => sum + row[i]! * row[j]!, 0),
        );
      });
    }),
  );
});

t.test('a solution fulfils the normal equations', async () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 1, max: 150 }), (size, wanted) => {
      const problem = drawProblem(size);
      const partners = Int32Array.from({ length: Math.min(wanted, size.partners) }, (_, at) => at);
      const solution = new Float64Array(size.dimensions);
      createFactorSolver(problem).solve(partners, solution);
      return residualOf(problem, [...partners], solution).every((value) => Math.abs(value) < 1e-8);
    }),
  );
});

t.test('a solution with confidences fulfils the normal equations that they weigh', async () => {
  const confidence = fc.double({ min: 0.01, max: 20, noNaN: true });
  const drawn = fc.array(confidence, { minLength: 1, maxLength: 150 });
  fc.assert(
    fc.property(sizes, drawn, (size, wanted) => {
      const problem = drawProblem(size);
      const confidences = Float32Array.from(wanted.slice(0, size.partners));
      const partners = Int32Array.from(confidences, (_, at) => at);
      const solution = new Float64Array(size.dimensions);
      createFactorSolver(problem).solve(partners, solution, confidences);
      return residualOf(problem, [...partners], solution, confidences).every(
        (value) => Math.abs(value) < 1e-7,
      );
    }),
  );
});

t.test(
  'confidences of 1 change no bit of a solution, and partners that count nothing give zero',
  async (t) => {
    const solver = createFactorSolver(drawProblem({ dimensions: 7, partners: 90 }));
    const partners = Int32Array.from({ length: 90 }, (_, at) => at);
    const [plain, weighted, nothing] = [new Float64Array(7), new Float64Array(7), new Float64Array(7)];
    solver.solve(partners, plain);
    solver.solve(partners, weighted, new Float32Array(90).fill(1));
    solver.solve(partners, nothing.fill(1), new Float32Array(90));
    t.same(weighted, plain);
    t.same(nothing, new Float64Array(7));
  },
);

t.test('the vector of an entity without partners is zero, whatever was there before', async (t) => {
  const target = Float32Array.of(1, 2, 3);
  createFactorSolver(drawProblem({ dimensions: 3, partners: 4 })).solve(new Int32Array(0), target);
  t.same([...target], [0, 0, 0]);
});

t.test('a solver gives the same answer again after it solved another', async (t) => {
  const solver = createFactorSolver(drawProblem({ dimensions: 6, partners: 90 }));
  const [first, other, again] = [new Float64Array(6), new Float64Array(6), new Float64Array(6)];
  solver.solve(Int32Array.of(1, 2, 3), first);
  solver.solve(
    Int32Array.from({ length: 90 }, (_, at) => at),
    other,
  );
  solver.solve(Int32Array.of(1, 2, 3), again);
  t.same(again, first);
});

t.test('up to 16 dimensions one descent ends at the minimum, wherever it starts', async () => {
  const dimensions = fc.integer({ min: 1, max: 16 });
  fc.assert(
    fc.property(sizes, dimensions, fc.double({ min: -3, max: 3, noNaN: true }), (size, dimensions, start) => {
      const problem = drawProblem({ ...size, dimensions });
      const partners = Int32Array.from({ length: size.partners }, (_, at) => at);
      const vector = new Float64Array(dimensions).fill(start);
      createDescentSolver(problem).solve(partners, vector);
      return residualOf(problem, [...partners], vector).every((value) => Math.abs(value) < 1e-7);
    }),
  );
});

t.test('with more dimensions descents come closer to the minimum, and end there', async (t) => {
  const problem = drawProblem({ dimensions: 37, partners: 150 });
  const solver = createDescentSolver(problem);
  const partners = Int32Array.from({ length: 140 }, (_, at) => at);
  for (const confidences of [undefined, Float32Array.from(partners, (at) => (at % 5) / 2)]) {
    const minimum = new Float64Array(37);
    createFactorSolver(problem).solve(partners, minimum, confidences);
    const vector = new Float64Array(37);
    const distances = Array.from({ length: 60 }, () => {
      solver.solve(partners, vector, confidences);
      return Math.max(...vector.map((value, k) => Math.abs(value - minimum[k]!)));
    });
    t.ok(distances[0]! > 1e-4 && distances[4]! < distances[0]! / 2, distances.slice(0, 5).join());
    t.ok(distances.at(-1)! < 1e-9, String(distances.at(-1)));
  }
});

t.test('a descent without partners, or with none that counts, ends at zero', async (t) => {
  const solver = createDescentSolver(drawProblem({ dimensions: 3, partners: 4 }));
  const vector = Float32Array.of(1, 2, 3);
  solver.solve(new Int32Array(0), vector);
  t.same([...vector], [0, 0, 0]);
  solver.solve(Int32Array.of(1, 2), vector.fill(1), new Float32Array(2));
  t.same([...vector], [0, 0, 0]);
});

t.test('a descent reads the vectors of its partners three times, however many they are', async (t) => {
  const problem = drawProblem({ dimensions: 20, partners: 800 });
  let reads = 0;
  const factors = new Proxy(problem.factors, {
    get: (target, key) => {
      reads++;
      return Reflect.get(target, key, target) as unknown;
    },
  });
  const solver = createDescentSolver({ ...problem, factors });
  for (const count of [1, 100, 800]) {
    reads = 0;
    solver.solve(
      Int32Array.from({ length: count }, (_, at) => at),
      new Float64Array(20),
    );
    t.equal(reads, 3 * 20 * count);
  }
});

t.test('a regularised problem is solvable, one with a negative weight is not', async (t) => {
  const problem = drawProblem({ dimensions: 5, partners: 3 });
  t.equal(isSolvable(problem), true);
  t.equal(isSolvable({ ...problem, unobservedWeight: -1, regularisationExponent: 0 }), false);
  t.equal(isSolvable({ ...problem, regularisation: 0, unobservedWeight: 0 }), false);
});

/** (Σ c h hᵀ + α0 G + λ (Σ c + α0 N)^ν I) w − Σ c h, from the formula. */
function residualOf(
  problem: Problem,
  partners: number[],
  solution: Float64Array,
  confidences: ArrayLike<number> = partners.map(() => 1),
): number[] {
  const { dimensions, unobservedWeight, regularisation, regularisationExponent, partnerCount } = problem;
  const rows = rowsOf(problem);
  const dot = (row: number[]): number => row.reduce((sum, value, k) => sum + value * solution[k]!, 0);
  const count = partners.reduce((sum, _, at) => sum + confidences[at]!, 0);
  const weight = regularisation * (count + unobservedWeight * partnerCount) ** regularisationExponent;
  return Array.from({ length: dimensions }, (_, k) => {
    const observed = partners.reduce(
      (sum, row, at) => sum + confidences[at]! * rows[row]![k]! * (dot(rows[row]!) - 1),
      0,
    );
    const all = rows.reduce((sum, row) => sum + row[k]! * dot(row), 0);
    return observed + unobservedWeight * all + weight * solution[k]!;
  });
}

function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * (1 + Math.abs(b));
}

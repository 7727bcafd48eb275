import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { DEFAULT_BOOSTING_OPTIONS } from '../../../../src/offline/training/ranker/boosting-options.js';
import { createLambdarankObjective } from '../../../../src/offline/training/ranker/lambdarank-objective.js';
import { buildRows } from './build-rows.js';

interface Settings {
  readonly sigmoid: number;
  readonly truncation: number;
  readonly normalise: boolean;
}

/** LambdaRank of one query as LightGBM writes it: every pair from its upper rank, no shortcuts. */
function computeByDefinition(grades: readonly number[], scores: readonly number[], settings: Settings) {
  const { sigmoid, truncation, normalise } = settings;
  const gain = (grade: number) => 2 ** grade - 1;
  const discount = (rank: number) => 1 / Math.log2(rank + 2);
  const ranked = [...grades.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b);
  const ideal = [...grades]
    .sort((a, b) => b - a)
    .slice(0, truncation)
    .reduce((sum, grade, rank) => sum + gain(grade) * discount(rank), 0);
  const gradients = grades.map(() => 0);
  const hessians = grades.map(() => 0);
  let total = 0;
  for (let i = 0; i < Math.min(grades.length, truncation); i++) {
    for (let j = i + 1; j < grades.length; j++) {
      const [upper, lower] = [ranked[i]!, ranked[j]!];
      if (grades[upper] === grades[lower]) continue;
      const [high, low] = grades[upper]! > grades[lower]! ? [upper, lower] : [lower, upper];
      const distance = scores[high]! - scores[low]!;
      let delta = ((gain(grades[high]!) - gain(grades[low]!)) * Math.abs(discount(i) - discount(j))) / ideal;
      if (normalise && scores[ranked[0]!] !== scores[ranked.at(-1)!]) delta /= 0.01 + Math.abs(distance);
      const rho = 1 / (1 + Math.exp(sigmoid * distance));
      gradients[high]! -= sigmoid * delta * rho;
      gradients[low]! += sigmoid * delta * rho;
      hessians[high]! += sigmoid ** 2 * delta * rho * (1 - rho);
      hessians[low]! += sigmoid ** 2 * delta * rho * (1 - rho);
      total += 2 * sigmoid * delta * rho;
    }
  }
  const scale = normalise && total > 0 ? Math.log2(1 + total) / total : 1;
  return { gradients: gradients.map((g) => g * scale), hessians: hessians.map((h) => h * scale) };
}

t.test('derivatives are those of the definition, for any grades, scores and settings', async (t) => {
  const random = createSeededRandom(31);
  const draw = () =>
    Array.from({ length: 40 }, () => {
      const size = 2 + random.integer(30);
      const grades = Array.from({ length: size }, () => random.integer(1 + random.integer(5)));
      const scores = Array.from({ length: size }, () => Math.round(random.normal() * 8) / 4); // with ties
      return { grades, scores };
    });
  for (const sigmoid of [1, 2.5]) {
    for (const truncation of [1, 3, 100]) {
      for (const normalise of [true, false]) {
        const settings = { sigmoid, truncation, normalise };
        const queries = draw();
        const rows = buildRows(queries.map(({ grades }) => grades.map((grade) => [grade, 0])));
        const derivatives = {
          gradients: new Float64Array(rows.matrix.rows).fill(99),
          hessians: new Float64Array(rows.matrix.rows).fill(99),
        };
        const scores = Float64Array.from(queries.flatMap(({ scores }) => scores));
        createLambdarankObjective(rows, settings).computeDerivatives(scores, derivatives);
        const expected = queries.map(({ grades, scores }) => computeByDefinition(grades, scores, settings));
        const off = (actual: Float64Array, wanted: readonly number[]) =>
          actual.reduce((most, value, row) => Math.max(most, Math.abs(value - wanted[row]!)), 0);
        t.ok(
          off(
            derivatives.gradients,
            expected.flatMap(({ gradients }) => gradients),
          ) < 1e-12 &&
            off(
              derivatives.hessians,
              expected.flatMap(({ hessians }) => hessians),
            ) < 1e-12,
          JSON.stringify(settings),
        );
      }
    }
  }
});

t.test(
  'rows of queries with one grade are not pulled, and those of one query pull each other only',
  async (t) => {
    const rows = buildRows([[[0, 0], [0, 0]], [[2, 0], [2, 0]], [[0, 0], [1, 0]], []]); // prettier-ignore
    const gradients = new Float64Array(6).fill(99);
    const hessians = new Float64Array(6).fill(99);
    const objective = createLambdarankObjective(rows, DEFAULT_BOOSTING_OPTIONS);
    objective.computeDerivatives(Float64Array.of(5, 4, 3, 2, 1, 0), { gradients, hessians });
    t.same([...gradients.subarray(0, 4)], [0, 0, 0, 0]);
    t.same([...hessians.subarray(0, 4)], [0, 0, 0, 0]);
    t.ok(gradients[4]! > 0 && gradients[5] === -gradients[4]!);
  },
);

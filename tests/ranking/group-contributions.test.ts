import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { createSeededRandom } from '../../src/domain/seeded-random.js';
import type { FeatureMatrix } from '../../src/features/feature-matrix.js';
import {
  type ColumnGroup,
  computeContributions,
  joinGroups,
  MOST_GROUPS,
} from '../../src/ranking/group-contributions.js';
import { openOnnxRanker } from '../../src/ranking/onnx-ranker.js';

const random = createSeededRandom(16);
const draw = (columns: number): Float32Array =>
  Float32Array.from({ length: columns }, () => 4 * random.uniform() - 2);

/** A ranker of one formula per row. */
const rankBy = (formula: (row: Float32Array) => number) => ({
  rank: async ({ data, rows, columns }: FeatureMatrix) =>
    Float32Array.from({ length: rows }, (_, row) =>
      formula(data.subarray(row * columns, (row + 1) * columns)),
    ),
});

const each = (columns: number): ColumnGroup[] =>
  Array.from({ length: columns }, (_, column) => ({ name: `g${column}`, columns: [column] }));

t.test('the contributions of a sum are its terms', async (t) => {
  const ranker = rankBy((row) => 2 * row[0]! + 3 * row[1]! - row[2]!);
  const { baseline, score, values } = await computeContributions(
    Float32Array.of(1, 2, 3),
    Float32Array.of(0, 1, 0),
    { groups: each(3), ranker },
  );
  t.same([baseline, score, [...values]], [3, 5, [2, 3, -3]]);
});

t.test('a product is shared by those that make it, and what is not read gets nothing', async (t) => {
  const ranker = rankBy((row) => row[0]! * row[1]!);
  const groups = each(3);
  const { values } = await computeContributions(Float32Array.of(1, 1, 5), Float32Array.of(0, 0, 0), {
    groups,
    ranker,
  });
  t.same([...values], [0.5, 0.5, 0]);
});

t.test('two copies of a column get equal shares, whatever the model makes of them', async (t) => {
  const ranker = rankBy((row) => Math.tanh(row[0]! + row[1]!) * Math.exp(row[2]!) + row[3]!);
  for (let round = 0; round < 50; round++) {
    const [row, baseline] = [draw(4), draw(4)];
    row[1] = row[0]!;
    baseline[1] = baseline[0]!;
    const { values } = await computeContributions(row, baseline, { groups: each(4), ranker });
    t.ok(Math.abs(values[0]! - values[1]!) < 1e-6, `${values[0]!} and ${values[1]!}`);
  }
});

t.test('they are those of all orders in which the groups can come', async (t) => {
  const formula = (row: Float32Array): number => Math.max(row[0]!, row[1]! * row[2]!) + row[3]! * row[0]!;
  const groups = [
    { name: 'a', columns: [0] },
    { name: 'b', columns: [1, 2] },
    { name: 'c', columns: [3] },
  ];
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  const [row, baseline] = [draw(4), draw(4)];
  const expected = [0, 0, 0];
  for (const order of orders) {
    const at = baseline.slice();
    for (const group of order) {
      const before = Math.fround(formula(at));
      for (const column of groups[group]!.columns) at[column] = row[column]!;
      expected[group]! += (Math.fround(formula(at)) - before) / orders.length;
    }
  }
  const { values } = await computeContributions(row, baseline, { groups, ranker: rankBy(formula) });
  values.forEach((value, at) => t.ok(Math.abs(value - expected[at]!) < 1e-6));
});

t.test('above 12 groups the smallest are one, and are named', async (t) => {
  const groups = Array.from({ length: 15 }, (_, at) => ({
    name: `g${at}`,
    columns: Array.from({ length: 15 - at }, (_, column) => 100 * at + column),
  }));
  const { groups: kept, joined } = joinGroups([...groups, { name: 'unread', columns: [] }]);
  t.equal(kept.length, MOST_GROUPS);
  t.same(joined, ['g11', 'g12', 'g13', 'g14']);
  t.match(kept.at(-1), { name: 'other', columns: joined.flatMap((_, at) => groups[11 + at]!.columns) });
  t.same(joinGroups(groups.slice(0, 12)), { groups: groups.slice(0, 12), joined: [] });
});

t.test('the contributions of a network of PyTorch sum to its score, of 1,000 pairs of rows', async (t) => {
  const model = readFileSync('tests/fixtures/onnx/pytorch.onnx');
  const { features } = parse(readFileSync('tests/fixtures/onnx/features.yaml', 'utf8')) as {
    features: string[];
  };
  const columns = features.length;
  const ranker = await openOnnxRanker(model, { columns });
  t.teardown(() => ranker.close());
  const groups = Array.from({ length: 10 }, (_, at) => ({
    name: `g${at}`,
    columns: Array.from({ length: columns }, (_, column) => column).filter((column) => column % 10 === at),
  })).filter((group) => group.columns.length > 0);
  let worst = 0;
  for (let round = 0; round < 1000; round++) {
    const row = draw(columns);
    const { baseline, score, values } = await computeContributions(row, draw(columns), { groups, ranker });
    const [own] = await ranker.rank({ data: row, rows: 1, columns });
    const sum = values.reduce((total, value) => total + value, baseline);
    worst = Math.max(worst, Math.abs(sum - score), Math.abs(score - own!) / Math.max(1, Math.abs(own!)));
  }
  t.ok(worst < 1e-6, `at most ${worst} beside it`);
});

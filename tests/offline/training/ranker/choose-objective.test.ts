import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import type { RankingObjective } from '../../../../src/offline/training/ranker/boosting-options.js';
import { chooseObjective } from '../../../../src/offline/training/ranker/choose-objective.js';
import type { RankingRows } from '../../../../src/offline/training/ranker/ranking-rows.js';
import type { TreeEnsemble } from '../../../../src/offline/training/ranker/tree-ensemble.js';

const QUERIES = 40;
const ROWS = 10;

/** Queries of ten rows, the first of which was taken; a column for each way to score them. */
function makeRows(columns: readonly ((row: number, query: number) => number)[]): RankingRows {
  const rows = QUERIES * ROWS;
  const data = Float32Array.from({ length: rows * columns.length }, (_, at) => {
    const row = Math.floor(at / columns.length);
    return columns[at % columns.length]!(row % ROWS, Math.floor(row / ROWS));
  });
  return {
    matrix: { data, rows, columns: columns.length },
    labels: Float32Array.from({ length: rows }, (_, row) => (row % ROWS === 0 ? 1 : 0)),
    groupOffsets: Uint32Array.from({ length: QUERIES + 1 }, (_, query) => query * ROWS),
  };
}

/** One tree that puts rows with more than 0.5 in a column first. */
function readColumn(objective: RankingObjective, column: number, columns: number): TreeEnsemble {
  const tree = {
    column: Int32Array.of(column, -1, -1),
    threshold: Float32Array.of(0.5, 0, 0),
    left: Int32Array.of(1, -1, -1),
    right: Int32Array.of(2, -1, -1),
    value: Float32Array.of(0, 0, 1),
    gain: Float64Array.of(1, 0, 0),
  };
  return {
    objective,
    columns,
    baseScore: 0,
    trees: [tree],
    bestIteration: 1,
    validationCurve: Float64Array.of(0),
  };
}

const right = (row: number): number => (row === 0 ? 1 : 0);
const wrong = (row: number): number => (row === 9 ? 1 : 0);
/** Right for all but some queries. */
const rightBut = (failing: readonly number[]) => (row: number, query: number) =>
  failing.includes(query) ? wrong(row) : right(row);

t.test('what orders the held-out candidates better is kept, wherever it is named', async (t) => {
  const rows = makeRows([right, wrong]);
  const good = readColumn('logistic', 0, 2);
  const bad = readColumn('lambdarank', 1, 2);
  for (const ensembles of [
    [good, bad],
    [bad, good],
  ]) {
    const choice = chooseObjective(ensembles, rows);
    t.equal(choice.ensemble, good);
    t.notOk(choice.isTossUp);
    t.same(
      choice.objectives.map(({ objective }) => objective),
      ensembles.map(({ objective }) => objective),
    );
  }
});

t.test('within the error the first named is kept, and it is said', async (t) => {
  const rows = makeRows([rightBut([1, 2]), rightBut([3])]);
  const two = readColumn('logistic', 0, 2);
  const one = readColumn('lambdarank', 1, 2);
  t.match(chooseObjective([two, one], rows), { ensemble: { objective: 'logistic' }, isTossUp: true });
  t.match(chooseObjective([one, two], rows), { ensemble: { objective: 'lambdarank' }, isTossUp: true });
});

t.test('figures are those of each objective with the error over queries', async (t) => {
  const random = createSeededRandom(1);
  const failing = Array.from({ length: QUERIES }, (_, query) => query).filter(() => random.uniform() < 0.5);
  const { objectives } = chooseObjective([readColumn('logistic', 0, 1)], makeRows([rightBut(failing)]));
  const [{ ndcg, trees }] = objectives as [(typeof objectives)[number]];
  t.equal(trees, 1);
  // A query that fails has its row among nine that are tied at ranks 2 to 10.
  let tied = 0;
  for (let rank = 1; rank < ROWS; rank++) tied += 1 / Math.log2(rank + 2) / (ROWS - 1);
  const share = failing.length / QUERIES;
  t.ok(Math.abs(ndcg.mean - (1 - share + share * tied)) < 1e-12);
  const deviation = Math.sqrt((share * (1 - share) * QUERIES) / (QUERIES - 1)) * (1 - tied);
  t.ok(Math.abs(ndcg.standardError - deviation / Math.sqrt(QUERIES)) < 1e-12);
});

t.test('a single objective is no toss-up', async (t) => {
  t.notOk(chooseObjective([readColumn('logistic', 0, 1)], makeRows([right])).isTossUp);
});

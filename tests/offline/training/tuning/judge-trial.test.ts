import t from 'tap';
import { createSeededRandom } from '../../../../src/domain/seeded-random.js';
import { SILENT_PROGRESS } from '../../../../src/offline/progress/progress.js';
import type { LabelledQuery } from '../../../../src/offline/training/ranker/training-rows.js';
import { judgeTrial } from '../../../../src/offline/training/tuning/judge-trial.js';
import type { JudgedQuery } from '../../../../src/offline/training/tuning/trial-rows.js';
import { smallTrainingConfig } from '../../../support/trained-bundle.js';

const shipped = smallTrainingConfig();
const config = { ...shipped, ranker: { ...shipped.ranker, minRowsPerLeaf: 1, maxTrees: 30, l2: 0 } };
const scenario = { maxCandidates: 10 };
const step = SILENT_PROGRESS.start('test');
const USERS = 60;
const judgement = { foldOf: new Map(Array.from({ length: USERS }, (_, user) => [user, user % 2])) };

/** Ten candidates of each user, one of them taken; `describe` gives the only feature of a candidate. */
function makeQueries(describe: (row: { isTaken: boolean; noise: number }) => number): LabelledQuery[] {
  const random = createSeededRandom('queries');
  return Array.from({ length: USERS }, (_, user) => {
    const taken = random.integer(10);
    const rows = Array.from({ length: 10 }, (_, item) => ({
      isTaken: item === taken,
      noise: random.uniform(),
    }));
    return {
      user,
      items: Int32Array.from(rows.keys()),
      data: Float32Array.from(rows, describe),
      labels: Float32Array.from(rows, ({ isTaken }) => Number(isTaken)),
      weights: new Float32Array(rows.length).fill(1),
    };
  });
}

/** The same queries to judge by; the user took `more` besides, which no source found. */
function judgeBy(training: readonly LabelledQuery[], more: readonly number[] = []): JudgedQuery[] {
  return training.map((candidates) => ({
    user: candidates.user,
    relevant: Int32Array.of(candidates.labels.indexOf(1), ...more),
    candidates,
  }));
}

const telling = makeQueries(({ isTaken, noise }) => Number(isTaken) + noise / 2);

t.test('what a ranker can know puts what was taken first', async (t) => {
  const rows = { columns: 1, training: telling, judged: judgeBy(telling) };
  const figures = await judgeTrial(rows, { config, scenario, judgement, step });
  t.ok(figures.every((figure) => figure === 1));
  t.same(await judgeTrial(rows, { config, scenario, judgement, step }), figures);
});

t.test('nobody is answered by a ranker that learned from them', async (t) => {
  const training = makeQueries(({ noise }) => noise);
  const rows = { columns: 1, training, judged: judgeBy(training) };
  const figures = await judgeTrial(rows, { config, scenario, judgement, step });
  const mean = figures.reduce((sum, figure) => sum + figure, 0) / USERS;
  // One of ten at a random place has .45; trees that have seen these rows have nearly 1.
  t.ok(mean < 0.6, `nDCG ${mean}`);
});

t.test('what no source found counts against a trial', async (t) => {
  const judged = judgeBy(telling, [98, 99]);
  const [lost, ...others] = judged;
  const figures = await judgeTrial(
    { columns: 1, training: telling, judged: [{ ...lost!, candidates: undefined }, ...others] },
    { config, scenario, judgement, step },
  );
  const ideal = 1 + 1 / Math.log2(3) + 1 / Math.log2(4);
  t.equal(figures[0], 0);
  t.ok(figures.subarray(1).every((figure) => Math.abs(figure - 1 / ideal) < 1e-12));
});

t.test('equal scores are ordered by item, as they are served', async (t) => {
  const constant = telling.map((query) => ({ ...query, data: new Float32Array(10) }));
  const shuffled = constant.map((query) => ({
    ...query,
    items: query.items.toReversed(),
    labels: query.labels.toReversed(),
  }));
  const judged = shuffled.map((candidates) => ({
    user: candidates.user,
    relevant: Int32Array.of(2),
    candidates,
  }));
  const figures = await judgeTrial(
    { columns: 1, training: constant, judged },
    { config, scenario, judgement, step },
  );
  t.ok(figures.every((figure) => figure === 1 / Math.log2(4)));
});

import t from 'tap';

import type { SplitFacts } from '../../../src/offline/protocol/splits.js';
import {
  summariseEvaluation,
  type EvaluationRun,
} from '../../../src/offline/evaluation/summarise-evaluation.js';
import { sampleResult } from './sample-result.js';

/** Every query has one relevant item, 0; histories have the given lengths. */
function makeFacts(historyLengths: readonly number[], label = 'w1'): SplitFacts {
  return {
    label,
    knownUntil: 100,
    trainRows: 50,
    testRows: 2,
    tiedRows: 0,
    queries: historyLengths.map((_, user) => ({ user, relevant: Int32Array.of(0) })),
    popularity: new Uint32Array(20).fill(1),
    historyLengths: Uint32Array.from(historyLengths),
  };
}

/** Slates with the hit at the given rank, 0 for a miss. */
function slatesWithHits(ranks: readonly number[]): Int32Array[] {
  return ranks.map((rank) =>
    Int32Array.from({ length: 10 }, (_, place) => (place + 1 === rank ? 0 : place + 1)),
  );
}

function makeRun(overrides: Partial<EvaluationRun> = {}): EvaluationRun {
  const { rows: _, comparison: __, segmentations: ___, queries: ____, ...rest } = sampleResult();
  return {
    ...rest,
    traits: [],
    userAttributes: [],
    splits: [makeFacts([0, 5, 6, 100, 101])],
    rankings: [
      { name: 'popular', kind: 'baseline', slates: [slatesWithHits([3, 0, 0, 0, 0])] },
      { name: 'als', kind: 'source', slates: [slatesWithHits([0, 3, 3, 0, 0])] },
      { name: 'fusion', kind: 'fusion', slates: [slatesWithHits([1, 1, 1, 1, 1])] },
      { name: 'two-stage', kind: 'two-stage', slates: [slatesWithHits([0, 1, 1, 3, 0])] },
    ],
    ...overrides,
  };
}

t.test('the best single source is the best source or baseline, never the fusion', async (t) => {
  const { comparison } = summariseEvaluation(makeRun());
  t.equal(comparison.bestSingle, 'als');
  t.equal(comparison.twoStage, 'two-stage');
  t.equal(comparison.lift, 1.5, 'nDCG of .5 against .2');
  t.ok(Math.abs(comparison.difference - 0.3) < 1e-12);
  t.ok(comparison.low >= 0 && comparison.high > 0.3);
});

t.test('a baseline can be the best single source', async (t) => {
  const rankings = makeRun().rankings.filter(({ name }) => name !== 'als');
  t.equal(summariseEvaluation(makeRun({ rankings })).comparison.bestSingle, 'popular');
});

t.test('every ranking is a row with its lift, in the order given', async (t) => {
  const { rows } = summariseEvaluation(makeRun());
  t.same(
    rows.map(({ name, liftOverBestSingle }) => [name, Number(liftOverBestSingle!.toFixed(6))]),
    [
      ['popular', -0.5],
      ['als', 0],
      ['fusion', 4],
      ['two-stage', 1.5],
    ],
  );
  t.equal(rows[1]!.metrics.ndcg.mean, 0.2);
});

t.test('there is no lift over sources that find nothing', async (t) => {
  const slates = [slatesWithHits([0, 0, 0, 0, 0])];
  const rankings = makeRun().rankings.map((ranking) =>
    ranking.name === 'two-stage' ? ranking : { ...ranking, slates },
  );
  const { rows, comparison } = summariseEvaluation(makeRun({ rankings }));
  t.equal(comparison.lift, null);
  t.equal(rows[3]!.liftOverBestSingle, null);
});

t.test('queries are told apart by how much was known of the user', async (t) => {
  const { segmentations } = summariseEvaluation(makeRun());
  t.equal(segmentations[0]!.by, 'items known of the user');
  t.same(
    segmentations[0]!.segments.map(({ label, queries, twoStage, bestSingle }) => [
      label,
      queries,
      twoStage.mean,
      bestSingle.mean,
    ]),
    [
      ['0', 1, 0, 0],
      ['1–5', 1, 1, 0.5],
      ['6–20', 1, 1, 0.5],
      ['21–100', 1, 0.5, 0],
      ['>100', 1, 0, 0],
    ],
  );
});

t.test('segments without queries are left out, and segments span the splits', async (t) => {
  const splits = [makeFacts([1, 2]), makeFacts([30, 3], 'w2')];
  const rankings = makeRun().rankings.map((ranking) => ({
    ...ranking,
    slates: [slatesWithHits([1, 0]), slatesWithHits([3, 1])],
  }));
  const { segmentations, splits: described, rows } = summariseEvaluation(makeRun({ splits, rankings }));
  t.same(
    segmentations[0]!.segments.map(({ label, queries, twoStage }) => [label, queries, twoStage.mean]),
    [
      ['1–5', 3, 2 / 3],
      ['21–100', 1, 0.5],
    ],
  );
  t.same(described[1], { label: 'w2', knownUntil: 100, trainRows: 50, testRows: 2, tiedRows: 0, queries: 2 });
  t.same(
    rows[0]!.ndcgBySplit.map(({ mean }) => mean),
    [0.5, 0.75],
  );
});

t.test('a result is plain JSON: what is read back is what was written', async (t) => {
  const result = summariseEvaluation(makeRun());
  t.strictSame(JSON.parse(JSON.stringify(result)), result);
});

t.test('a run without a two-stage ranking, or with slates missing, is refused', async (t) => {
  const { rankings } = makeRun();
  t.throws(() => summariseEvaluation(makeRun({ rankings: rankings.slice(0, 3) })), {
    message: 'the evaluation has no ranking of kind two-stage',
  });
  t.throws(() => summariseEvaluation(makeRun({ rankings: rankings.slice(2) })), {
    message: 'the evaluation has no ranking of kind source or baseline',
  });
  t.throws(() => summariseEvaluation(makeRun({ rankings: [{ ...rankings[0]!, slates: [] }] })), {
    message: 'split w1: 0 slates for 5 queries',
  });
});

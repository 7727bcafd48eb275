import t from 'tap';
import { ShortlistError } from '../../src/domain/errors.js';
import type { FeatureMatrix } from '../../src/features/feature-matrix.js';
import { createBatchRanker } from '../../src/ranking/batch-ranker.js';
import type { Ranker } from '../../src/ranking/ranker.js';

/** Scores a row by its first column, refuses rows that have a 0 there, and counts its runs. */
class FirstColumn implements Ranker {
  readonly name = 'first';
  runs: number[] = [];
  closed = false;

  async rank({ data, rows, columns }: FeatureMatrix): Promise<Float32Array> {
    this.runs.push(rows);
    const scores = Float32Array.from({ length: rows }, (_, row) => data[row * columns]!);
    if (scores.includes(0)) throw new ShortlistError('RANKER_INVALID_OUTPUT', 'a score is 0');
    if (scores.includes(-1)) throw new TypeError('a mistake of ours');
    return scores;
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

const matrix = (...firsts: number[]): FeatureMatrix => ({
  data: Float32Array.from(firsts.flatMap((first) => [first, 9])),
  rows: firsts.length,
  columns: 2,
});

t.test('what is asked in one turn is one run, and everybody gets the scores of their own rows', async (t) => {
  const ranker = new FirstColumn();
  const batch = createBatchRanker(ranker);
  const answers = await Promise.all([batch.rank(matrix(1, 2)), batch.rank(matrix()), batch.rank(matrix(3))]);
  t.same(answers, [Float32Array.of(1, 2), new Float32Array(0), Float32Array.of(3)]);
  t.same(ranker.runs, [3]);
  t.same(await batch.rank(matrix(4)), Float32Array.of(4));
  t.same(ranker.runs, [3, 1], 'the next turn is a run of its own');
  t.equal(batch.name, 'first');
  await batch.close();
  t.ok(ranker.closed);
});

t.test('rows that cannot be scored fail for who brought them, not for the others', async (t) => {
  const batch = createBatchRanker(new FirstColumn());
  const answers = await Promise.allSettled([
    batch.rank(matrix(1)),
    batch.rank(matrix(2, 0)),
    batch.rank(matrix(3)),
  ]);
  t.match(answers, [
    { status: 'fulfilled', value: Float32Array.of(1) },
    { status: 'rejected', reason: { code: 'RANKER_INVALID_OUTPUT' } },
    { status: 'fulfilled', value: Float32Array.of(3) },
  ]);
  await t.rejects(batch.rank(matrix(0)), { code: 'RANKER_INVALID_OUTPUT' }, 'alone it is asked once');
});

t.test('a mistake of ours is not tried again', async (t) => {
  const ranker = new FirstColumn();
  const batch = createBatchRanker(ranker);
  const answers = await Promise.allSettled([batch.rank(matrix(1)), batch.rank(matrix(-1))]);
  t.match(answers, [{ reason: TypeError }, { reason: TypeError }]);
  t.same(ranker.runs, [2]);
});

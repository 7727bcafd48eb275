import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { ShortlistError } from '../../src/domain/errors.js';
import type { FeatureMatrix } from '../../src/features/feature-matrix.js';
import { createGuardedRanker } from '../../src/ranking/guarded-ranker.js';
import type { Ranker } from '../../src/ranking/ranker.js';

/** Fails as it is told to, and counts its runs. */
class MoodyRanker implements Ranker {
  readonly name = 'moody';
  failure: Error | undefined;
  runs = 0;
  closed = false;

  async rank({ rows }: FeatureMatrix): Promise<Float32Array> {
    this.runs++;
    if (this.failure !== undefined) throw this.failure;
    return new Float32Array(rows);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

const matrix: FeatureMatrix = { data: Float32Array.of(1), rows: 1, columns: 1 };
const NO_LIMIT = { budgetMs: Number.POSITIVE_INFINITY, probeAfterMs: 60_000 };

t.test('most of the latest runs must fail before it is left alone, for the reason of the last', async (t) => {
  const ranker = new MoodyRanker();
  const guarded = createGuardedRanker(ranker, NO_LIMIT);
  t.equal(guarded.name, 'moody');
  for (let run = 0; run < 3; run++) t.same(await guarded.rank(matrix), new Float32Array(1));
  ranker.failure = new ShortlistError('RANKER_FAILED', 'no session');
  for (const _ of [1, 2]) await t.rejects(guarded.rank(matrix), { code: 'RANKER_FAILED' });
  ranker.failure = new ShortlistError('RANKER_INVALID_OUTPUT', 'NaN in row 3');
  await t.rejects(guarded.rank(matrix), { message: 'NaN in row 3' });
  const { runs } = ranker;
  await t.rejects(guarded.rank(matrix), {
    code: 'RANKER_INVALID_OUTPUT',
    message: 'The ranker is left alone for a while. NaN in row 3',
  });
  t.equal(ranker.runs, runs, 'it was not run');
  await guarded.close();
  t.ok(ranker.closed);
});

t.test('scores that come too late are used, and count as failures', async (t) => {
  const ranker = new MoodyRanker();
  const guarded = createGuardedRanker(ranker, { budgetMs: 0, probeAfterMs: 60_000 });
  for (let run = 0; run < 5; run++) t.same(await guarded.rank(matrix), new Float32Array(1));
  await t.rejects(guarded.rank(matrix), {
    code: 'RANKER_TIMEOUT',
    message: /took \d+\.\d ms, its budget is 0\.0 ms/,
  });
});

t.test('after a while it is tried beside whoever asks, and used again when it is well', async (t) => {
  const ranker = new MoodyRanker();
  const guarded = createGuardedRanker(ranker, { ...NO_LIMIT, probeAfterMs: 0 });
  ranker.failure = new ShortlistError('RANKER_FAILED', 'no session');
  for (let run = 0; run < 5; run++) await t.rejects(guarded.rank(matrix), { message: 'no session' });
  await t.rejects(guarded.rank(matrix), { message: /left alone/ });
  await turn();
  t.equal(ranker.runs, 6, 'tried, in vain');
  ranker.failure = undefined;
  await t.rejects(guarded.rank(matrix), { message: /left alone/ }, 'nobody waits for the trial');
  await turn();
  t.same(await guarded.rank(matrix), new Float32Array(1));
});

t.test('a mistake of ours is not taken for a failure of the ranker', async (t) => {
  const ranker = new MoodyRanker();
  const guarded = createGuardedRanker(ranker, NO_LIMIT);
  ranker.failure = new TypeError('x is undefined');
  for (let run = 0; run < 9; run++) await t.rejects(guarded.rank(matrix), new TypeError('x is undefined'));
});

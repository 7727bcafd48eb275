import { ShortlistError } from '../domain/errors.js';
import { createBreaker } from '../features/circuit-breaker.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';
import type { Ranker } from './ranker.js';

/** The time that runs of a ranker may take, and the pause after too many that took longer or failed. */
export interface RankerGuard {
  /** Milliseconds of a run above which it counts as failed; its scores are used all the same. */
  readonly budgetMs: number;
  /** How long it is left alone before one run tries it again. */
  readonly probeAfterMs: number;
}

/** Three failures among five runs: one run that was slow by chance opens nothing, a slow model costs three. */
const JUDGED = { calls: 5, failureShare: 0.5 };

interface Run {
  readonly scores: Float32Array;
  readonly isSlow: boolean;
}

/**
 * A ranker behind a circuit breaker: while most of its runs fail or take longer than the budget, it is not run, and who
 * asks is told at once. What tries it again are the rows of somebody who was told so already.
 */
export function createGuardedRanker(ranker: Ranker, { budgetMs, probeAfterMs }: RankerGuard): Ranker {
  let latest = new ShortlistError('RANKER_FAILED', `The ranker '${ranker.name}' has not failed.`);
  let asked: FeatureMatrix | undefined;

  async function run(matrix: FeatureMatrix): Promise<Run> {
    const started = performance.now();
    try {
      const scores = await ranker.rank(matrix);
      const milliseconds = performance.now() - started;
      const isSlow = milliseconds > budgetMs;
      if (isSlow) latest = describeSlow(ranker.name, { milliseconds, budgetMs });
      return { scores, isSlow };
    } catch (error) {
      if (error instanceof ShortlistError) latest = error;
      throw error;
    }
  }

  const breaker = createBreaker(
    { ...JUDGED, probeAfterMs },
    {
      probe: () => run(asked!),
      onChange: () => undefined,
      refusal: () =>
        new ShortlistError(latest.code, `The ranker is left alone for a while. ${latest.message}`),
      isFailure: (answer) => (answer as Run).isSlow,
    },
  );
  return {
    name: ranker.name,
    rank: async (matrix) => {
      asked = matrix;
      const { scores } = await breaker.run(() => run(matrix));
      return scores;
    },
    close: () => ranker.close(),
  };
}

function describeSlow(name: string, run: { milliseconds: number; budgetMs: number }): ShortlistError {
  const took = `took ${run.milliseconds.toFixed(1)} ms, its budget is ${run.budgetMs.toFixed(1)} ms`;
  return new ShortlistError('RANKER_TIMEOUT', `The ranker '${name}' ${took}.`);
}

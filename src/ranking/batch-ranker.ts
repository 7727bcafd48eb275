import { ShortlistError } from '../domain/errors.js';
import type { FeatureMatrix } from '../features/feature-matrix.js';
import type { Ranker } from './ranker.js';

interface Waiting {
  readonly matrix: FeatureMatrix;
  readonly resolve: (scores: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Puts the rows of all that is asked before the thread would be idle into one call of a ranker: a run of a model has
 * a cost of its own, however few rows it scores. Who asks alone is answered as by the ranker itself, and so is who asked
 * beside somebody whose rows the ranker cannot score: a batch that fails is asked again one by one.
 */
export function createBatchRanker(ranker: Ranker): Ranker {
  let waiting: Waiting[] = [];

  async function flush(): Promise<void> {
    const batch = waiting;
    waiting = [];
    try {
      const scores = await ranker.rank(concatenate(batch.map(({ matrix }) => matrix)));
      let start = 0;
      for (const { matrix, resolve } of batch) resolve(scores.subarray(start, (start += matrix.rows)));
    } catch (error) {
      if (batch.length === 1 || !(error instanceof ShortlistError))
        for (const { reject } of batch) reject(error);
      else for (const { matrix, resolve, reject } of batch) await ranker.rank(matrix).then(resolve, reject);
    }
  }

  return {
    name: ranker.name,
    rank: (matrix) =>
      new Promise((resolve, reject) => {
        // By then every request of this turn has come as far as it can without an answer.
        if (waiting.length === 0) setImmediate(() => void flush());
        waiting.push({ matrix, resolve, reject });
      }),
    close: () => ranker.close(),
  };
}

function concatenate(matrices: readonly FeatureMatrix[]): FeatureMatrix {
  const [first, ...others] = matrices;
  if (others.length === 0) return first!;
  const rows = matrices.reduce((sum, matrix) => sum + matrix.rows, 0);
  const data = new Float32Array(rows * first!.columns);
  let start = 0;
  for (const matrix of matrices) {
    data.set(matrix.data, start);
    start += matrix.data.length;
  }
  return { data, rows, columns: first!.columns };
}

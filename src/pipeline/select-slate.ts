import { selectTopK } from '../domain/top-k.js';

/** The candidates that an answer shows, best first. */
export interface Selection {
  /** Rows of the candidate set. */
  readonly rows: Int32Array;
  /** Ranking scores of `rows`, descending. */
  readonly scores: Float32Array;
}

/**
 * Chooses and orders what is shown: the rows with the highest ranking scores. Equal scores keep the order of the candidates, which is
 * that of fusion.
 * @param scores one per candidate
 */
export function selectSlate(scores: Float32Array, { limit }: { limit: number }): Selection {
  const { items: rows, scores: best } = selectTopK(scores, { limit });
  return { rows, scores: best };
}

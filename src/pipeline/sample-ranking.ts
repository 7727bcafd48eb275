import type { FeatureMatrix } from '../features/feature-matrix.js';

/** Some of the rows that a ranker scored: data only, which threads can hand on. */
export interface RankingSample {
  /** Row-major [rows × features], in the ranker's feature order. */
  readonly features: Float32Array;
  /** What the ranker gave each row. */
  readonly scores: Float32Array;
}

/** Rows of one request: they say much the same of its user, so more of them would say little more. */
const ROWS = 16;

/** Rows evenly spaced over the candidates; undefined where no ranker scored them. */
export function sampleRanking(ranked: {
  readonly scores: Float32Array;
  readonly matrix?: FeatureMatrix;
}): RankingSample | undefined {
  const { matrix, scores } = ranked;
  if (matrix === undefined) return undefined;
  const { data, rows, columns } = matrix;
  const taken = Math.min(ROWS, rows);
  const sample = { features: new Float32Array(taken * columns), scores: new Float32Array(taken) };
  for (let index = 0; index < taken; index++) {
    const row = Math.floor((index * rows) / taken);
    sample.features.set(data.subarray(row * columns, (row + 1) * columns), index * columns);
    sample.scores[index] = scores[row]!;
  }
  return sample;
}
